"""Charges by days and by peaks: standing charges, discounts of an amount, capacity.

A day's share of a price a month or a year: of day i of n, floor(price x (i + 1) / n) - floor(price x i / n) in units of
10^-10, so that the days of a whole month or year add up to its price.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import numpy as np

from appliance.tariffs.amounts import Amounts, Array, decimal
from appliance.tariffs.charges import Capacity, Discount, Standing
from appliance.tariffs.costs import Line
from appliance.tariffs.ground import Ground

SHARE_EXPONENT = -10


def standing(ground: Ground, place: int, charge: Standing, active: Array) -> Iterator[Line]:
    """One line, of the days that begin in the span."""
    yield _by_days(ground, place, active, charge.price, charge.period)


def discount(ground: Ground, place: int, charge: Discount, active: Array) -> Iterator[Line]:
    """One line, of a discount of an amount."""
    if charge.amount is None:
        return
    price = -charge.amount
    if charge.period != "once":
        yield _by_days(ground, place, active, price, charge.period)
        return
    chosen = active & ground.days.opens & np.array([day == charge.from_day for day in ground.dates()])
    if chosen.any():
        amounts = Amounts(np.where(chosen, 1, 0), 0).times(price)
        yield ground.line(place, chosen, amounts, quantity=Decimal(1), unit="", price=price, per="once")


def capacity(ground: Ground, place: int, charge: Capacity, active: Array) -> Iterator[Line]:
    """A line for each month, of the mean of its peak and those of the months before as far as there are readings."""
    peaks = _peaks(ground, charge.minimum)
    months = ground.days.month
    for month in sorted(set(months[active].tolist())):
        counted = [peaks[each] for each in range(month - charge.months + 1, month + 1) if each in peaks]
        if not counted:
            ground.remarks.append(f"No reading of {_name(month)} nor of the months before tells its peak of power")
            counted = [Fraction(charge.minimum)]
        elif len(counted) < charge.months:
            ground.remarks.append(
                f"The peak of {_name(month)} is the mean of {len(counted)} of {charge.months} months: of the others "
                "there is no reading"
            )
        mean = sum(counted, Fraction(0)) / len(counted)
        days = active & (months == month)
        amounts = _shares(ground, days, Fraction(charge.price) * mean, charge.period)
        yield ground.line(
            place,
            days,
            amounts,
            quantity=decimal(round(mean * 10**-SHARE_EXPONENT), SHARE_EXPONENT),
            unit="kW",
            price=charge.price,
            per=f"kW a {charge.period}",
        )


def _peaks(ground: Ground, minimum: Decimal) -> dict[int, Fraction]:
    """The highest mean power of a quarter-hour in each month of which the usage has a reading, in kW."""
    usage, every = ground.usage, ground.every_day
    first = np.flatnonzero(np.diff(every.month, prepend=every.month[0] - 1))
    starts = every.starts[first]
    highest = np.maximum.reduceat(usage.totals, starts)
    known = np.add.reduceat(~usage.missing, starts, dtype=np.int64)
    unit = Fraction(10) ** usage.exponent
    return {
        month: max(Fraction(peak * 4) * unit, Fraction(minimum))
        for month, peak, readings in zip(every.month[first].tolist(), highest.tolist(), known.tolist(), strict=True)
        if readings
    }


def _by_days(ground: Ground, place: int, active: Array, price: Decimal, period: str) -> Line:
    amounts = _shares(ground, active, Fraction(price), period)
    count = Decimal(int((active & ground.days.opens).sum()))
    return ground.line(place, active, amounts, quantity=count, unit="day", price=price, per=period)


def _shares(ground: Ground, active: Array, price: Fraction, period: str) -> Amounts:
    """Each active day's share of a price for a period, where the day begins in the span."""
    price = price / Fraction(10) ** SHARE_EXPONENT
    chosen = np.flatnonzero(active & ground.days.opens)
    if period == "day":
        found = [price.numerator // price.denominator] * len(chosen)
    else:
        places, lengths = (column[chosen].tolist() for column in ground.days.place(period))
        found = [
            price.numerator * (place + 1) // (price.denominator * length)
            - price.numerator * place // (price.denominator * length)
            for place, length in zip(places, lengths, strict=True)
        ]
    small = all(abs(each) < 2**62 for each in found)
    values = np.zeros(len(active), np.int64 if small else object)
    values[chosen] = found
    return Amounts(values, SHARE_EXPONENT)


def _name(month: int) -> str:
    return f"{1970 + month // 12}-{month % 12 + 1:02}"
