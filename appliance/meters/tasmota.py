"""Tasmota: the telemetry of plugs, relays and sensors that run it, over MQTT or HTTP.

Under `tele/<device>/SENSOR` every TelePeriod, under `stat/<device>/STATUS8` or `STATUS10` when asked, and over HTTP as
the answer to `/cm?cmnd=Status%208` (Tasmota's documentation, "MQTT", "JSON Status Responses" and "Commands"); the last
two wrap it in `StatusSNS`:

    {"Time": "2024-04-16T09:15:03",                 (1) local time of the device, without its zone
     "ENERGY": {"TotalStartTime": "2023-11-13T19:36:00",
                "Total": 235.645,                   (2) kWh since then; a list where channels count for themselves
                "ExportActive": 0.000,              (3) kWh given, of meters that have it
                "Yesterday": 0.000, "Today": 0.015,
                "Power": 24,                        (4) W, a list of a device with several channels or phases
                "Voltage": 237, "Current": 0.099},
     "DS18B20": {"Id": "0316...", "Temperature": 20.6},     (5) any sensor, by its type
     "TempUnit": "C"}

Nobody set the zone of most devices, so (1) is used only where it has an offset (SetOption52), or where the option
`own_time` says that the device's zone is the meter's. ANALOG and ESP32 measure the device itself, and are left.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from appliance.messages import Message
from appliance.meters._messages import (
    MessageMeter,
    Said,
    Value,
    decimal,
    document,
    fail_with,
    iso_ms,
    name_of,
    numbers,
    role_of,
    role_problems,
    table,
)

TITLE = "Tasmota plugs and sensors"
LINKS = ("mqtt",)
TRIED = "a plug in the Smart Appliance Enabler's documentation, a thermometer in a log of tablatronix (GitHub gist)"
SILENT_S = 900.0  # TelePeriod is 300 s unless it is changed

_OF_THE_DEVICE = ("ANALOG", "ESP32")
_ENDS = ("SENSOR", "STATUS8", "STATUS10")
_PREFIXES = ("tele", "stat")

_ENERGY = {
    "Total": ("energy", "kWh"),
    "ExportActive": ("energy.export", "kWh"),
    "Power": ("power", "W"),
    "Voltage": ("voltage", "V"),
    "Current": ("current", "A"),
}
"""Field of ENERGY -> quantity, and its unit."""

_SENSORS = {"Temperature": ("temperature", "°C"), "Humidity": ("humidity", "%"), "Pressure": ("pressure", "hPa")}
"""Field of any sensor -> quantity, and its unit."""


@dataclass(frozen=True, slots=True)
class Options:
    """Which devices of those that are heard, and what they measure."""

    device: str = field(default="", metadata={"title": "Device, as in tele/DEVICE/SENSOR (empty: each by its name)"})
    role: str = field(default="plug", metadata={"title": "What it measures: plug, solar, electricity ..."})
    own_time: bool = field(default=False, metadata={"title": "Its clock is set, and to the meter's time zone"})

    def __post_init__(self) -> None:
        fail_with(role_problems(self.role))


class Meter(MessageMeter):
    """Decodes the telemetry of one device, or of all that are heard."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        super().__init__(zone)
        self._options = options

    def _said(self, message: Message, now_ms: int) -> Said | None:
        device = _device(message.topic)
        wanted = self._options.device
        if device is None or (wanted and device and device != wanted):
            return None
        said = document(message.payload)
        said = table(said, "StatusSNS") or said
        at_ms = iso_ms(said.get("Time"), self._zone if self._options.own_time else None, now_ms)
        name = "" if wanted else name_of(device)
        return Said(device, [*_energy(said, self._options.role, name), *_sensors(said, name)], at_ms)


def _device(topic: str) -> str | None:
    """The device's own topic; "" over HTTP, where it is the only one; None where it is no telemetry."""
    if topic.startswith("/cm?"):
        return ""
    *levels, end = topic.split("/")
    if end not in _ENDS or not levels:
        return None
    return "/".join(level for level in levels if level not in _PREFIXES)


def _energy(said: Mapping[str, object], role: str, name: str) -> Iterator[Value]:
    """A value for each register and measurement; a second channel has its number in its role."""
    energy = table(said, "ENERGY")
    both_ways = "ExportActive" in energy
    for field_name, (quantity, unit) in _ENERGY.items():
        for channel, number in enumerate(numbers(energy.get(field_name)), 1):
            part = f"channel{channel}" if channel > 1 else ""
            yield Value(role_of(role, name, part, quantity), number, unit, both_ways and quantity == "power")


def _sensors(said: Mapping[str, object], name: str) -> Iterator[Value]:
    """Temperature and the like of each sensor; where a device has several of one type, their names are in the roles."""
    sensors = {key: inner for key, inner in said.items() if isinstance(inner, dict) and key not in _OF_THE_DEVICE}
    fahrenheit = said.get("TempUnit") == "F"
    for field_name, (quantity, unit) in _SENSORS.items():
        having = {key: each[field_name] for key, each in sensors.items() if numbers(each.get(field_name))}
        for key, number in having.items():
            part = name_of(key) if len(having) > 1 else ""
            celsius = _celsius(number) if fahrenheit and unit == "°C" else number
            yield Value(role_of(quantity, name, part), celsius, unit)


def _celsius(fahrenheit: object) -> str | None:
    """Degrees Celsius to the thousandth, which is finer than any of these sensors."""
    degrees = decimal(fahrenheit)
    return None if degrees is None else str(((degrees - 32) * 5 / 9).quantize(Decimal("0.001")))
