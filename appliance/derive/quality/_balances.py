"""Whether the rows of an account come to what the bank itself says: the difference between two of its balances."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from sqlalchemy import Connection, Text, cast, select

from appliance.derive.matching import DAY_US, offset_us
from appliance.derive.quality._lights import Colour, Light, between
from appliance.derive.tally import Tally, What, day
from appliance.store.models import RecordRow
from appliance.store.records import amount_of

NAME = "agreeing"
BALANCE = "money.balance"
MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two balances the bank says one thing, and the rows another: days since 1970, amounts in 10^-6."""

    first: int
    last: int
    said_e6: int
    rows_e6: int
    unit: str

    @property
    def text(self) -> str:
        """With figures and days, as a person reads it."""
        missing = abs(self.said_e6 - self.rows_e6)
        when = between(day(self.first), day(self.last))
        return (
            f"{when} the bank says {_amount(self.said_e6)} and the rows come to {_amount(self.rows_e6)}: "
            f"{_amount(missing)} {self.unit} is missing".replace("  ", " ")
        )


def balances(connection: Connection) -> dict[tuple[int, str, str], dict[int, int]]:
    """What banks say was booked on each account: by source, account and unit, the last amount of each day."""
    found: dict[tuple[int, str, str], dict[int, int]] = defaultdict(dict)
    columns = (RecordRow.source_id, RecordRow.account, RecordRow.unit, RecordRow.at_us, RecordRow.zone)
    rows = select(*columns, RecordRow.amount_e6, cast(RecordRow.fields, Text).label("fields")).where(
        RecordRow.kind == BALANCE, RecordRow.until_us.is_(None), RecordRow.amount_e6.is_not(None), RecordRow.zone != ""
    )
    for each in connection.execute(rows.order_by(RecordRow.at_us, RecordRow.id)):
        if (
            '"available"' not in each.fields and '"forward"' not in each.fields
        ):  # what can be spent is not what is booked
            when = (each.at_us + offset_us(each.zone)) // DAY_US
            found[each.source_id, each.account, each.unit][when] = each.amount_e6
    return found


def gaps(balance: Mapping[int, int], tally: Tally, unit: str) -> list[Gap]:
    """The times between balances in which the rows do not come to the difference."""
    days = sorted(balance)
    found = []
    for first, last in pairwise(days):
        said = balance[last] - balance[first]
        inside = sum(amount for each, amount in tally.sums.items() if first < each < last)
        begin, end = tally.sums.get(first, 0), tally.sums.get(last, 0)
        # a bank may state a balance before or after what it books on that day
        if said not in {inside, inside + end, inside + begin, inside + begin + end}:
            found.append(Gap(first, last, said, inside + end, unit))
    return found


def agreeing(said: Mapping[tuple[int, str, str], Mapping[int, int]], what: Mapping[What, Tally]) -> Light:
    """The light of one source's transactions, which may be of several accounts."""
    pairs, wrong = 0, list[Gap]()
    for each, tally in what.items():
        balance = said.get((each.source_id, each.account, each.unit), {})
        pairs += max(0, len(balance) - 1)
        wrong += gaps(balance, tally, each.unit)
    any_balance = any(said.get((each.source_id, each.account, each.unit)) for each in what)
    if wrong:
        more = f" (and {len(wrong) - MOST_SHOWN} more times)" if len(wrong) > MOST_SHOWN else ""
        why = "; ".join(gap.text for gap in wrong[-MOST_SHOWN:]) + more
        step = "Fetch the statement of those days from the bank again and import it"
        return Light(
            NAME,
            Colour.RED,
            why[0].upper() + why[1:] + ".",
            f"{step}; or look for rows that were rejected or withdrawn.",
        )
    if pairs:
        times = "once" if pairs == 1 else f"{pairs} times"
        return Light(NAME, Colour.GREEN, f"The rows come to what the bank’s own balances say, checked {times}.")
    if any_balance:
        return Light(
            NAME, Colour.GREY, "The bank stated one balance so far.", "Import the next statement: two balances tell."
        )
    return Light(
        NAME,
        Colour.GREY,
        "The bank’s files state no balance to compare with.",
        "A statement that states its balance would tell; an OFX file from the bank’s page often does.",
    )


def _amount(amount_e6: int) -> str:
    return f"{amount_of(amount_e6) or Decimal(0):,f}".replace("-", "\N{MINUS SIGN}")
