"""What a supply costs: lines with exact amounts, totals by day and by band, and what is not known."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from appliance.tariffs.amounts import Amounts, Array, none

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """What one band of one charge comes to. A credit is negative.

    `charge`: its place in the tariff's charges. `from_day` and `until_day`: the first of the span's local days on which
    it holds, and the day after the last. `quantity` is in `unit`; `price` is that of a `per`, or None where it varies.
    `by_day` is the amount on each local day of the span.
    """

    charge: int
    kind: str
    name: str
    band: str
    from_day: date
    until_day: date
    quantity: Decimal
    unit: str
    price: Decimal | None
    per: str
    by_day: Amounts = field(repr=False)

    @property
    def amount(self) -> Decimal:
        return self.by_day.total()


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Quarter-hours (numbered since 1970 UTC) that are not as they should be, and remarks in plain words."""

    no_reading: Array
    estimated: Array
    no_rate: Array  # a charge of unit rates has none then
    no_price: Array  # an index has no price then
    unpriced: Decimal  # what was used in the quarters of the two above
    remarks: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every quarter has a reading, a rate and a price."""
        return not (len(self.no_reading) or len(self.no_rate) or len(self.no_price))


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """The costs of a span under one tariff. `days`: the local days of the span, in the tariff's zone."""

    currency: str
    zone: str
    days: tuple[date, ...]
    lines: tuple[Line, ...]
    marks: Marks

    @property
    def total(self) -> Decimal:
        return self._added(self.lines).total()

    def by_day(self) -> dict[date, Decimal]:
        """Every local day of the span with what it costs; they add up to the total exactly."""
        return dict(zip(self.days, self._added(self.lines).decimals(), strict=True))

    def by_band(self) -> dict[tuple[str, str], Decimal]:
        """What each band of each name comes to, versions of one price together."""
        keys = dict.fromkeys((line.name, line.band) for line in self.lines)
        return {key: self._added(line for line in self.lines if (line.name, line.band) == key).total() for key in keys}

    def bill(self, to: Decimal = Decimal("0.01")) -> "Bill":
        """The bill of a supplier who rounds every line, halves away from nought; the total is of rounded lines."""
        rounded = [BillLine(line, _rounded(line.amount, to)) for line in self.lines]
        return Bill(self.currency, tuple(rounded), sum((each.amount for each in rounded), Decimal(0)))

    def _added(self, lines: Iterable[Line]) -> Amounts:
        found = none(len(self.days))
        for line in lines:
            found = found.plus(line.by_day)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class BillLine:
    """A line, and its amount as the supplier rounds it."""

    line: Line
    amount: Decimal


@dataclass(frozen=True, slots=True, eq=False)
class Bill:
    """Rounded lines and their sum."""

    currency: str
    lines: tuple[BillLine, ...]
    total: Decimal


def day_of(number: int) -> date:
    """The day so many days after the first of 1970."""
    return _EPOCH + timedelta(days=number)


def _rounded(amount: Decimal, to: Decimal) -> Decimal:
    return (amount / to).quantize(Decimal(1), ROUND_HALF_UP) * to
