"""What is not found in a supply, and what it takes to know it."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from appliance.insight.found import Insight, Lack
from appliance.insight.loads import FEWEST_NIGHTS
from appliance.insight.weather import FEWEST_DAYS

YEAR = timedelta(days=365)


def lacking(found: Insight, begun: date, sun: Sequence[str], *, has_cold: bool, has_grid: bool) -> Iterator[Lack]:
    """What nothing is said of. `begun`: the first day that was read; `sun`: why nothing is known of it, where some of
    it is measured; whether the outside temperature, and how clean the grid is, are known of the span.
    """
    supply, unit = found.supply, found.supply.unit
    is_used = supply.direction != "export"
    if unit == "kWh" and is_used and found.baseload is None:
        yield Lack("Always on", f"it takes {FEWEST_NIGHTS} nights read by the hour or finer")
    if found.year is None:
        yield Lack("A year before", _year(found, begun))
    if is_used and found.degree_days is None:
        yield Lack("The cold", _cold(has_cold=has_cold))
    if supply.supply == "electricity" and is_used:
        if found.solar is None:
            yield Lack("The sun", "; ".join(sun) or "no meter says what panels make and what is fed in")
        if not found.appliances:
            yield Lack("Appliances", "no plug that counts what one of them uses told of these days")
        if found.carbon is None:
            yield Lack("Carbon", _carbon(has_grid=has_grid))


def _year(found: Insight, begun: date) -> str:
    if begun > found.first - YEAR:
        return f"the first reading is of {begun}; from {begun + YEAR} on there is a year before to compare with"
    return "no day was wholly read in both years"


def _cold(*, has_cold: bool) -> str:
    if has_cold:
        return f"what is used does not follow the outside temperature, or fewer than {FEWEST_DAYS} days have both"
    return "no outside temperature of these days is here; import a file of daily weather, or connect a sensor"


def _carbon(*, has_grid: bool) -> str:
    if has_grid:
        return "no quarter-hour has both a reading and the grid's intensity"
    return "nothing says how clean the grid was on these days; import a file of its carbon intensity"
