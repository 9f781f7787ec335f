"""What meters over messages share: the stream of lines, which of its values are believed, and from when they are.

A meter is a `MessageMeter` with a `_said` of its own, which takes one message apart into what it says:

    tele/lamp/SENSOR {"ENERGY":{"Total":1.23}}  ->  Said("lamp", [Value("plug.lamp.energy", "1.23", "kWh")])

All the rest is the same for all of them, and here. A value is refused, and counted, where it is no number, negative and
no temperature, or more than a household's meter can show; so is every value of a message whose time is more than a day
ahead. Whether a register went back is judged later, by what knows its history. Without a time of its own a message
is of now, and one that the broker kept from earlier is of nobody knows when: its values are left.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from appliance.errors import UserError
from appliance.messages import Lines, Message, Number, parsed
from appliance.meters import Counters
from appliance.obis import in_unit, plausible
from appliance.records import Frame, MeterReading

AHEAD_MS = 86_400_000
"""How far a stated time may be ahead of the box's own, which may be wrong itself."""

ROLES = 512
"""How many different roles one meter may give: more than any house has devices."""

_NEVER_SET_MS = 1_420_070_400_000  # 2015: older than every device that is read here; a clock that was never set
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
_FINEST = Decimal("0.000001")  # as fine as the store keeps; what is finer is the noise of a device's floats
_NAME = re.compile(r"[^\w-]+")
_ROLE = re.compile(r"\w[\w-]*(\.[\w-]+)*")
_POWER = re.compile(r"(.+)\.power((?:\.l[123])?)")
_NAME_CHARACTERS = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

KEPT_IN = {"kWh": "kWh", "Wh": "kWh", "kW": "kW", "W": "kW", "m3": "m3", "l": "m3", "GJ": "GJ", "MJ": "GJ"}
"""Stated unit -> the unit in which the series is kept; the others are kept as stated."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value as stated. `both_ways`: it may flow out, which is another series: one of the two is always 0."""

    role: str
    text: object
    unit: str
    both_ways: bool = False
    factor: Decimal = Decimal(1)
    at_ms: int | None = None  # where it has a time of its own beside the message's


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says: of which device, at which time if it states one, and what. `at_ms` may be far off."""

    device: str
    values: Iterable[Value]
    at_ms: int | None = None


class NotReadableError(Exception):
    """A message under a topic of ours that is not what it should be; it is refused and counted."""


class LineMeter(ABC):
    """The part of a meter that is the same for whatever comes in lines of messages."""

    def __init__(self) -> None:
        self.counters = Counters()
        self._lines = Lines()

    def poll(self, now_ms: int) -> bytes:
        """Nothing: the link asks, or a device speaks by itself."""
        return b""

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        """A frame for each message that says something of use."""
        unread = self._lines.refused
        found = [self._frame(message, now_ms) for message in self._lines.feed(data)]
        self.counters.refused += self._lines.refused - unread
        return [frame for frame in found if frame]

    @abstractmethod
    def _frame(self, message: Message, now_ms: int) -> Frame | None:
        """The frame of one message; None, counted where it should have been one, where it says nothing of use."""


class MessageMeter(LineMeter):
    """The part of a meter that is the same for every protocol of messages."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self._zone = zone
        self._roles: set[str] = set()

    @abstractmethod
    def _said(self, message: Message, now_ms: int) -> Said | None:
        """What a message says; None where it is none of this protocol's. Raises NotReadableError."""

    def _frame(self, message: Message, now_ms: int) -> Frame | None:
        try:
            said = self._said(message, now_ms)
            readings = list(_readings(said, message.retained, now_ms)) if said else []
        except NotReadableError:
            self.counters.refused += 1
            return None
        believed = tuple(reading for reading in readings if reading and self._has_room(reading.role))
        self.counters.refused += len(believed) < len(readings)
        self.counters.telegrams += bool(believed)
        return Frame(said.device, believed) if said and believed else None

    def _has_room(self, role: str) -> bool:
        """Whether a role is known, or one more is possible: who may publish under any name does not fill the store."""
        if len(self._roles) < ROLES:
            self._roles.add(role)
        return role in self._roles


def _readings(said: Said, retained: bool, now_ms: int) -> Iterator[MeterReading | None]:
    """The readings of a message; None for each value that is not believed."""
    for value in said.values:
        stated = said.at_ms if value.at_ms is None else value.at_ms
        if stated is not None and stated < _NEVER_SET_MS:
            stated = None
        if stated is None and retained:
            continue
        if stated is not None and stated > now_ms + AHEAD_MS:
            yield None
            continue
        at_ms = now_ms if stated is None else stated
        both = [_reading(role, at_ms, number, value.unit, stated is not None) for role, number in _directions(value)]
        yield from both if all(both) else [None]  # of an absurd value, the 0 of the other way is no reading either


