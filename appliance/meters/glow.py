"""Glow: the local MQTT of Hildebrand's display and CAD, which hear a British smart meter (SMETS2).

Under `glow/<device>/SENSOR/electricitymeter` every few seconds, and under `.../gasmeter` (Hildebrand, "Local MQTT"):

    {"electricitymeter": {
       "timestamp": "2022-06-24T13:02:29Z",                         (1) of the device, UTC
       "energy": {"export": {"cumulative": 0, "units": "kWh"},      (2) registers
                  "import": {"cumulative": 4595.563, "day": 10.464, ..., "units": "kWh",
                             "mpan": "1100018347997",               (3) the number of the supply
                             "price": {"unitrate": 0.3, "standingcharge": 0.4457}}},
       "power": {"value": 0.623, "units": "kW"}}}                   (4) negative where it flows out

    {"gasmeter": {"timestamp": ..., "energy": {"import": {"cumulative": 12491.78, "units": "kWh",   (5) calculated
       "cumulativevol": 1107.678, "cumulativevolunits": "m3",       (6) the register
       "mprn": "...", ...}}}}

Of gas the register (6) is read, and (5) only of firmware that has no other. The gas meter itself is heard every half
hour, so its register stands still between. Prices are the supplier's to state, and left.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from appliance.messages import Message
from appliance.meters._messages import MessageMeter, Said, Value, document, iso_ms, table, text

TITLE = "Glow display or CAD (British smart meters)"
LINKS = ("mqtt",)
TRIED = "messages of a Glow CAD, as its owner showed them on the OpenEnergyMonitor forum (topic 20689)"

_UNITS = {"kWh": "kWh", "Wh": "Wh", "m3": "m3", "kW": "kW", "W": "W"}
_ENDS = {"electricitymeter": "mpan", "gasmeter": "mprn"}
"""Last level of a topic of ours -> name of the supply's number."""


@dataclass(frozen=True, slots=True)
class Options:
    """Which of several devices."""

    device: str = field(default="", metadata={"title": "Device, as in glow/DEVICE/SENSOR/... (empty: any)"})


class Meter(MessageMeter):
    """Decodes what one household's device says of its electricity and gas."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        super().__init__(zone)
        self._options = options

    def _said(self, message: Message, now_ms: int) -> Said | None:
        *_, device, _, end = ("", "", *message.topic.split("/"))
        if end not in _ENDS or (self._options.device and device != self._options.device):
            return None
        said = table(document(message.payload), end)
        values = _electricity(said) if end == "electricitymeter" else _gas(said)
        number = text(table(said, "energy", "import"), _ENDS[end])
        known = number.isascii() and number.isdecimal()
        return Said(number[:64] if known else device[:64], values, iso_ms(said.get("timestamp"), None, now_ms))


def _electricity(said: Mapping[str, object]) -> Iterator[Value]:
    for way in ("import", "export"):
        yield from _there(table(said, "energy", way), "cumulative", "units", f"electricity.{way}", "kWh")
    yield from _there(table(said, "power"), "value", "units", "electricity.power", "kW")


def _gas(said: Mapping[str, object]) -> Iterator[Value]:
    imported = table(said, "energy", "import")
    if "cumulativevol" in imported:
        yield from _there(imported, "cumulativevol", "cumulativevolunits", "gas", "m3")
    else:
        yield from _there(imported, "cumulative", "units", "gas.energy", "kWh")


def _there(said: Mapping[str, object], name: str, unit_name: str, role: str, unit: str) -> Iterator[Value]:
    """The value under a name, if there is one; one without a unit that is known is refused."""
    if said.get(name) is not None:
        stated = _UNITS.get(text(said, unit_name), "")
        yield Value(role, said[name] if stated else None, stated or unit, both_ways=unit == "kW")
