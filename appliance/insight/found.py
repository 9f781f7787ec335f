"""What is found in a supply's quarter-hours. Every number is exact, or its `METHOD` says how it comes about."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from appliance.supplies import Supply


@dataclass(frozen=True, slots=True)
class Baseload:
    """What is drawn always, and in the quietest moments; `nights` were looked at. `amount_year` is None where it is not
    known on which tariff it was.
    """

    METHOD: ClassVar[str] = (
        "Baseload: the value below which a tenth of the quarter-hours from midnight to 5 o'clock are, or a tenth of "
        "all where that is less and there are no panels. Standby: the lowest quarter-hour of each night, and the "
        "middle one of these. A year of it: 8,760 hours at the baseload. "
        "Its cost: what would not have been paid without it, scaled from the quarter-hours that were measured."
    )
    baseload_w: Decimal
    standby_w: Decimal
    nights: int
    kwh_year: Decimal
    share: Decimal | None  # of all that was used in the same quarter-hours, 0 to 1
    amount_year: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest mean power of a quarter-hour on a day, and when (in the zone of the days)."""

    METHOD: ClassVar[str] = "Peaks: the highest quarter-hour of a day, as mean power; what is an estimate is left out."
    at: datetime
    kw: Decimal


@dataclass(frozen=True, slots=True)
class Unusual:
    """A day on which more or less was used than on the same weekdays before it."""

    METHOD: ClassVar[str] = (
        "Unusual: a day that lies further from the median of the 8 same weekdays before it (of 4 at least) than 3.5 "
        "times what is usual, 1.4826 times their median absolute deviation (at least a twentieth of the median). Where "
        "use follows the outside temperature, what that explains is taken off first."
    )
    day: date
    used: Decimal
    usual: Decimal
    score: Decimal  # how many times what is usual; below nothing where less was used

    @property
    def more(self) -> Decimal:
        return self.used - self.usual


@dataclass(frozen=True, slots=True)
class Year:
    """The span against the same days a year before. Only days that were wholly measured in both years count; `left_out`
    are the others. Degree days are None where the outside temperature is not known on all of these days.
    """

    METHOD: ClassVar[str] = (
        "Year on year: the same days of the month a year before, as far as both were wholly measured; 29 February is "
        "left out."
    )
    first: date
    last: date
    days: int
    left_out: int
    used: Decimal
    used_before: Decimal
    degree_days: Decimal | None
    degree_days_before: Decimal | None

    @property
    def change(self) -> Decimal | None:
        """As a share of what was used before: 0.1 is a tenth more."""
        return (self.used - self.used_before) / self.used_before if self.used_before else None


@dataclass(frozen=True, slots=True)
class Solar:
    """What the sun gave in the quarter-hours in which all three were measured."""

    METHOD: ClassVar[str] = (
        "Solar: self-use is what was made less what was fed in, as a share of what was made; self-sufficiency is the "
        "same as a share of all that was used (bought and made, less fed in), in the quarter-hours in which all three "
        "were measured."
    )
    made: Decimal
    fed_in: Decimal
    bought: Decimal
    quarters: int

    @property
    def self_used(self) -> Decimal:
        return self.made - self.fed_in

    @property
    def consumed(self) -> Decimal:
        return self.bought + self.self_used

    @property
    def self_use(self) -> Decimal | None:
        return self.self_used / self.made if self.made else None

    @property
    def self_sufficiency(self) -> Decimal | None:
        return self.self_used / self.consumed if self.consumed else None


@dataclass(frozen=True, slots=True)
class Appliance:
    """What one appliance used on its plug. `share` is that of the supply in the same quarter-hours; `amount` is None
    where no tariff is known.
    """

    METHOD: ClassVar[str] = (
        "Appliances: what the plug counted; its cost is what the supply would have cost less without it, never less "
        "than nothing in a quarter-hour. Standby: the value below which a tenth of its quarter-hours are."
    )
    source: str
    role: str
    title: str
    used: Decimal
    share: Decimal | None
    standby_w: Decimal | None
    quarters: int
    amount: Decimal | None
    currency: str


@dataclass(frozen=True, slots=True)
class DegreeDays:
    """How use follows the cold. `per_degree_day` kWh (m3 of water) more for each, beside `a_day` whatever the weather;
    `explained` is r squared, the share of the days' differences that this explains.
    """

    METHOD: ClassVar[str] = (
        "Degree days: how far a day's mean outside temperature is below the base, or nothing; or what a file of "
        "them says. The use of the days that were wholly measured, those of the year before the span too, follows them "
        "by least squares."
    )
    base_c: Decimal
    total: Decimal
    days: int
    per_degree_day: Decimal
    a_day: Decimal
    explained: Decimal


@dataclass(frozen=True, slots=True)
class Carbon:
    """What was given off to make what was used, and how clean that was beside the grid's own mean (g a kWh)."""

    METHOD: ClassVar[str] = (
        "Carbon: what was used in each quarter-hour times the grid's intensity then, as far as both are known. The "
        "grid's mean is that of the same quarter-hours, whatever was used."
    )
    kg: Decimal
    used: Decimal
    own_mean: Decimal | None
    grid_mean: Decimal
    quarters: int


@dataclass(frozen=True, slots=True)
class Lack:
    """What nothing can be said of, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Insight:
    """What can be said of a supply in a span of local days, both included. What there is nothing to say of is None or
    empty, and `lacking` says why; `told` are sentences on what is missing in what there is.
    """

    supply: Supply
    first: date
    last: date
    used: Decimal
    days: int
    whole_days: int  # of which every quarter-hour was measured
    baseload: Baseload | None
    peaks: tuple[Peak, ...]  # of the highest days, the highest first
    month_peaks: tuple[Peak, ...]  # of each month, in order
    unusual: tuple[Unusual, ...]  # newest first
    year: Year | None
    solar: Solar | None
    appliances: tuple[Appliance, ...]  # that used most first
    degree_days: DegreeDays | None
    carbon: Carbon | None
    told: tuple[str, ...]
    lacking: tuple[Lack, ...] = ()

    @property
    def methods(self) -> list[str]:
        """How the numbers that there are come about."""
        one = (self.baseload, self.year, self.solar, self.degree_days, self.carbon)
        every = (*one, *self.peaks[:1], *self.unusual[:1], *self.appliances[:1])
        return [each.METHOD for each in every if each is not None]
