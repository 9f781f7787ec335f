"""What all charges of one tariff are worked out on: the span's local days, what was used on each, what is missing."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np

from appliance.tariffs.amounts import Amounts, Array
from appliance.tariffs.charges import KINDS, Charge, Dated, Dynamic, Rates, Tiers
from appliance.tariffs.costs import Line, Marks, day_of
from appliance.tariffs.local import Days, days
from appliance.tariffs.tariff import Tariff
from appliance.tariffs.usage import Prices, Usage

_EPOCH = date(1970, 1, 1)
_KIND_OF = {model: name for name, model in KINDS.items()}


class Ground:
    """The quarters [begin, end) of a usage under a tariff; collects marks while its charges are worked out."""

    def __init__(self, tariff: Tariff, usage: Usage, prices: Mapping[str, Prices], begin: int, end: int) -> None:
        self.tariff, self.usage, self.prices = tariff, usage, prices
        self.begin, self.end = begin, end
        self._utc_clock = tariff.clock == "UTC"
        self.days: Days = days(tariff.zone, begin, end - begin, self._utc_clock)
        self.remarks: list[str] = []
        self._held = {
            charge.name: np.zeros(len(self.days), bool)
            for charge in tariff.charges
            if isinstance(charge, Rates | Dynamic | Tiers)
        }
        self._no_rate = np.zeros((0, 0), bool)
        self._no_price = np.zeros(0, bool)

    @cached_property
    def totals(self) -> Array:
        """What was used in each quarter of the span, scaled."""
        return self.usage.totals[self.begin - self.usage.first : self.end - self.usage.first]

    @cached_property
    def by_slots(self) -> Array:
        """What was used on each local day in each quarter-hour by the clock, scaled."""
        return self.usage.by_slots(self.tariff.zone, self._utc_clock, self.begin, self.end)

    @cached_property
    def by_day(self) -> Amounts:
        """What was used on each local day."""
        return Amounts(self.by_slots.sum(1), self.usage.exponent)

    @cached_property
    def every_day(self) -> Days:
        """The local days of the whole usage, those before the span too."""
        return days(self.tariff.zone, self.usage.first, len(self.usage.totals), False)

    @property
    def credited(self) -> int:
        """-1 where what is used earns money."""
        return -1 if self.tariff.direction == "export" else 1

    def active(self, dated: Dated) -> Array:
        """On which days a charge holds, and the tariff too."""
        numbers, found = self.days.number, np.ones(len(self.days), bool)
        for each in (dated, self.tariff):
            if each.from_day is not None:
                found &= numbers >= (each.from_day - _EPOCH).days
            if each.until_day is not None:
                found &= numbers < (each.until_day - _EPOCH).days
        return found

    def holds(self, name: str, active: Array) -> None:
        """Unit rates of that name hold on these days."""
        self._held[name] |= active

    def has_no_rate(self, slots: Array) -> None:
        """On these days, at these quarter-hours by the clock, a charge has none of its rates."""
        self._no_rate = self._no_rate | slots if self._no_rate.size else slots

    def has_no_price(self, quarters: Array) -> None:
        """In these quarters of the span an index has no price."""
        self._no_price = self._no_price | quarters if self._no_price.size else quarters

    def line(
        self,
        place: int,
        active: Array,
        amounts: Amounts,
        *,
        quantity: Decimal,
        unit: str,
        price: Decimal | None,
        per: str,
        band: str = "",
    ) -> Line:
        """A line of the charge at a place, which holds on the active days."""
        charge: Charge = self.tariff.charges[place]
        on = self.days.number[active]
        return Line(
            place,
            _KIND_OF[type(charge)],
            charge.name,
            band,
            day_of(int(on[0])),
            day_of(int(on[-1]) + 1),
            quantity,
            unit,
            price,
            per,
            amounts,
        )

    def dates(self) -> tuple[date, ...]:
        return tuple(self.days.number.astype("datetime64[D]").tolist())

    def marks(self) -> Marks:
        no_rate, no_price = self._quarters_without_rate(), self._no_price
        if not no_price.size:
            no_price = np.zeros(len(self.totals), bool)
        unpriced = int(self.totals[no_rate | no_price].sum())
        spanned = slice(self.begin - self.usage.first, self.end - self.usage.first)
        return Marks(
            no_reading=self._numbers(self.usage.missing[spanned]),
            estimated=self._numbers(self.usage.estimated[spanned]),
            no_rate=self._numbers(no_rate),
            no_price=self._numbers(no_price),
            unpriced=Amounts(np.array([unpriced]), self.usage.exponent).total(),
            remarks=tuple(dict.fromkeys(self.remarks)),
        )

    def _quarters_without_rate(self) -> Array:
        without = ~_all(self._held.values(), len(self.days))
        if not without.any() and not self._no_rate.any():
            return np.zeros(len(self.totals), bool)
        found: Array = without[self.days.day]
        return found | self._no_rate[self.days.day, self.days.slot] if self._no_rate.size else found

    def _numbers(self, chosen: Array) -> Array:
        return np.flatnonzero(chosen) + self.begin


def _all(held: Iterable[Array], count: int) -> Array:
    """Where every one holds; nowhere where there is none."""
    every = list(held)
    return np.logical_and.reduce(every) if every else np.zeros(count, bool)
