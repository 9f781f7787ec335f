"""What a tariff charges: the kinds of charges, with the fields that its file states of each.

Prices are in the currency's whole unit (pounds, euros; not pence) a kWh, or a m3 (see `Tariff.per`). A charge holds
from its first day until another, on which it no longer holds, by the days of the tariff's zone; charges of one name are
versions of one another, so that a tariff carries its whole history of prices.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from appliance.tariffs.fields import (
    Choice,
    Day,
    ListOf,
    Minute,
    Number,
    Object,
    Text,
    Whole,
    stated,
)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_MINUTES = 1440

_NAME = stated(Text(80), "What a bill calls it. Charges of one name are versions of one another.")
_BAND = stated(Text(40), "What the band is called, such as day, night or peak.")
_FROM = stated(Day(), "Its first day; from the beginning where absent.", "from")
_UNTIL = stated(Day(), "The day after its last; open where absent.", "until")
_UNIT_PRICE = stated(
    Number(9, 10, negative=True), "The price of a kWh, or of a m3 (see `per`), in whole units of the currency."
)
_PRICE = stated(Number(9, 10, negative=True), "The price, in whole units of the currency.")
_ON = stated(ListOf(Text(80), 0, 100), "The names of the charges that it is taken on; on all where absent.")
_MONTH_DAY = Text(5, "(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])", "11-01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dated:
    """What holds from one day until another, on which it no longer holds."""

    from_day: date | None = field(default=None, metadata=_FROM)
    until_day: date | None = field(default=None, metadata=_UNTIL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """A part of every year; it may pass the year's end."""

    from_day: str = field(metadata=stated(_MONTH_DAY, "Its first day, as month and day.", "from"))
    until_day: str = field(metadata=stated(_MONTH_DAY, "The day after its last, as month and day.", "until"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Some hours of some days of a season. Each quarter-hour is judged by its own day: "22:00" until "07:00" on
    Mondays is Monday's first seven hours and its last two.
    """

    days: tuple[str, ...] = field(
        default=(), metadata=stated(ListOf(Choice(*WEEKDAYS), 0, 7), "The days of the week; all where absent.")
    )
    from_minute: int = field(default=0, metadata=stated(Minute(), "When it begins; at midnight where absent.", "from"))
    until_minute: int = field(
        default=DAY_MINUTES, metadata=stated(Minute(), "When it ends; at midnight where absent.", "until")
    )
    season: Season | None = field(
        default=None, metadata=stated(Object(Season), "The part of the year; the whole year where absent.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The price of one band, at its times; without times, at all those that no other band of the charge has."""

    band: str = field(metadata=_BAND)
    price: Decimal = field(metadata=_UNIT_PRICE)
    times: tuple[Times, ...] = field(default=(), metadata=stated(ListOf(Object(Times), 0, 100), "When it holds."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates(Dated):
    """Unit rates by time of day, weekday and season. Where none holds, usage has no price, and is marked."""

    name: str = field(default="Energy", metadata=_NAME)
    rates: tuple[Rate, ...] = field(metadata=stated(ListOf(Object(Rate), 1, 100), "The bands and their prices."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamic(Dated):
    """A price that follows an index: factor x index + addition, then not below the floor nor above the cap."""

    name: str = field(default="Energy", metadata=_NAME)
    band: str = field(default="dynamic", metadata=_BAND)
    index: str = field(metadata=stated(Text(80), "The name of the series of prices, such as day-ahead BE."))
    factor: Decimal = field(
        default=Decimal(1), metadata=stated(Number(6, 10, negative=True), "What the index is multiplied by.")
    )
    addition: Decimal = field(
        default=Decimal(0), metadata=stated(Number(9, 10, negative=True), "What is added, a kWh.")
    )
    floor: Decimal | None = field(
        default=None, metadata=stated(Number(9, 10, negative=True), "The lowest price of a kWh.")
    )
    cap: Decimal | None = field(
        default=None, metadata=stated(Number(9, 10, negative=True), "The highest price of a kWh.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """The price of what is used up to an amount in the period; of all that is beyond, where it states none."""

    band: str = field(metadata=_BAND)
    price: Decimal = field(metadata=_UNIT_PRICE)
    up_to: Decimal | None = field(
        default=None, metadata=stated(Number(9, 6), "Where it ends: kWh counted from the period's begin.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers(Dated):
    """Unit rates by how much was used since the calendar day, month, quarter or year began."""

    name: str = field(default="Energy", metadata=_NAME)
    period: str = field(metadata=stated(Choice("day", "month", "quarter", "year"), "When the count begins again."))
    tiers: tuple[Tier, ...] = field(
        metadata=stated(ListOf(Object(Tier), 1, 20), "The tiers in order; the last states no end.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing(Dated):
    """A fixed price a day, month or year; of a month or a year each of its days bears the same share."""

    name: str = field(default="Standing charge", metadata=_NAME)
    price: Decimal = field(metadata=_PRICE)
    period: str = field(metadata=stated(Choice("day", "month", "year"), "What the price is for."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity(Dated):
    """A price a kW of the monthly peak, the highest mean power of a quarter-hour in the calendar month.

    Each month bears its days' share of the price for the mean of its own peak and those of the months before.
    """

    name: str = field(default="Capacity", metadata=_NAME)
    price: Decimal = field(metadata=stated(Number(9, 10), "The price of a kW, in whole units of the currency."))
    period: str = field(metadata=stated(Choice("month", "year"), "What the price is for."))
    months: int = field(
        default=1,
        metadata=stated(Whole(1, 12), "Of how many months' peaks the mean is taken, the month's own included."),
    )
    minimum: Decimal = field(
        default=Decimal(0), metadata=stated(Number(6, 6), "What a month's peak counts as at least, in kW.")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Levy(Dated):
    """A tax, levy or fee a kWh, at all times; paid on what is exported too."""

    name: str = field(default="Levy", metadata=_NAME)
    price: Decimal = field(metadata=_UNIT_PRICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount(Dated):
    """What is taken off: a percentage of other lines, but of no discount nor tax; or an amount."""

    name: str = field(default="Discount", metadata=_NAME)
    percent: Decimal | None = field(default=None, metadata=stated(Number(3, 6), "A percentage of the lines in `on`."))
    on: tuple[str, ...] = field(default=(), metadata=_ON)
    amount: Decimal | None = field(
        default=None, metadata=stated(Number(9, 10), "An amount, in whole units of the currency.")
    )
    period: str = field(
        default="once",
        metadata=stated(Choice("once", "day", "month", "year"), "What the amount is for; once: on the day in `from`."),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tax(Dated):
    """A percentage on other lines, such as VAT: on all but taxes where it names none."""

    name: str = field(default="VAT", metadata=_NAME)
    percent: Decimal = field(metadata=stated(Number(3, 6), "The percentage."))
    on: tuple[str, ...] = field(default=(), metadata=_ON)


Charge = Rates | Dynamic | Tiers | Standing | Capacity | Levy | Discount | Tax
UnitCharge = Rates | Dynamic | Tiers

KINDS: Mapping[str, type[Charge]] = {
    "rates": Rates,
    "dynamic": Dynamic,
    "tiers": Tiers,
    "standing": Standing,
    "capacity": Capacity,
    "levy": Levy,
    "discount": Discount,
    "tax": Tax,
}
