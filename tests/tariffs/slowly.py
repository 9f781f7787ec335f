"""What usage costs, worked out slowly and plainly: each quarter-hour by itself, in fractions, by Python's own clock."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from math import floor
from zoneinfo import ZoneInfo

from appliance.tariffs import (
    Capacity,
    Charge,
    Discount,
    Dynamic,
    Levy,
    Rates,
    Standing,
    Tariff,
    Tax,
    Tiers,
    Times,
)

QUARTER = timedelta(minutes=15)
SHARES = 10**10  # shares of a month or a year are whole numbers of this part of the currency

Usage = Mapping[int, Fraction]  # by quarter-hour since 1970, where there is a reading
Prices = Mapping[str, Mapping[int, Fraction]]
Place = tuple[int, str]  # of a charge, and its band


@dataclass
class Sums:
    """Amounts by charge, band and local day; quarters without a rate, and without a price."""

    amounts: dict[Place, dict[date, Fraction]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Fraction))
    )
    no_rate: set[int] = field(default_factory=set)
    no_price: set[int] = field(default_factory=set)

    def total(self) -> Fraction:
        return sum((amount for days in self.amounts.values() for amount in days.values()), Fraction(0))

    def by_day(self) -> dict[date, Fraction]:
        found: dict[date, Fraction] = defaultdict(Fraction)
        for days in self.amounts.values():
            for day, amount in days.items():
                found[day] += amount
        return found


def cost(tariff: Tariff, usage: Usage, prices: Prices, first: int, begin: int, end: int) -> Sums:
    """What [begin, end) costs, where readings begin with `first`."""
    sums, peaks = Sums(), _peaks(usage, tariff.zone)
    counted: dict[tuple[int, object], Fraction] = defaultdict(Fraction)
    for quarter in range(first, end):
        at = _local(quarter, tariff.zone)
        clock = _local(quarter, "UTC") if tariff.clock == "UTC" else at
        held = set()
        for place, charge in enumerate(tariff.charges):
            used = usage.get(quarter, Fraction(0))
            if isinstance(charge, Tiers):
                period = _period(at.date(), charge.period)
                before, counted[place, period] = counted[place, period], counted[place, period] + used
            if quarter < begin or not (_holds(charge, at.date()) and _holds(tariff, at.date())):
                continue
            if isinstance(charge, Rates | Dynamic | Tiers):
                held.add(charge.name)
            sign = -1 if tariff.direction == "export" else 1
            if isinstance(charge, Rates):
                _add_rate(sums, charge, place, at.date(), clock, quarter, used * sign)
            elif isinstance(charge, Dynamic):
                _add_dynamic(sums, charge, place, at.date(), prices.get(charge.index, {}), quarter, used * sign)
            elif isinstance(charge, Tiers):
                _add_tiers(sums, charge, place, at.date(), before, before + used, sign)
            elif isinstance(charge, Levy):
                sums.amounts[place, ""][at.date()] += used * Fraction(charge.price)
            elif _opens_a_day(quarter, tariff.zone):
                _add_day(sums, charge, place, at.date(), peaks)
        names = {charge.name for charge in tariff.charges if isinstance(charge, Rates | Dynamic | Tiers)}
        if quarter >= begin and (held != names or not names):
            sums.no_rate.add(quarter)
    _add_percentages(sums, tariff)
    return sums


@lru_cache(maxsize=200_000)
def _local(quarter: int, zone: str) -> datetime:
    return datetime.fromtimestamp(quarter * 900, UTC).astimezone(ZoneInfo(zone))


def _holds(dated: Charge | Tariff, day: date) -> bool:
    return (dated.from_day or date.min) <= day < (dated.until_day or date.max)


def _opens_a_day(quarter: int, zone: str) -> bool:
    return _local(quarter - 1, zone).date() != _local(quarter, zone).date()


def _period(day: date, period: str) -> object:
    return {"day": day, "month": (day.year, day.month), "quarter": (day.year, (day.month - 1) // 3), "year": day.year}[
        period
    ]


def _add_rate(sums: Sums, charge: Rates, place: int, day: date, at: datetime, quarter: int, used: Fraction) -> None:
    for rate in charge.rates:
        if any(_is_in(times, day, at) for times in rate.times):
            break
    else:
        always = [rate for rate in charge.rates if not rate.times]
        if not always:
            sums.no_rate.add(quarter)
            return
        (rate,) = always
    sums.amounts[place, rate.band][day] += used * Fraction(rate.price)


def _is_in(times: Times, day: date, at: datetime) -> bool:
    minute = at.hour * 60 + at.minute
    begin, end = times.from_minute, times.until_minute
    in_hours = begin <= minute < end if begin < end else minute >= begin or minute < end
    in_season = True
    if times.season is not None:
        now, opens, closes = f"{day:%m-%d}", times.season.from_day, times.season.until_day
        in_season = opens <= now < closes if opens < closes else now >= opens or now < closes
    return in_hours and in_season and (not times.days or f"{day:%A}".lower() in times.days)


def _add_dynamic(
    sums: Sums, charge: Dynamic, place: int, day: date, index: Mapping[int, Fraction], quarter: int, used: Fraction
) -> None:
    if quarter not in index:
        sums.no_price.add(quarter)
        return
    price = index[quarter] * Fraction(charge.factor) + Fraction(charge.addition)
    if charge.floor is not None:
        price = max(price, Fraction(charge.floor))
    if charge.cap is not None:
        price = min(price, Fraction(charge.cap))
    sums.amounts[place, charge.band][day] += used * price


def _add_tiers(sums: Sums, charge: Tiers, place: int, day: date, before: Fraction, after: Fraction, sign: int) -> None:
    edges = [Fraction(tier.up_to) for tier in charge.tiers if tier.up_to is not None]
    for tier, low, high in zip(charge.tiers, [None, *edges], [*edges, None], strict=True):
        part = _between(after, low, high) - _between(before, low, high)
        sums.amounts[place, tier.band][day] += part * Fraction(tier.price) * sign


def _between(count: Fraction, low: Fraction | None, high: Fraction | None) -> Fraction:
    if high is not None and count > high:
        return high
    return low if low is not None and count < low else count


def _add_day(sums: Sums, charge: Charge, place: int, day: date, peaks: Mapping[int, Fraction]) -> None:
    if isinstance(charge, Standing):
        sums.amounts[place, ""][day] += _share(Fraction(charge.price), charge.period, day)
    if isinstance(charge, Discount) and charge.amount is not None:
        if charge.period != "once":
            sums.amounts[place, ""][day] += _share(-Fraction(charge.amount), charge.period, day)
        elif day == charge.from_day:
            sums.amounts[place, ""][day] -= Fraction(charge.amount)
    if isinstance(charge, Capacity):
        price = Fraction(charge.price) * _mean_peak(charge, day, peaks)
        sums.amounts[place, ""][day] += _share(price, charge.period, day)


def _share(price: Fraction, period: str, day: date) -> Fraction:
    if period == "day":
        return price
    begin = day.replace(day=1) if period == "month" else date(day.year, 1, 1)
    end = (begin + timedelta(days=32 if period == "month" else 367)).replace(day=1)
    length, place = (end - begin).days, (day - begin).days
    cut = [floor(price * SHARES * each / length) for each in (place, place + 1)]
    return Fraction(cut[1] - cut[0], SHARES)


def _peaks(usage: Usage, zone: str) -> dict[int, Fraction]:
    """The highest power of each month, in kW, by months since the year 0."""
    found: dict[int, Fraction] = {}
    for quarter, used in usage.items():
        at = _local(quarter, zone)
        month = at.year * 12 + at.month
        found[month] = max(used * 4, found.get(month, used * 4))
    return found


def _mean_peak(charge: Capacity, day: date, peaks: Mapping[int, Fraction]) -> Fraction:
    month, least = day.year * 12 + day.month, Fraction(charge.minimum)
    known = [max(peaks[each], least) for each in range(month - charge.months + 1, month + 1) if each in peaks]
    return sum(known, Fraction(0)) / len(known) if known else least


def _add_percentages(sums: Sums, tariff: Tariff) -> None:
    kinds = dict(enumerate(tariff.charges))
    for wanted in (Discount, Tax):
        for place, charge in enumerate(tariff.charges):
            if not isinstance(charge, Discount | Tax) or not isinstance(charge, wanted) or charge.percent is None:
                continue
            base: dict[date, Fraction] = defaultdict(Fraction)
            for (other, _), days in list(sums.amounts.items()):
                left_out = (Discount, Tax) if wanted is Discount else (Tax,)
                if kinds[other].name in charge.on if charge.on else not isinstance(kinds[other], left_out):
                    for day, amount in days.items():
                        base[day] += amount
            sign = -1 if wanted is Discount else 1
            for day, amount in base.items():
                if _holds(charge, day) and _holds(tariff, day):
                    sums.amounts[place, ""][day] += amount * Fraction(charge.percent) / 100 * sign
