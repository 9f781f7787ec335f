"""What one unit more costs in each quarter-hour under a tariff: by this it is decided when something is done.

These are floats, and decide only that: what it then costs is worked out exactly.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from appliance.tariffs import Charge, Discount, Dynamic, Levy, Prices, Rates, Tariff, Tax, Tiers
from appliance.tariffs.local import Days
from appliance.tariffs.local import days as local_days
from appliance.tariffs.week import NONE, week

Floats = NDArray[np.float64]


def margins(tariff: Tariff, prices: Mapping[str, Prices], first: int, count: int) -> Floats:
    """The price of a unit in each of `count` quarter-hours from `first` on, with taxes; below nought where it earns.

    The tariff is one as it holds (without dates). Of tiers it is the first's; an index without a price has its mean.
    """
    calendar = local_days(tariff.zone, first, count, tariff.clock == "UTC")
    sign = -1 if tariff.direction == "export" else 1
    by_name = dict[str, Floats]()
    for charge in tariff.charges:
        if isinstance(charge, Levy):
            by_name[charge.name] = np.full(count, float(charge.price))
        elif (price := _unit_price(charge, calendar, prices, first)) is not None:
            by_name[charge.name] = sign * price
    return _with_percentages(tariff.charges, by_name, count)


def _unit_price(charge: Charge, calendar: Days, prices: Mapping[str, Prices], first: int) -> Floats | None:
    count = len(calendar.day)
    if isinstance(charge, Tiers):
        return np.full(count, float(charge.tiers[0].price))
    if isinstance(charge, Rates):
        table = week(charge.rates)
        holding = table.rate[table.part[calendar.leap_day], calendar.weekday][calendar.day, calendar.slot]
        each = np.array([*(float(rate.price) for rate in charge.rates), 0.0])  # the last, of NONE, is nought
        return each[np.where(holding == NONE, len(charge.rates), holding)]
    if isinstance(charge, Dynamic):
        index = prices.get(charge.index)
        if index is None:
            return np.zeros(count)
        values, known = index.within(first, first + count)
        price = values.astype(np.float64) * 10.0**index.exponent
        price = np.where(known, price, price[known].mean() if known.any() else 0.0)
        price = price * float(charge.factor) + float(charge.addition)
        floor, cap = (
            end if each is None else float(each) for each, end in ((charge.floor, -np.inf), (charge.cap, np.inf))
        )
        return np.clip(price, floor, cap)
    return None


def _with_percentages(charges: Iterable[Charge], by_name: Mapping[str, Floats], count: int) -> Floats:
    """Discounts first, then taxes in their order, as they are reckoned on a bill."""
    discounts, taxes = dict[str, Floats](), dict[str, Floats]()

    def on(names: tuple[str, ...], known: Mapping[str, Floats]) -> Floats:
        return sum((price for name, price in known.items() if not names or name in names), np.zeros(count))

    for charge in charges:
        if isinstance(charge, Discount) and charge.percent is not None:
            discounts[charge.name] = on(charge.on, by_name) * -float(charge.percent) / 100
    for charge in charges:
        if isinstance(charge, Tax):
            known = {**by_name, **discounts, **(taxes if charge.on else {})}
            taxes[charge.name] = on(charge.on, known) * float(charge.percent) / 100
    return on((), {**by_name, **discounts, **taxes})