def _directions(value: Value) -> list[tuple[str, Decimal | None]]:
    """The value under its role, and what flows out under `.export`, if it may."""
    number = decimal(value.text)
    if number is None:
        return [(value.role, None)]
    number = number * value.factor
    out = opposite(value.role)
    both_ways = value.both_ways or number < 0 or value.role.startswith("electricity.")
    if not out or not both_ways:
        return [(value.role, number)]
    return [(value.role, max(number, Decimal(0))), (out, max(-number, Decimal(0)))]


def opposite(role: str) -> str:
    """The role of what flows out where `role` is a power; "" where it is none."""
    match = _POWER.fullmatch(role)
    return f"{match[1]}.power.export{match[2]}" if match else ""


def _reading(role: str, at_ms: int, number: Decimal | None, unit: str, stated: bool) -> MeterReading | None:
    kept_in = KEPT_IN.get(unit, unit)
    value = None if number is None else in_unit(number, unit, kept_in)
    if value is None or not plausible(value, kept_in):
        return None
    exact = value if int(value.as_tuple().exponent) >= -6 else value.quantize(_FINEST)
    return MeterReading(role, at_ms, exact, kept_in, stated=stated)


def decimal(text: object) -> Decimal | None:
    """The number that a device wrote, exact; None where it wrote something else."""
    said = text.strip() if isinstance(text, str) and len(text) <= 64 else ""
    return Decimal(said) if _NUMBER.fullmatch(said) else None


def numbers(said: object) -> list[Number]:
    """The numbers in what is a number or, of a device with several channels, a list of them."""
    return [each for each in (said if isinstance(said, list) else [said]) if isinstance(each, Number)]


def document(payload: str) -> Mapping[str, object]:
    """A payload's JSON object. Raises NotReadableError where it is none, too deep, or holds a NaN."""
    said = parsed(payload)
    if not isinstance(said, dict):
        raise NotReadableError
    return said


def table(said: Mapping[str, object], *path: str) -> Mapping[str, object]:
    """The object in an object under these names, empty where there is none."""
    for name in path:
        inner = said.get(name)
        said = inner if isinstance(inner, dict) else {}
    return said


def text(said: Mapping[str, object], name: str) -> str:
    """The text under a name, "" where there is none."""
    value = said.get(name)
    return value if isinstance(value, str) else ""


def name_of(text: str) -> str:
    """A device's name as a part of a role: letters, digits and `-`."""
    return _NAME.sub("-", text[:_NAME_CHARACTERS]).strip("-")


def role_of(prefix: str, *parts: str) -> str:
    """A role of its parts, those that are not empty. The house's own energy is called import."""
    if prefix == "electricity":
        parts = tuple({"energy": "import", "energy.export": "export"}.get(part, part) for part in parts)
    return ".".join(part for part in (prefix, *parts) if part)


def role_problems(role: str) -> list[str]:
    """What is wrong with a role that a person wrote."""
    good = not role or _ROLE.fullmatch(role)
    return [] if good else [f"role: {role!r} is no role; write one such as electricity, plug or solar.east"]


def fail_with(problems: list[str]) -> None:
    """Raises UserError where there are any."""
    if problems:
        raise UserError(problems)


def unix_ms(said: object) -> int | None:
    """Seconds since 1970 UTC, as JSON has them -> milliseconds; None where that is no number."""
    seconds = decimal(said)
    return int(seconds * 1000) if seconds is not None and abs(seconds) < 10**11 else None


def iso_ms(said: object, zone: ZoneInfo | None, now_ms: int) -> int | None:
    """ISO 8601 -> milliseconds since 1970 UTC. Without an offset it is in `zone`, and None where that is None."""
    try:
        at = datetime.fromisoformat(said) if isinstance(said, str) and 19 <= len(said) <= 40 else None
        if at is None or (at.tzinfo is None and zone is None):
            return None
        return _ms(at) if at.tzinfo else local_ms(at, zone, now_ms)
    except (ValueError, OverflowError):
        return None


def local_ms(at: datetime, zone: ZoneInfo | None, now_ms: int) -> int | None:
    """Local time -> milliseconds since 1970 UTC; None for a time that a change of clocks skips.

    In a doubled hour it is the latest pass that was before `now_ms`.
    """
    local = at.replace(tzinfo=zone)
    earlier, later = _ms(local), _ms(local.replace(fold=1))
    if earlier > later:
        return None
    return later if later <= now_ms else earlier


def compact_ms(said: object, zone: ZoneInfo, now_ms: int) -> int | None:
    """Local `YYMMDDhhmmss`, its leading zero perhaps gone -> milliseconds since 1970 UTC; None for what is no time."""
    digits = said.zfill(12) if isinstance(said, str) else ""
    if not re.fullmatch("[0-9]{12}", digits):
        return None
    year, month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    try:
        return local_ms(datetime(2000 + year, month, day, hour, minute, second), zone, now_ms)
    except (ValueError, OverflowError):
        return None


def _ms(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
