"""What all supplies of a household cost together, each counted once.

Two meters of one kind may both count the same: a meter that is read here and what the supplier sends of it, or a meter
of one circuit behind that of the house. Which of them are supplies, only a person knows: those that somebody declared
add up, and where nobody declared any of a kind, that kind adds up only where there is one of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal

from appliance import costs, supplies
from appliance.costs import Cost
from appliance.errors import UserError
from appliance.store.database import Store
from appliance.supplies import Supply

NOT_READ = "nothing was read in these days"
BESIDE_DECLARED = "another of its kind was kept as a supply, and this one was not"
SEVERAL = "several meters count the same kind, and nobody said which of them are supplies"


@dataclass(frozen=True, slots=True)
class Together:
    """The costs of each supply that adds up, and why the others do not."""

    costs: tuple[Cost, ...]
    left_out: tuple[tuple[Supply, str], ...]

    @property
    def totals(self) -> dict[str, Decimal]:
        """Currency -> what all of them cost, of as much as has a tariff; what is fed in is taken off."""
        return added(self.costs)


def together(store: Store, known: Sequence[Supply], zone: tzinfo, first_day: date, last_day: date) -> Together:
    """What each supply costs from the first to the last day, of as much of it as its meter told of; `known` are all."""
    why = unclear(known)
    found, left_out = list[Cost](), list[tuple[Supply, str]]()
    for supply in known:
        days = None if supply in why else _read_days(store, supply, zone, first_day, last_day)
        if days:
            found.append(costs.cost(store, supply, zone, *days))
        else:
            left_out.append((supply, why.get(supply, NOT_READ)))
    return Together(tuple(found), tuple(left_out))


def added(every: Sequence[Cost]) -> dict[str, Decimal]:
    """Currency -> what they cost together."""
    found: dict[str, Decimal] = {}
    for cost in every:
        for currency, amount in cost.totals.items():
            found[currency] = found.get(currency, Decimal(0)) + amount
    return found


def unclear(known: Sequence[Supply]) -> dict[Supply, str]:
    """The supplies that may count what another one counts too, and why."""
    found = dict[Supply, str]()
    for supply in known:
        same = [each for each in known if (each.supply, each.direction) == (supply.supply, supply.direction)]
        if supply.is_offered and len(same) > 1:
            found[supply] = SEVERAL if all(each.is_offered for each in same) else BESIDE_DECLARED
    return found


def _read_days(store: Store, supply: Supply, zone: tzinfo, first: date, last: date) -> tuple[date, date] | None:
    """The days from the first to the last of which its meter told, by today; None where there is none."""
    try:
        begin, end = supplies.extent(store, supply)
    except UserError:
        return None
    first = max(first, costs.day_of(begin, zone))
    last = min(last, costs.day_of(end - 1, zone), datetime.now(zone).date())
    return (first, last) if first <= last else None
