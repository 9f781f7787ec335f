"""ESPI's numbers -> what they measure and in which unit: tables, and the one decision that they lead to.

Source: NAESB REQ.21 (ESPI) espi.xsd: UomType, ServiceKind, CommodityKind, FlowDirectionKind, AccumulationKind,
QualityOfReading; exact factors of foot, gallon: NIST SP 811, appendix B.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as files state it: a value in it is `value * factor * 10**exponent` of `kept`, the unit it is kept in."""

    kept: str
    factor: int = 1
    exponent: int = 0


UNITS: dict[str, Unit] = {
    "Wh": Unit("kWh", exponent=-3),
    "kWh": Unit("kWh"),
    "W": Unit("kW", exponent=-3),
    "V": Unit("V"),
    "A": Unit("A"),
    "m3": Unit("m3"),
    "ft3": Unit("m3", 28_316_846_592, -12),
    "l": Unit("m3", exponent=-3),
    "US gallon": Unit("m3", 3_785_411_784, -12),
    "imperial gallon": Unit("m3", 454_609, -8),
    "therm": Unit("therm"),  # US and EC therms differ in the fifth digit, so it stays as it is
}

UOM: dict[str, str] = {
    "5": "A",
    "29": "V",
    "38": "W",
    "42": "m3",
    "72": "Wh",
    "119": "ft3",
    "120": "ft3",  # compensated for temperature and pressure, as are 157 and 167
    "128": "US gallon",
    "130": "imperial gallon",
    "134": "l",
    "156": "l",
    "157": "l",
    "166": "m3",
    "167": "m3",
    "169": "therm",
}

SERVICES = {"0": "electricity", "1": "gas", "2": "water"}
COMMODITIES = {"1": "electricity", "2": "electricity", "7": "gas", "9": "water"}
NOT_STATED = ("", "0")  # of a uom, a commodity, a flow: "not applicable"

FLOWS = {"1": "import", "4": "net", "19": "export", "20": "total"}
POWER_FLOWS = {"1": "electricity.power", "19": "electricity.power.export"}
ACCUMULATED = frozenset({"1", "2", "3", "9"})  # bulk, continuous cumulative, cumulative, summation: a meter's register
INSTANTANEOUS = "12"
EXTREMES = {"8": "maximum", "9": "minimum"}  # DataQualifierKind

QUALITIES = {
    "0": "valid",
    "7": "manually edited",
    "8": "estimated using reference day",
    "9": "estimated using linear interpolation",
    "10": "questionable",
    "11": "derived",
    "12": "projected",
    "13": "mixed",
    "14": "raw",
    "15": "normalised for weather",
    "16": "other",
    "17": "validated",
    "18": "verified",
    "19": "revenue quality",
}

UNIT_CHOICES = ("", "Wh", "kWh", "m3", "ft3", "therm", "l", "US gallon")
QUANTITY_CHOICES = ("", "electricity.import", "electricity.export", "gas", "water")
_GAS_UNITS = ("m3", "ft3", "therm")  # where a person states one of these and nothing else, gas is meant
_MEASURED_IN = {"electricity": ("kWh", "kW", "V", "A"), "gas": ("m3", "therm", "kWh"), "water": ("m3",)}

_CHOICES = f"units: {', '.join(UNIT_CHOICES[1:])}; quantities: {', '.join(QUANTITY_CHOICES[1:])}"


class UnclearError(Exception):
    """What values mean is not certain; its text is the reason for a person, with the next step."""


def measured(type_: Mapping[str, str], service_kind: str, unit: str, quantity: str) -> tuple[str, Unit]:
    """(role, unit) of a ReadingType's values; `unit` and `quantity` are what a person stated, "" where nothing.

    What the file states wins over what a person does. Raises UnclearError.
    """
    service = SERVICES.get(service_kind) or COMMODITIES.get(type_.get("commodity", ""), "")
    uom = type_.get("uom", "")
    if service_kind and not service:
        raise UnclearError(
            f"the file says that it is about service {service_kind}, and only electricity, gas and water are read"
        )
    if uom in NOT_STATED and not unit:
        raise UnclearError(_missing_unit(service or quantity))
    if uom not in NOT_STATED and uom not in UOM:
        raise UnclearError(
            f"its unit is number {uom} of ESPI's list, which is not read yet; the file is kept for when it is"
        )
    name = UOM.get(uom, unit)
    service = (
        service or quantity.partition(".")[0] or ("gas" if name == "therm" or (unit and name in _GAS_UNITS) else "")
    )
    if not service:
        raise UnclearError(
            f"the file states no kind for its values; state the quantity and retry the import ({_CHOICES})"
        )
    if UNITS[name].kept not in _MEASURED_IN[service]:
        raise UnclearError(f"{service} is not measured in {name}, so the file contradicts itself; ask who made it")
    return _role(service, UNITS[name], type_.get("flowDirection", ""), quantity), UNITS[name]


def _missing_unit(service: str) -> str:
    if service:
        return f"the file states no unit for its values; state the unit and retry the import ({_CHOICES})"
    return (
        "the file states no unit for its values, nor what they measure; "
        f"state unit and quantity, and retry the import ({_CHOICES})"
    )


def _role(service: str, unit: Unit, flow: str, quantity: str) -> str:
    """The role of the series. A flow that is not stated is what the household takes, unless a person says otherwise."""
    if service != "electricity":
        return service
    if unit.kept in ("V", "A"):
        return {"V": "electricity.voltage", "A": "electricity.current"}[unit.kept]
    flow = ("19" if quantity == "electricity.export" else "1") if flow in NOT_STATED else flow
    role = POWER_FLOWS.get(flow) if unit.kept == "kW" else FLOWS.get(flow) and f"electricity.{FLOWS[flow]}"
    if not role:
        raise UnclearError(
            f"its flow direction is number {flow} of ESPI's list, which is not read yet; the file is kept for then"
        )
    return role


def contradiction(unit: str, quantity: str) -> str:
    """What is wrong with a unit and a quantity that a person states together, or ""."""
    if not unit or not quantity or UNITS[unit].kept in _MEASURED_IN[quantity.partition(".")[0]]:
        return ""
    return f"unit={unit} and quantity={quantity} do not go together; state the unit that the file's values are in"
