"""Any device that publishes a number over MQTT: which topic, where in its JSON, and what it means, are configured.

    home/solar/total 1234.5                                     topic "home/solar/total", path ""
    tele/meter/SENSOR {"Time": "...", "MT175": {"E_in": 1234.5}}    topic "tele/meter/SENSOR", path "MT175.E_in"
    sensors/7 {"values": [{"v": "21.5"}], "at": 1757060280}     path "values.0.v", time_path "at"

A path is names with dots between them; a number counts in a list, from 0. A time is ISO 8601, or seconds or
milliseconds since 1970. One that states no offset is in the meter's zone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from appliance.messages import Message, Number, parsed
from appliance.meters._messages import (
    KEPT_IN,
    MessageMeter,
    NotReadableError,
    Said,
    Value,
    decimal,
    fail_with,
    iso_ms,
    role_problems,
)

TITLE = "MQTT, any device (topic and path)"
LINKS = ("mqtt", "http")
SILENT_S = 0.0  # nobody knows how often it speaks

UNITS = (*KEPT_IN, "V", "A", "°C", "%", "hPa")
_MILLISECONDS_FROM = 10**11  # as seconds, that is the year 5138


@dataclass(frozen=True, slots=True)
class Options:
    """Which number of which message, and what it measures."""

    topic: str = field(default="", metadata={"title": "Topic (empty: all that the link subscribes to)"})
    path: str = field(default="", metadata={"title": "Path in the JSON, as in ENERGY.Total (empty: a plain number)"})
    role: str = field(default="plug.energy", metadata={"title": "Role, as in electricity.import, solar.energy, gas"})
    unit: str = field(default="kWh", metadata={"title": "Unit in which it is stated", "choices": UNITS})
    factor: Decimal = field(default=Decimal(1), metadata={"title": "What it is multiplied by"})
    time_path: str = field(default="", metadata={"title": "Path of its time (empty: the time of its arrival)"})

    def __post_init__(self) -> None:
        problems = role_problems(self.role) if self.role else ["role: say what it measures, as in electricity.import"]
        if self.unit not in UNITS:
            problems.append(f"unit: {self.unit!r} is not known; write one of {', '.join(UNITS)}")
        if not (self.factor.is_finite() and 0 < abs(self.factor) <= 10**9 and len(self.factor.as_tuple().digits) <= 12):
            problems.append(f"factor: {self.factor} is no factor; write one such as 0.001")
        fail_with(problems)


class Meter(MessageMeter):
    """Decodes one number."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        super().__init__(zone)
        self._options = options

    def _said(self, message: Message, now_ms: int) -> Said | None:
        wanted = self._options
        if wanted.topic and message.topic != wanted.topic:
            return None
        if not wanted.path and not wanted.time_path:
            return Said(message.topic[:64], self._values(message.payload))
        said = parsed(message.payload)
        if said is None:
            raise NotReadableError
        found = at(said, wanted.path)
        if found is None:
            return None  # another message of the device
        if not wanted.time_path:
            return Said(message.topic[:64], self._values(found))
        at_ms = time_ms(at(said, wanted.time_path), self._zone, now_ms)
        return Said(message.topic[:64], self._values(found if at_ms is not None else None), at_ms)

    def _values(self, number: object) -> Iterator[Value]:
        yield Value(self._options.role, number, self._options.unit, factor=self._options.factor)


def at(said: object, path: str) -> object:
    """What is under a path in JSON; None where nothing is."""
    for name in path.split(".") if path else ():
        if isinstance(said, dict):
            said = said.get(name)
        elif isinstance(said, list) and name.isascii() and name.isdecimal():
            said = dict(enumerate(said)).get(int(name[:6]))
        else:
            return None
    return said


def time_ms(said: object, zone: ZoneInfo, now_ms: int) -> int | None:
    """A time as devices write it -> milliseconds since 1970 UTC; None for what is none."""
    number = decimal(said) if isinstance(said, Number | str) else None
    if number is None:
        return iso_ms(said, zone, now_ms)
    if abs(number) >= 10**15:
        return None
    return int(number if abs(number) >= _MILLISECONDS_FROM else number * 1000)
