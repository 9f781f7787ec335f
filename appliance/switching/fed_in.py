"""What the household feeds in beside what it draws: a battery takes that first."""

from dataclasses import dataclass
from datetime import date, tzinfo

from appliance import supplies
from appliance.derive.rollups import QUARTER_MS
from appliance.errors import UserError
from appliance.ingest.meter_places import day_ms
from appliance.store.database import Store
from appliance.supplies import Supply
from appliance.switching.held import as_it_holds
from appliance.switching.instead import FedIn
from appliance.switching.year import Year

NO_TARIFF = "what is fed in is taken to earn nothing: on which tariff it is, is not known"


@dataclass(frozen=True, slots=True)
class Found:
    """What is fed in, None where nothing is, and what to say of it."""

    fed_in: FedIn | None
    told: tuple[str, ...]


def found(store: Store, supply: Supply, zone: tzinfo, on: date, year: Year, currency: str) -> Found:
    """What is fed in in the year beside a supply: by the same source, else by the only one that does."""
    every = [each for each in supplies.every(store, zone) if each.direction == "export"]
    own = [each for each in every if each.source == supply.source] or every
    if len(own) != 1:
        return Found(None, ("several meters count what is fed in, and none of it is counted",) if own else ())
    usage = supplies.usage(store, own[0], year.first, year.end, zone).quarters
    told = [f"what is fed in is what {own[0].name} counted"]
    if usage.missing.any():
        told.append(f"of what is fed in {usage.missing.mean():.0%} was not read, and counts as nothing")
    begin = day_ms(on, zone)[0] // QUARTER_MS
    with store.read() as connection:
        [term] = supplies.terms(connection, own[0], begin, begin + 1, zone)
        tariff = term.tariff.tariff if term.tariff else None
        held = as_it_holds(tariff, on, year.first_day) if tariff else None
        if held is None or held.currency != currency:
            return Found(FedIn(usage, None, {}), (*told, NO_TARIFF))
        return Found(FedIn(usage, held, supplies.prices(connection, held, year.first, year.end)), tuple(told))


def need_electricity(supply: Supply) -> None:
    """UserError where a supply is none that a battery could serve."""
    if supply.supply != "electricity" or supply.direction != "import":
        raise UserError(
            f"{supply.name}: a battery serves electricity that is drawn; name such a supply, or leave --battery out"
        )
