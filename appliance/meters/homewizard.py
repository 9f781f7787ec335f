"""HomeWizard: the local API v1 of its P1 meter, kWh meters, energy sockets and water meter (`/api/v1/data`).

An answer (HomeWizard's API documentation, v1, "Recent measurement"); what a device does not have is absent or null:

    {"smr_version": 50,                             (1) only of a P1 meter: the version of the meter's DSMR
     "unique_id": "0011...",                        (2) the meter's own number, its text in hexadecimal
     "total_power_import_kwh": 13779.338,           (3) registers, kWh; of a P1 meter also by tariff
     "total_power_import_t1_kwh": 10830.511,
     "active_power_w": -543,                        (4) W, negative where power flows out; also by phase
     "active_current_l1_a": -4,                     (5) A, with the sign of its power, which is dropped
     "external": [{"type": "gas_meter", "unique_id": "FFEE...",     (6) the meters that the meter reads,
                   "timestamp": 210606140010,       (7) and when it did: local time YYMMDDhhmmss
                   "value": 2569.646, "unit": "m3"}],
     "total_liter_m3": 123.456}                     (8) of a water meter

`total_gas_m3` and `gas_timestamp` are the first gas meter once more, and all there is before firmware 4. The tariff t1
of other devices repeats their total, and is left. Nothing but (6) states its time. The link is `http`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from appliance.messages import Message
from appliance.meters._messages import (
    MessageMeter,
    Said,
    Value,
    compact_ms,
    document,
    fail_with,
    role_of,
    role_problems,
    text,
)

TITLE = "HomeWizard (local API)"
LINKS = ("http",)

_TARIFFS = tuple(f"t{number}" for number in range(1, 5))
_PHASES = ("l1", "l2", "l3")
_P1_ONLY = ("smr_version", "meter_model", "external", "total_power_import_t2_kwh")

_EXTERNAL = {
    "gas_meter": ("gas", "m3"),
    "water_meter": ("water", "m3"),
    "warm_water_meter": ("water.hot", "m3"),
    "heat_meter": ("heat", "GJ"),
    "inlet_heat_meter": ("heat", "GJ"),
}
"""Type of a meter that the meter reads -> role, and the unit of its series."""

_UNITS = {"m3": "m3", "GJ": "GJ", "MJ": "MJ", "kWh": "kWh"}


@dataclass(frozen=True, slots=True)
class Options:
    """What the device measures; a P1 meter says that it is the whole house's."""

    role: str = field(
        default="", metadata={"title": "What it measures: electricity, solar, plug ... (empty: as the device says)"}
    )

    def __post_init__(self) -> None:
        fail_with(role_problems(self.role))


class Meter(MessageMeter):
    """Decodes the answers of one device."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        super().__init__(zone)
        self._role = options.role

    def _said(self, message: Message, now_ms: int) -> Said:
        said = document(message.payload)
        of_house = any(said.get(name) is not None for name in _P1_ONLY)
        role = self._role or ("electricity" if of_house else "plug")
        values = [*_electricity(said, role, of_house), *self._others(said, now_ms)]
        return Said(from_hexadecimal(text(said, "unique_id")), values)

    def _others(self, said: Mapping[str, object], now_ms: int) -> Iterator[Value]:
        """Gas, water and heat, of the device itself and of those that its meter reads."""
        if said.get("total_liter_m3") is not None:
            yield Value("water", said["total_liter_m3"], "m3")
        external = said.get("external")
        if isinstance(external, list):
            yield from self._external([each for each in external if isinstance(each, dict)], now_ms)
        elif said.get("total_gas_m3") is not None:
            gas = {"value": said["total_gas_m3"], "unit": "m3", "timestamp": said.get("gas_timestamp")}
            yield from self._external([{"type": "gas_meter", **gas}], now_ms)

    def _external(self, meters: list[Mapping[str, object]], now_ms: int) -> Iterator[Value]:
        """A value for each meter; a second one of a kind has its place in the list in its role."""
        taken: set[str] = set()
        for place, each in enumerate(meters, 1):
            role, unit = _EXTERNAL.get(text(each, "type"), ("", ""))
            if not role or each.get("value") is None:
                continue
            at_ms = compact_ms(each.get("timestamp"), self._zone, now_ms)
            stated = _UNITS.get(text(each, "unit"), "")
            known = at_ms is not None and stated  # without its time it may be hours old
            name = f"{role}.channel{place}" if role in taken else role
            taken.add(role)
            yield Value(name, each["value"] if known else None, stated or unit, at_ms=at_ms)


def _electricity(said: Mapping[str, object], role: str, of_house: bool) -> Iterator[Value]:
    """What flows through the meter itself."""
    for way, name in (("energy", "import"), ("energy.export", "export")):
        yield from _there(said, f"total_power_{name}_kwh", role_of(role, way), "kWh")
        for tariff in _TARIFFS if of_house else ():
            yield from _there(said, f"total_power_{name}_{tariff}_kwh", f"{role_of(role, way)}.{tariff}", "kWh")
    yield from _there(said, "active_power_w", role_of(role, "power"), "W")
    yield from _there(said, "active_voltage_v", role_of(role, "voltage"), "V")
    yield from _there(said, "active_current_a", role_of(role, "current"), "A")
    if said.get("active_voltage_v") is None or of_house:  # of one phase, the phase repeats the total
        for phase in _PHASES:
            yield from _there(said, f"active_power_{phase}_w", role_of(role, "power", phase), "W")
            yield from _there(said, f"active_voltage_{phase}_v", role_of(role, "voltage", phase), "V")
            yield from _there(said, f"active_current_{phase}_a", role_of(role, "current", phase), "A")


def _there(said: Mapping[str, object], name: str, role: str, unit: str) -> Iterator[Value]:
    """The value under a name, if the device has it."""
    value = said.get(name)
    if value is not None:
        unsigned = value.removeprefix("-") if unit == "A" and isinstance(value, str) else value
        yield Value(role, unsigned, unit, both_ways=unit == "W")


def from_hexadecimal(number: str) -> str:
    """A meter's own number, of the text that its hexadecimal digits stand for; as it is where they stand for none."""
    try:
        decoded = bytes.fromhex(number).decode("ascii")
    except ValueError:
        return number[:64]
    return (decoded if decoded.isprintable() else number)[:64]
