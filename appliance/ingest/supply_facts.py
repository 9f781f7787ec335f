"""What people say of their supplies, agreements and gas, checked where its fields must fit each other."""

from collections.abc import Mapping
from decimal import Decimal

from appliance import tariffs
from appliance.errors import UserError
from appliance.kinds import FieldsError, is_mprn

SUPPLY, AGREEMENT, GAS_QUALITY = "energy.supply", "energy.agreement", "energy.gas_quality"
TARIFF, RATE = "energy.tariff", "energy.rate"
CALORIFIC_VALUES = {"MJ/m3": (Decimal(10), Decimal(60)), "kWh/m3": (Decimal(3), Decimal(17))}
"""The least and the most that a cubic metre of gas from the grid holds: natural gas has about 39 MJ, biogas 21."""

_CORRECTIONS = Decimal("0.5"), Decimal(2)


def check(kind: str, fields: Mapping[str, str]) -> None:
    """FieldsError, with all that is wrong, of a fact about a supply."""
    wrong: dict[str, str] = {}
    if kind in (SUPPLY, AGREEMENT, GAS_QUALITY):
        wrong |= _point(fields.get("point", ""), is_gas=kind == GAS_QUALITY or fields.get("supply") == "gas")
    if kind == GAS_QUALITY:
        wrong |= _quality(fields)
    if kind == TARIFF:
        wrong |= _definition(fields)
    if kind == AGREEMENT and fields.get("notice_days", "0").startswith("-"):
        wrong["notice_days"] = "is a number of days; write it without a minus"
    if wrong:
        raise FieldsError(wrong, [f"{name}: {reason}" for name, reason in wrong.items()])


def _point(point: str, *, is_gas: bool) -> dict[str, str]:
    """Of gas alone it is known that eight to ten digits are an MPRN: other supplies have numbers without a check."""
    if is_gas and point.isdecimal() and len(point) in (8, 9, 10) and not is_mprn(point):
        return {"point": f"{point} has a digit that is mistyped; write it again as it stands on the bill"}
    return {}


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
