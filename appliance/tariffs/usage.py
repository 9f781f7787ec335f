"""What costs are worked out from: usage by quarter-hours, and the prices of an index."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from appliance.errors import UserError
from appliance.tariffs.amounts import Array, largest
from appliance.tariffs.local import days
from appliance.tariffs.week import SLOTS

QUARTER_MS = 900_000
MOST_QUARTERS = 5_000_000  # 142 years


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """What was used in each quarter-hour from `first` on (numbered since 1970 UTC): `totals[i] * 10**exponent` units.

    `missing` and `estimated` say of each quarter whether nothing is known of it (its total is 0), or only an estimate.
    """

    first: int
    totals: Array
    exponent: int
    missing: Array
    estimated: Array
    unit: str = "kWh"
    _slots: dict[tuple[str, bool, int, int], Array] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.totals) * largest(self.totals) >= 2**62:
            raise UserError("The readings add up to more than this box can count; look for a value that cannot be true")

    @classmethod
    def of(
        cls,
        quarters: Array,
        totals: Array,
        exponent: int,
        begin: int,
        end: int,
        *,
        estimated: Array | None = None,
        unit: str = "kWh",
    ) -> "Usage":
        """The quarters in [begin, end), of which those in `quarters` have a reading: rising, as rollups have them.

        `estimated`: of each of `quarters` whether it is an estimate (a rollup's `cuts`).
        """
        if not 0 <= end - begin <= MOST_QUARTERS:
            raise UserError(
                f"A span of {end - begin:,} quarter-hours cannot be costed; ask for one that ends after it begins"
            )
        dense, missing, guessed = (
            np.zeros(end - begin, np.int64),
            np.ones(end - begin, bool),
            np.zeros(end - begin, bool),
        )
        inside = (quarters >= begin) & (quarters < end)
        places = quarters[inside] - begin
        dense[places] = totals[inside]
        missing[places] = False
        if estimated is not None and len(estimated):
            guessed[places] = estimated[inside] != 0
        return cls(begin, dense, exponent, missing, guessed, unit)

    @property
    def end(self) -> int:
        """The quarter after the last."""
        return self.first + len(self.totals)

    def within(self, first: int, end: int) -> "Usage":
        """The same of the quarters [first, end) alone, of which it tells."""
        chosen = slice(first - self.first, end - self.first)
        return replace(
            self,
            first=first,
            totals=self.totals[chosen],
            missing=self.missing[chosen],
            estimated=self.estimated[chosen],
        )

    def total(self, chosen: slice | Array = slice(None)) -> Decimal:
        """What was used in all quarters, or in those that are chosen, exactly."""
        return Decimal(int(self.totals[chosen].sum())).scaleb(self.exponent)

    def by_slots(self, zone: str, utc_clock: bool, begin: int, end: int) -> Array:
        """What was used in [begin, end), added up by local days and quarter-hours of the day by the clock."""
        key = zone, utc_clock, begin, end
        if key not in self._slots:
            calendar = days(zone, begin, end - begin, utc_clock)
            found = np.zeros(len(calendar) * SLOTS, np.int64)
            np.add.at(found, calendar.day * SLOTS + calendar.slot, self.totals[begin - self.first : end - self.first])
            self._slots[key] = found.reshape(-1, SLOTS)
        return self._slots[key]


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """An index's price in each quarter-hour from `first` on: `values[i] * 10**exponent`, a kWh, where it is `known`."""

    first: int
    values: Array
    exponent: int
    known: Array
    currency: str

    @classmethod
    def of(
        cls, starts_ms: Sequence[int] | Array, minutes: int, values: Sequence[int] | Array, exponent: int, currency: str
    ) -> "Prices":
        """Prices of intervals of so many minutes (15, 30, 60), which begin at milliseconds since 1970 UTC.

        Prices a MWh are those a kWh with an exponent lower by 3. `UserError` where two are of one quarter-hour.
        """
        starts, prices = np.asarray(starts_ms, np.int64), np.asarray(values, np.int64)
        if minutes not in (15, 30, 60) or (starts % QUARTER_MS).any() or len(starts) != len(prices):
            raise UserError(
                f"Prices of an index are for 15, 30 or 60 minutes from a quarter-hour on, not for {minutes}"
            )
        if not len(starts):
            return cls(0, np.zeros(0, np.int64), exponent, np.zeros(0, bool), currency)
        quarters = (starts[:, None] // QUARTER_MS + np.arange(minutes // 15)).ravel()
        first, count = int(quarters.min()), int(quarters.max() - quarters.min()) + 1
        if count > MOST_QUARTERS or len(np.unique(quarters)) < len(quarters):
            raise UserError("The prices of an index have two for one quarter-hour; keep the one that holds")
        dense, known = np.zeros(count, np.int64), np.zeros(count, bool)
        dense[quarters - first] = np.repeat(prices, minutes // 15)
        known[quarters - first] = True
        return cls(first, dense, exponent, known, currency)

    def within(self, begin: int, end: int) -> tuple[Array, Array]:
        """The values in [begin, end), and which of them are known; 0 where not."""
        values, known = np.zeros(end - begin, np.int64), np.zeros(end - begin, bool)
        low, high = max(begin, self.first), min(end, self.first + len(self.values))
        if low < high:
            values[low - begin : high - begin] = self.values[low - self.first : high - self.first]
            known[low - begin : high - begin] = self.known[low - self.first : high - self.first]
        return np.where(known, values, 0), known
