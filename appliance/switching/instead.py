"""What if: a battery at home, or some of what is used moved to the cheapest hours."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from functools import cached_property

import numpy as np

from appliance import tariffs as engine
from appliance.errors import UserError
from appliance.switching.battery import KEPT, Battery
from appliance.switching.margins import Floats, margins
from appliance.switching.year import Year
from appliance.tariffs import Prices, Tariff, Usage
from appliance.tariffs.local import Days
from appliance.tariffs.local import days as local_days

CHEAPEST = 12  # quarter-hours to which something is moved
FROM_SLOT, TO_SLOT = 28, 88  # from between 07:00 and 22:00
MOST_MOVED = 0.5  # of what is used between these
MOST_KWH = Decimal(1000)


def _is_odd(value: Decimal) -> bool:
    return not value.is_finite() or not 0 <= value <= MOST_KWH


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A battery of so many kWh (which charges and discharges at most at half of that in kW, unless said), and so many
    kWh of each day moved to its cheapest hours. UserError where these are not possible.
    """

    battery_kwh: Decimal = Decimal(0)
    battery_kw: Decimal | None = None
    moved_kwh: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        power = {} if self.battery_kw is None else {"its power": self.battery_kw}
        said = {"a battery": self.battery_kwh, **power, "what is moved": self.moved_kwh}
        wrong = [
            f"{name} of {value}: write a number from 0 to {MOST_KWH}" for name, value in said.items() if _is_odd(value)
        ]
        if wrong:
            raise UserError(wrong)

    @property
    def power_kw(self) -> Decimal:
        return self.battery_kwh / 2 if self.battery_kw is None else self.battery_kw

    def __bool__(self) -> bool:
        return bool(self.battery_kwh or self.moved_kwh)

    @property
    def words(self) -> str:
        """As in: with a battery of 5 kWh, and 2 kWh a day moved to the cheapest hours."""
        battery = f"with a battery of {self.battery_kwh:f} kWh" if self.battery_kwh else ""
        moved = f"{self.moved_kwh:f} kWh a day moved to the cheapest hours" if self.moved_kwh else ""
        return ", and ".join(each for each in (battery, f"with {moved}" if moved and not battery else moved) if each)

    @property
    def assumptions(self) -> list[str]:
        found = []
        if self.moved_kwh:
            found.append(
                f"{self.moved_kwh:f} kWh of each day (at most half of what is used then) are moved from between 07:00 "
                f"and 22:00, from all hours alike, to the {CHEAPEST} quarter-hours that are cheapest under the tariff"
            )
        if self.battery_kwh:
            found.append(
                f"a battery of {self.battery_kwh:f} kWh charges and discharges at {self.power_kw:f} kW at most, and "
                f"gives back {KEPT:.0%} of what goes in. Every day begins and ends with it empty: it takes what would "
                "be fed in, then charges in the cheapest quarter-hours, and is used in the dearest ones later in the "
                "day, where that pays. It feeds nothing in, and knows the day's prices and use beforehand, as no "
                "battery quite does"
            )
            found.append("what the battery costs to buy is not counted")
        return found


NOTHING = WhatIf()


@dataclass(frozen=True, slots=True, eq=False)
class FedIn:
    """What is fed in in a year, and on which tariff (None: it earns nothing)."""

    usage: Usage
    tariff: Tariff | None
    prices: Mapping[str, Prices]


@dataclass(frozen=True, eq=False)
class Instead:
    """A year of which something is supposed to be otherwise."""

    what_if: WhatIf
    year: Year
    zone: tzinfo
    fed_in: FedIn | None

    def changed(self, usage: Usage, tariff: Tariff, prices: Mapping[str, Prices]) -> tuple[Usage, Decimal]:
        """What is used instead under a tariff, and how much less is earned by feeding in."""
        inside = slice(self.year.first - usage.first, self.year.end - usage.first)
        unit_kwh = 10.0**usage.exponent
        before = self._days(usage.totals[inside] * unit_kwh, 0.0)
        price = self._days(margins(tariff, prices, self.year.first, self.year.end - self.year.first), np.inf)
        load, lost = before, Decimal(0)
        if self.what_if.moved_kwh:
            load = _moved(load, price, self._is_by_day, float(self.what_if.moved_kwh))
        if self.what_if.battery_kwh:
            battery = Battery(float(self.what_if.battery_kwh), float(self.what_if.power_kw) / 4)
            drawn, taken = battery.run(load, price, self._spare, self._earned)
            load, lost = load + drawn, self._lost(taken)
        totals = usage.totals.copy()
        more = (load - before)[self._place] / unit_kwh
        totals[inside] += np.rint(more).astype(np.int64)
        return Usage(usage.first, totals, usage.exponent, usage.missing, usage.estimated, usage.unit), lost

    @cached_property
    def _calendar(self) -> Days:
        return local_days(str(self.zone), self.year.first, self.year.end - self.year.first)

    @cached_property
    def _place(self) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int64]], ...]:
        """Of each quarter its day and its place in it."""
        day = self._calendar.day
        return day, np.arange(len(day)) - self._calendar.starts[day]

    def _days(self, values: Floats, otherwise: float) -> Floats:
        """Days as rows, their quarter-hours as columns."""
        day, place = self._place
        found = np.full((len(self._calendar), int(place.max()) + 1), otherwise)
        found[day, place] = values
        return found

    @cached_property
    def _is_by_day(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        slot = self._calendar.slot
        return self._days(np.where((slot >= FROM_SLOT) & (slot < TO_SLOT), 1.0, 0.0), 0.0)

    @cached_property
    def _spare(self) -> Floats:
        count = self.year.end - self.year.first
        if self.fed_in is None:
            return self._days(np.zeros(count), 0.0)
        return self._days(self.fed_in.usage.totals * 10.0**self.fed_in.usage.exponent, 0.0)

    @cached_property
    def _earned(self) -> Floats:
        count = self.year.end - self.year.first
        if self.fed_in is None or self.fed_in.tariff is None:
            return self._days(np.zeros(count), 0.0)
        return -self._days(margins(self.fed_in.tariff, self.fed_in.prices, self.year.first, count), 0.0)

    def _lost(self, taken: Floats) -> Decimal:
        """What feeding in earns less."""
        if self.fed_in is None or self.fed_in.tariff is None or not taken.any():
            return Decimal(0)
        usage = self.fed_in.usage
        left = usage.totals - np.rint(taken[self._place] / 10.0**usage.exponent).astype(np.int64)
        after = Usage(usage.first, left, usage.exponent, usage.missing, usage.estimated, usage.unit)
        costs = (engine.cost(self.fed_in.tariff, each, self.fed_in.prices) for each in (usage, after))
        before, then = (each.total for each in costs)
        return then - before


def _moved(load: Floats, price: Floats, by_day: Floats, moved_kwh: float) -> Floats:
    """The same use, with some of each day's in its cheapest quarters."""
    order = np.argsort(price, axis=1, kind="stable")[:, :CHEAPEST]
    cheapest = np.zeros(load.shape, bool)
    np.put_along_axis(cheapest, order, True, 1)
    movable = load * by_day * ~cheapest
    there = movable.sum(1, keepdims=True)
    moved = np.minimum(moved_kwh, MOST_MOVED * there)
    part = np.divide(moved, there, out=np.zeros_like(there), where=there > 0)
    return np.asarray(load - movable * part + cheapest * moved / CHEAPEST)
