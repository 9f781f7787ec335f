"""A supply's quarter-hours with their local calendar, which everything in here looks at."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from appliance.derive.rollups import QUARTER_MS
from appliance.ingest.meter_places import day_ms
from appliance.tariffs import Usage
from appliance.tariffs.amounts import Array
from appliance.tariffs.local import Days, days

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class Measured:
    """Usage of whole local days: of each quarter-hour whether it was measured by itself, and of each day its total."""

    usage: Usage
    zone: tzinfo

    @property
    def totals(self) -> Array:
        return self.usage.totals

    @cached_property
    def local(self) -> Days:
        return days(str(self.zone), self.usage.first, len(self.usage.totals))

    @cached_property
    def known(self) -> NDArray[np.bool_]:
        """Quarters that were measured, and are no share of something longer."""
        return ~(self.usage.missing | self.usage.estimated)

    @cached_property
    def day_totals(self) -> Array:
        return np.add.reduceat(self.totals, self.local.starts)

    @cached_property
    def whole(self) -> NDArray[np.bool_]:
        """Days of which every quarter-hour was measured."""
        missing: Array = np.add.reduceat(self.usage.missing, self.local.starts, dtype=np.int64)
        return np.equal(missing, 0)

    def day(self, place: int) -> date:
        return _EPOCH + timedelta(days=int(self.local.number[place]))

    def at(self, place: int) -> datetime:
        """When a quarter-hour begins, in the zone."""
        return datetime.fromtimestamp((self.usage.first + place) * QUARTER_MS // 1000, self.zone)

    def decimal(self, value: float) -> Decimal:
        """An integer of the usage (or half of one) as what it stands for."""
        return Decimal(value).scaleb(self.usage.exponent)

    def watts(self, value: int) -> Decimal:
        """The mean power of a quarter-hour's total of kWh."""
        return Decimal(value * 4).scaleb(self.usage.exponent + 3)


def quarters(first: date, last: date, zone: tzinfo) -> tuple[int, int]:
    """The first quarter-hour of a local day, and the one past the last of another."""
    return day_ms(first, zone)[0] // QUARTER_MS, day_ms(last, zone)[1] // QUARTER_MS
