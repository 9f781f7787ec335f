"""Bars of what each day or month costs (or of what was used, where no tariff is known), as a page draws them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from appliance.costs import Day

HEIGHT, WIDTH, GAP = 1000, 1000, 0.22


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, in thousandths of the drawing, and the row of the table that it stands for."""

    x: float
    y: float
    width: float
    height: float
    row: Day
    is_partial: bool
    is_credit: bool


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars, where nought lies, and the highest and the lowest value. `of_cost`: of money, else of what was used."""

    bars: tuple[Bar, ...]
    zero: float
    highest: Decimal
    lowest: Decimal
    of_cost: bool
    currency: str
    by: str


def of(rows: Sequence[Day], by: str) -> Bars | None:
    """A bar a row; None where there are no rows or all are nought. Of rows in several currencies, the last one's."""
    currency = next((each.currency for each in reversed(rows) if each.currency), "")
    of_cost = bool(currency)
    values = [_value(each, currency) for each in rows]
    highest, lowest = max([*values, Decimal(0)]), min([*values, Decimal(0)])
    reach = float(highest - lowest)
    if not reach:
        return None
    step, zero = WIDTH / len(rows), HEIGHT * float(highest) / reach
    drawn = []
    for place, (row, value) in enumerate(zip(rows, values, strict=True)):
        height = HEIGHT * abs(float(value)) / reach
        drawn.append(
            Bar(
                x=round(step * (place + GAP / 2), 2),
                y=round(zero - height if value > 0 else zero, 2),
                width=round(step * (1 - GAP), 2),
                height=round(height, 2),
                row=row,
                is_partial=bool(row.missing or row.unpriced or (of_cost and row.amount is None)),
                is_credit=value < 0,
            )
        )
    return Bars(tuple(drawn), round(zero, 2), highest, lowest, of_cost, currency, by)


def widths(values: Iterable[Decimal]) -> list[float]:
    """How long each value's bar is, in a drawing as wide as the longest; what is below nought has none."""
    listed = [max(float(each), 0.0) for each in values]
    most = max(listed, default=0.0)
    return [round(WIDTH * each / most, 1) if most else 0.0 for each in listed]


def _value(row: Day, currency: str) -> Decimal:
    if not currency:
        return row.used
    return row.amount if row.amount is not None and row.currency == currency else Decimal(0)
