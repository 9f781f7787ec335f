"""Zigbee2MQTT: plugs, thermometers and other Zigbee devices, as that gateway publishes them.

Under `zigbee2mqtt/<name>`, where a name may hold slashes, each time that a device says something: all that is known
of it (Zigbee2MQTT's documentation, "MQTT topics and messages" and the devices' pages):

    {"energy": 31.02,                   (1) kWh taken
     "produced_energy": 0,              (2) kWh given
     "power": 12, "voltage": 236.19, "current": 0.05,       (3) W, V, A
     "temperature": 21.4, "humidity": 48.2, "pressure": 1013.2,     (4) °C, %, hPa
     "water_consumed": 1.5,             (5) m3 or litres, which only the device's page says
     "battery": 100, "linkquality": 102,
     "last_seen": "2025-10-15T19:10:55+02:00"}      (6) if configured: ISO 8601, or milliseconds since 1970

The voltage of what has a battery is the battery's, in millivolts, and is left. Without (6) a message that the broker
kept is left as well. Subscribe to `zigbee2mqtt/+`: `zigbee2mqtt/#` brings the gateway's own large messages too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from appliance.messages import Message, Number
from appliance.meters._messages import (
    MessageMeter,
    Said,
    Value,
    decimal,
    document,
    fail_with,
    iso_ms,
    name_of,
    role_of,
    role_problems,
)

TITLE = "Zigbee devices (Zigbee2MQTT)"
LINKS = ("mqtt",)
TRIED = "plugs in two logs that their owners published (pastebin P3JNtTzc and YcMuiA8D)"
SILENT_S = 0.0  # a sensor speaks when something changes

_NOT_DEVICES = ("availability", "set", "get")

_PLUG = {
    "energy": ("energy", "kWh"),
    "produced_energy": ("energy.export", "kWh"),
    "power": ("power", "W"),
    "voltage": ("voltage", "V"),
    "current": ("current", "A"),
}
_ROOM = {"temperature": ("temperature", "°C"), "humidity": ("humidity", "%"), "pressure": ("pressure", "hPa")}
_WATER_UNITS = ("", "m3", "l")


@dataclass(frozen=True, slots=True)
class Options:
    """Which devices of those that are heard, and what they measure."""

    device: str = field(default="", metadata={"title": "Device, by the name it has there (empty: each by its name)"})
    role: str = field(default="plug", metadata={"title": "What it measures: plug, solar, electricity ..."})
    base: str = field(default="zigbee2mqtt", metadata={"title": "Base topic"})
    water_unit: str = field(
        default="", metadata={"title": "Unit of water, by the device's page (empty: not read)", "choices": _WATER_UNITS}
    )

    def __post_init__(self) -> None:
        problems = role_problems(self.role)
        if self.water_unit not in _WATER_UNITS:
            problems.append(f"water_unit: {self.water_unit!r} is none; write m3 or l, as the device's page says")
        fail_with(problems)


class Meter(MessageMeter):
    """Decodes what the gateway says of one device, or of all."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        super().__init__(zone)
        self._options = options

    def _said(self, message: Message, now_ms: int) -> Said | None:
        device = self._device(message.topic)
        if not device or device != (self._options.device or device):
            return None
        said = document(message.payload)
        name = "" if self._options.device else name_of(device)
        seen = said.get("last_seen")
        at_ms = _milliseconds(seen) if isinstance(seen, Number) else iso_ms(seen, None, now_ms)
        return Said(device[:64], self._values(said, name), at_ms)

    def _device(self, topic: str) -> str:
        """The device's name; "" where the topic is no device's."""
        device = topic.removeprefix(f"{self._options.base}/")
        own = device == topic or device.startswith("bridge/") or device.rpartition("/")[2] in _NOT_DEVICES
        return "" if own else device

    def _values(self, said: Mapping[str, object], name: str) -> Iterator[Value]:
        battery = "battery" in said
        for key, (quantity, unit) in _PLUG.items():
            if isinstance(said.get(key), Number) and not (battery and quantity == "voltage"):
                both_ways = quantity == "power" and "produced_energy" in said
                yield Value(role_of(self._options.role, name, quantity), said[key], unit, both_ways)
        for key, (quantity, unit) in _ROOM.items():
            if isinstance(said.get(key), Number):
                yield Value(role_of(quantity, name), said[key], unit)
        if self._options.water_unit and isinstance(said.get("water_consumed"), Number):
            yield Value(role_of("water", name), said["water_consumed"], self._options.water_unit)


def _milliseconds(said: object) -> int | None:
    number = decimal(said)
    return int(number) if number is not None and abs(number) < 10**15 else None
