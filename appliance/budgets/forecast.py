"""What a month comes to: what is known of it, and the rest as the same weekdays of the last weeks were."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import fmean, pstdev

METHOD = (
    "Forecast: the days of the month that were wholly measured, exactly; each other day as the mean of the same "
    "weekday in the last 4 weeks. The range is where 8 months of 10 end: 1.28 times what days differ from that mean, "
    "times the root of the days to come. Prices are taken to stay as they were."
)
WEEKS = 4
FEWEST_DAYS = 7
EIGHT_OF_TEN = 1.2816
"""How many standard deviations from its mean 80 of 100 values of a normal distribution are."""

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Known:
    """A day that was wholly measured: what was used, and what it cost (None where that is not known)."""

    day: date
    used: Decimal
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class Projection:
    """A month in one unit: what is known of it, what is expected of the whole, and how far that may be out either way.

    `by_day` is what each day of the month comes to, known or expected.
    """

    so_far: Decimal
    expected: Decimal
    spread: Decimal
    by_day: tuple[Decimal, ...]

    @property
    def low(self) -> Decimal:
        """The range's lower end, never below what is known already."""
        return max(self.so_far, self.expected - self.spread)

    @property
    def high(self) -> Decimal:
        return self.expected + self.spread

    def passes(self, limit: Decimal) -> int | None:
        """On which day of the month the limit is passed, None where it is not."""
        total = Decimal(0)
        for number, each in enumerate(self.by_day, 1):
            total += each
            if total > limit:
                return number
        return None


@dataclass(frozen=True, slots=True)
class Forecast:
    """A month, called by its first day, of whose `days` so many were wholly measured; `amount` is None where no tariff
    is known.
    """

    month: date
    days: int
    days_known: int
    used: Projection
    unit: str
    amount: Projection | None
    currency: str


def forecast(known: Sequence[Known], today: date, unit: str, currency: str) -> Forecast | None:
    """The month of today from days that were wholly measured, in order; None where the last weeks have too few."""
    first = today.replace(day=1)
    month = [first + timedelta(days=number) for number in range((_next_month(first) - first).days)]
    recent = [each for each in known if today - timedelta(days=7 * WEEKS) <= each.day < today]
    if len(recent) < FEWEST_DAYS:
        return None
    own = [each for each in known if first <= each.day < today]
    used = _projected([(each.day, each.used) for each in own], [(each.day, each.used) for each in recent], month)
    priced = [(each.day, each.amount) for each in recent if each.amount is not None]
    paid = [(each.day, each.amount) for each in own if each.amount is not None]
    is_priced = currency and len(priced) == len(recent) and len(paid) == len(own)
    amount = _projected(paid, priced, month, _CENT) if is_priced else None
    return Forecast(first, len(month), len(own), used, unit, amount, currency)


def together(forecasts: Sequence[Projection]) -> Projection:
    """Several as one; how far they may be out is taken to have nothing to do with each other."""
    return Projection(
        so_far=sum((each.so_far for each in forecasts), Decimal(0)),
        expected=sum((each.expected for each in forecasts), Decimal(0)),
        spread=sum((each.spread**2 for each in forecasts), Decimal(0)).sqrt().quantize(_CENT),
        by_day=tuple(sum(each, Decimal(0)) for each in zip(*(each.by_day for each in forecasts), strict=True)),
    )


def _projected(
    own: Sequence[tuple[date, Decimal]],
    recent: Sequence[tuple[date, Decimal]],
    month: Sequence[date],
    to: Decimal = Decimal("0.001"),
) -> Projection:
    every = float(fmean(value for _, value in recent))
    groups: dict[int, list[float]] = {}
    for day, value in recent:
        groups.setdefault(day.weekday(), []).append(float(value))
    means = {weekday: fmean(values) for weekday, values in groups.items()}
    known = dict(own)
    usual = pstdev(float(value) - means[day.weekday()] for day, value in recent)
    by_day = tuple(known.get(day, _to(means.get(day.weekday(), every), to)) for day in month)
    return Projection(
        so_far=sum(known.values(), Decimal(0)),
        expected=sum(by_day, Decimal(0)),
        spread=_to(EIGHT_OF_TEN * usual * (len(month) - len(known)) ** 0.5, to),
        by_day=by_day,
    )


def _to(value: float, to: Decimal) -> Decimal:
    return Decimal(value).quantize(to, ROUND_HALF_UP)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
