"""Percentages of other lines: discounts first, then taxes, in the order in which the tariff states them."""

from collections.abc import Sequence
from decimal import Decimal

from appliance.tariffs.amounts import none
from appliance.tariffs.charges import Discount, Tax
from appliance.tariffs.costs import Line
from appliance.tariffs.ground import Ground


def added(ground: Ground, lines: Sequence[Line]) -> list[Line]:
    """The lines, with those of percentages on them."""
    found = list(lines)
    charges = list(enumerate(ground.tariff.charges))
    base = [line for line in found if line.kind != "discount"]
    for place, charge in charges:
        if isinstance(charge, Discount) and charge.percent is not None:
            found += _percent(
                ground, place, charge, [each for each in base if not charge.on or each.name in charge.on], -1
            )
    for place, charge in charges:
        if isinstance(charge, Tax):
            on = [each for each in found if (each.name in charge.on if charge.on else each.kind != "tax")]
            found += _percent(ground, place, charge, on, 1)
    return found


def _percent(ground: Ground, place: int, charge: Discount | Tax, on: Sequence[Line], sign: int) -> list[Line]:
    active = ground.active(charge)
    if not active.any() or charge.percent is None:
        return []
    base = none(len(active))
    for line in on:
        base = base.plus(line.by_day)
    base, percent = base.where(active), charge.percent * sign
    amounts = base.times(percent * Decimal("0.01"))
    unit = ground.tariff.currency
    return [ground.line(place, active, amounts, quantity=base.total(), unit=unit, price=percent, per="%")]
