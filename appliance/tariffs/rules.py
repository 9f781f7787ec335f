"""What makes no sense in a tariff, in plain words, each with its place and the next step."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance.tariffs.charges import (
    Capacity,
    Charge,
    Dated,
    Discount,
    Rates,
    Season,
    Tax,
    Tiers,
    Times,
)
from appliance.tariffs.week import week

_LEAP_YEAR = 2024


def problems(charges: Sequence[Charge], zone: str, supply: str, tariff: Dated) -> list[str]:
    """Every problem of a tariff whose values are each as they must be. `tariff`: its own first day and last."""
    found = [*_zone(zone), *_dates("", tariff), *_versions(charges), *_references(charges)]
    for index, charge in enumerate(charges):
        where = f"charges[{index}]."
        found += [*_dates(where, charge), *_own(charge, where)]
        if isinstance(charge, Capacity) and supply != "electricity":
            found.append(f"{where}kind: {supply} has no quarter-hours of power to charge for; remove this charge")
    return found


def is_zone(name: str) -> bool:
    """Whether it is the name of a time zone."""
    try:
        return bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False


def _zone(zone: str) -> Iterator[str]:
    if not is_zone(zone):
        yield f"zone: {zone!r} is not a time zone; write one such as Europe/Brussels, or UTC"


def _dates(where: str, dated: Dated) -> Iterator[str]:
    begins, ends = dated.from_day, dated.until_day
    if begins and ends and ends <= begins:
        yield f"{where}until: {ends} is not after {begins}, on which it begins; write the day after its last"


def _versions(charges: Sequence[Charge]) -> Iterator[str]:
    """Charges of one name that hold on the same day."""
    by_name: dict[str, list[tuple[date, int]]] = {}
    for index, charge in enumerate(charges):
        by_name.setdefault(charge.name, []).append((charge.from_day or date.min, index))
    for name, versions in by_name.items():
        last: int | None = None
        for begins, index in sorted(versions):
            ends = charges[last].until_day if last is not None else begins
            if last is not None and (ends is None or begins < ends):
                yield (
                    f"charges[{index}].from: charges[{last}] is called {name!r} too and holds "
                    f"{f'until {ends}' if ends else 'for good'}; let one end where the other begins, or give one "
                    "another name"
                )
            if last is None or (ends is not None and (charges[index].until_day or date.max) > ends):
                last = index


def _references(charges: Sequence[Charge]) -> Iterator[str]:
    """Percentages on charges that are not there, or that are reckoned only after them."""
    reckoned = {charge.name for charge in charges if not isinstance(charge, Discount | Tax)}
    discounts = {charge.name for charge in charges if isinstance(charge, Discount)}
    taxes: set[str] = set()
    for index, charge in enumerate(charges):
        if not isinstance(charge, Discount | Tax):
            continue
        known = reckoned | (discounts | taxes - {charge.name} if isinstance(charge, Tax) else set())
        for place, name in enumerate(charge.on):
            if name not in known:
                yield (
                    f"charges[{index}].on[{place}]: {name!r} is no charge that this one can be taken on; write one of "
                    f"{', '.join(map(repr, sorted(known)))}"
                )
        if isinstance(charge, Tax):
            taxes.add(charge.name)


def _own(charge: Charge, where: str) -> Iterable[str]:
    if isinstance(charge, Rates):
        return _rates(charge, where)
    if isinstance(charge, Tiers):
        return _tiers(charge, where)
    return _discount(charge, where) if isinstance(charge, Discount) else ()


def _rates(charge: Rates, where: str) -> Iterator[str]:
    found = [
        problem
        for index, rate in enumerate(charge.rates)
        for place, times in enumerate(rate.times)
        for problem in _times(times, f"{where}rates[{index}].times[{place}].")
    ]
    yield from found
    always = [index for index, rate in enumerate(charge.rates) if not rate.times]
    for index in always[1:]:
        yield f"{where}rates[{index}].times: rates[{always[0]}] has none either; say when each of the two holds"
    if not found and (overlap := week(charge.rates).overlap):
        first, second, when = overlap
        yield (
            f"{where}rates[{second}].times: rates[{first}] holds at the same time, {when}; let one end where the other "
            "begins"
        )


def _times(times: Times, where: str) -> Iterator[str]:
    if times.from_minute == times.until_minute:
        yield f"{where}until: it is the same as from; leave both out where it is the whole day"
    if times.season is not None:
        yield from _season(times.season, f"{where}season.")


def _season(season: Season, where: str) -> Iterator[str]:
    for name, day in (("from", season.from_day), ("until", season.until_day)):
        try:
            date(_LEAP_YEAR, int(day[:2]), int(day[3:]))
        except ValueError:
            yield f"{where}{name}: {day!r} is not a day of the calendar; write month and day, such as '11-01'"
    if season.from_day == season.until_day:
        yield f"{where}until: it is the same as from; leave the season out where it is the whole year"


def _tiers(charge: Tiers, where: str) -> Iterator[str]:
    ends = [tier.up_to for tier in charge.tiers]
    if ends[-1] is not None:
        yield f"{where}tiers[{len(ends) - 1}].up_to: the last tier is for all that is beyond; take its end out"
    before = None
    for index, end in enumerate(ends[:-1]):
        if end is None:
            yield f"{where}tiers[{index}].up_to: it is missing; only the last tier has no end"
        elif end <= (before or 0):
            yield f"{where}tiers[{index}].up_to: {end} is not above {before or 0}, where it begins; write a larger one"
        before = end or before


def _discount(charge: Discount, where: str) -> Iterator[str]:
    if (charge.percent is None) == (charge.amount is None):
        yield f"{where}percent: state either a percentage or an amount"
    elif charge.amount is not None and charge.on:
        yield f"{where}on: an amount is not taken on other lines; take this out, or state a percentage"
    elif charge.amount is not None and charge.period == "once" and charge.from_day is None:
        yield f"{where}from: it is missing; state the day on which the amount is taken off"
