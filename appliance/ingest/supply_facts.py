"""What people say of their supplies, agreements and gas, checked where its fields must fit each other."""

import re
from collections.abc import Mapping
from decimal import Decimal

from appliance import tariffs
from appliance.errors import UserError
from appliance.kinds import FieldsError, is_mprn

SUPPLY, AGREEMENT, GAS_QUALITY = "energy.supply", "energy.agreement", "energy.gas_quality"
TARIFF, RATE, BUDGET = "energy.tariff", "energy.rate", "energy.budget"
UNITS = ("kWh", "m3")
CALORIFIC_VALUES = {"MJ/m3": (Decimal(10), Decimal(60)), "kWh/m3": (Decimal(3), Decimal(17))}
"""The least and the most that a cubic metre of gas from the grid holds: natural gas has about 39 MJ, biogas 21."""

_CORRECTIONS = Decimal("0.5"), Decimal(2)
_CURRENCY = re.compile("[A-Z]{3}")


def unit_of(supply: str) -> str:
    """What a supply is counted and priced in, one of `UNITS`."""
    return "m3" if supply == "water" else "kWh"


def check(kind: str, fields: Mapping[str, str], amount: Decimal | None, unit: str) -> None:
    """FieldsError, with all that is wrong, of a fact about a supply."""
    wrong: dict[str, str] = {}
    if kind in (SUPPLY, AGREEMENT, GAS_QUALITY):
        wrong |= _point(fields.get("point", ""), is_gas=kind == GAS_QUALITY or fields.get("supply") == "gas")
    if kind == GAS_QUALITY:
        wrong |= _quality(fields)
    if kind == TARIFF:
        wrong |= _definition(fields)
    if kind == BUDGET:
        wrong |= _budget(fields.get("supply", ""), amount, unit)
    if kind == AGREEMENT and fields.get("notice_days", "0").startswith("-"):
        wrong["notice_days"] = "is a number of days; write it without a minus"
    if wrong:
        raise FieldsError(wrong, [f"{name}: {reason}" for name, reason in wrong.items()])


def _point(point: str, *, is_gas: bool) -> dict[str, str]:
    """Of gas alone it is known that eight to ten digits are an MPRN: other supplies have numbers without a check."""
    if is_gas and point.isdecimal() and len(point) in (8, 9, 10) and not is_mprn(point):
        return {"point": f"{point} has a digit that is mistyped; write it again as it stands on the bill"}
    return {}


def _budget(supply: str, amount: Decimal | None, unit: str) -> dict[str, str]:
    wrong = {}
    if amount is None or amount <= 0:
        wrong["amount"] = "is what a month may come to at most; write a number above nought"
    if unit in UNITS and not supply:
        wrong["unit"] = f"{unit} of several supplies cannot be added up; name one supply, or a currency"
    elif unit in UNITS and unit != unit_of(supply):
        wrong["unit"] = f"{supply} is counted in {unit_of(supply)}; write that, or a currency"
    elif unit not in UNITS and not _CURRENCY.fullmatch(unit):
        wrong["unit"] = f"{unit!r} is no currency; write its three letters, such as EUR, or {' or '.join(UNITS)}"
    return wrong


def _quality(fields: Mapping[str, str]) -> dict[str, str]:
    wrong = {}
    unit = fields.get("calorific_unit", "") or "MJ/m3"
    least, most = CALORIFIC_VALUES[unit]
    if not least <= Decimal(fields["calorific_value"]) <= most:
        wrong["calorific_value"] = f"no gas has that many {unit}; write what the bill says, {least} to {most}"
    correction = fields.get("correction", "")
    if correction and not _CORRECTIONS[0] <= Decimal(correction) <= _CORRECTIONS[1]:
        wrong["correction"] = "is a number close to 1; write it as on the bill, such as 1.02264"
    return wrong


def _definition(fields: Mapping[str, str]) -> dict[str, str]:
    try:
        tariffs.read(fields["definition"], "definition")
    except UserError as error:
        return {"definition": "; ".join(problem.removeprefix("definition: ") for problem in error.problems)}
    return {}
