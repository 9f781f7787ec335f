r"""Pulses: a meter that says each unit, or a part of one, with an edge on a wire or with a flash of light.

    {"topic": "gpiochip0/17", "payload": "{\"edge_ns\": 8123456789012, \"read_ns\": 8123456912345, \"seq\": 42}"}

Such lines come from `appliance.links.gpio`. An S0 output (DIN 43864, EN 62053-31) and the light of a meter that a
photodiode sees are the same: `per_unit` pulses are one kWh, m3 or litre, as its plate says.

**When.** An edge happened at `now_ms` of its feeding less what went by from the edge to its reading, both of the
monotonic clock. Its second is a second of that timeline, so that a clock which is set changes nothing where `now_ms` is
steady.

**How much.** The pulses of a second are one reading, what was used in it (`seconds` 1), given out when the second is
over: when a later edge, or a later call without data, shows it. A second is given out once. A pulse that is found to
belong into one that is out goes into the next: none is lost, and none counts twice. What is in the second that is not
over yet is lost with the process.

**Exactly.** Where a pulse is a finite decimal (1000 to the kWh: 0.001) values have as many places as it needs, up to
nine. Where not (375 turns to the kWh), a reading has six places, and what was cut off is carried into the next: the sum
is at no time a millionth behind, and three times a third is one.

**Missed.** Where numbers are missing, the kernel had more edges than it could keep. They are pulses: they count in the
second in which that is noticed, whose reading has the quality "estimated" then, for its sum is right and its time is
not. It is one reading and not two, since a store has one value of one second.

**Refused.** An edge within `debounce_ms` of the edge before it is the same pulse: so is every one of a long tail. More
than `max_per_s` in a second of the monotonic clock are noise on the wire. So are missing numbers beyond that rate.

Of kWh there is the power as well, at a pulse: what was used since the last second that had one, by the time between
their last pulses. After a long silence it is small, and between pulses nothing is said.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from appliance.errors import UserError
from appliance.messages import Lines, Message, parsed
from appliance.meters import Counters
from appliance.obis import plausible
from appliance.records import Frame, MeterReading

TITLE = "Pulses (S0 output, a meter's light, a reed contact)"
LINKS = ("gpio",)
SILENT_S = 0.0  # nothing is used, nothing is said

_UNITS = ("kWh", "m3", "L")
_POWER = {"electricity.import": "electricity.power", "electricity.export": "electricity.power.export"}
"""The role of the power beside that of the energy, as the OBIS table has it; else it is `ROLE.power`."""

_ROLE = re.compile(r"[a-z0-9]+(\.[A-Za-z0-9_-]+)*")
_TOPIC = re.compile(r"[\w.:/+-]{1,64}")

_MOST_PLACES = 9
_CARRIED_PLACES = 6
_WATT = Decimal("0.001")
_HOUR_NS = 3600 * 10**9
_SECOND_NS = 10**9
_LONGEST_WAIT_NS = 86_400 * _SECOND_NS  # from an edge to its reading; what says more is no edge of ours
_MOST_DIGITS = 19


@dataclass(frozen=True, slots=True)
class Options:
    """What a pulse is. 1000 to the kWh is usual, 100 to the m3 of gas, 1 to the litre of water."""

    per_unit: Decimal = field(default=Decimal(1000), metadata={"title": "Pulses to the unit"})
    unit: str = field(default="kWh", metadata={"title": "Unit", "choices": _UNITS})
    role: str = field(default="electricity.import", metadata={"title": "What is counted"})
    debounce_ms: Decimal = field(
        default=Decimal(2), metadata={"title": "Milliseconds within which edges are one pulse"}
    )
    max_per_s: int = field(default=200, metadata={"title": "Pulses a second beyond which it is noise"})

    def __post_init__(self) -> None:
        checks = {
            f"per_unit: {self.per_unit} is out of range; write 0.001 to 1000000": Decimal("0.001")
            <= self.per_unit
            <= 10**6,
            f"unit: {self.unit!r} is not possible; write {', '.join(_UNITS)}": self.unit in _UNITS,
            f"role: {self.role!r} is no role; write one such as electricity.import, gas or water": _ROLE.fullmatch(
                self.role
            ),
            f"debounce_ms: {self.debounce_ms} is out of range; write 0 to 1000": 0 <= self.debounce_ms <= 1000,
            f"max_per_s: {self.max_per_s} is out of range; write 1 to 10000": 0 < self.max_per_s <= 10_000,
        }
        if problems := [problem for problem, good in checks.items() if not good]:
            raise UserError(problems)


class _Edge(NamedTuple):
    """An edge as a message says it. `seq` is its number, if it has one."""

    topic: str
    edge_ns: int
    read_ns: int
    seq: int | None


@dataclass(slots=True)
class _Second:
    """The pulses of a second that is not over yet: those seen and missed, and the last that was seen."""

    number: int  # since 1970
    device: str
    pulses: int = 0
    missed: int = 0
    last_ns: int = 0
    last_ms: int = 0


class Meter:
    """Counts the pulses of one line."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        self.counters = Counters()
        self._options = options
        self._lines = Lines()
        self._sieve = _Sieve(options)
        self._scale = _Scale(options.per_unit)
        self._open: _Second | None = None
        self._next: int | None = None  # the first second that was not given out
        self._since_ns: int | None = None  # the last pulse of the last second that was
        self._read_ns = 0
        self._now_ms: int | None = None

    def poll(self, now_ms: int) -> bytes:
        """Nothing: pulses come by themselves."""
        return b""

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        """The seconds that are over. While `now_ms` stands still, what comes is pieces of one reading of the link."""
        frames: list[Frame] = []
        if self._now_ms is not None and now_ms > self._now_ms:
            # What is read now may have happened up to now; what happened before the last reading was read then.
            frames += self._over_by(self._now_ms if data else now_ms)
        self._now_ms = now_ms
        unread = self._lines.refused
        for message in self._lines.feed(data):
            frames += self._taken(message, now_ms)
        self.counters.refused += self._lines.refused - unread
        return frames

    def _over_by(self, now_ms: int) -> list[Frame]:
        ended = self._open is not None and (self._open.number + 1) * 1000 <= now_ms
        return self._given_out() if ended else []

    def _taken(self, message: Message, now_ms: int) -> Iterator[Frame]:
        """Takes an edge in; the frame of the second before it, where it shows that that is over."""
        edge = _edge(message)
        if edge is None:
            self.counters.refused += 1
            return
        if edge.read_ns < self._read_ns:
            yield from self._begun_again()
        self._read_ns = edge.read_ns
        sifted = self._sieve.sift(edge)
        self.counters.missed += sifted.missed
        self.counters.refused += sifted.refused
        if sifted.pulses or sifted.missed:
            yield from self._counted(edge, sifted, now_ms)

    def _begun_again(self) -> list[Frame]:
        """The monotonic clock went back, as within one run of a machine it cannot: another recording begins."""
        frames = self._given_out()
        self._sieve = _Sieve(self._options)
        self._next = self._since_ns = None
        return frames

    def _counted(self, edge: _Edge, sifted: "_Sifted", now_ms: int) -> list[Frame]:
        at_ms = now_ms - (edge.read_ns - edge.edge_ns) // 1_000_000
        number = at_ms // 1000 if self._next is None else max(at_ms // 1000, self._next)
        frames = self._given_out() if self._open is not None and number > self._open.number else []
        second = self._open = self._open or _Second(number, edge.topic)
        second.pulses += sifted.pulses + sifted.missed
        second.missed += sifted.missed
        if sifted.pulses:
            second.last_ns, second.last_ms = edge.edge_ns, at_ms
        return frames

    def _given_out(self) -> list[Frame]:
        """The frame of the open second, which is over with that."""
        second, self._open = self._open, None
        if second is None:
            return []
        self._next = second.number + 1
        quality = "estimated" if second.missed else ""
        used = self._scale.value(second.pulses)
        readings = [
            MeterReading(self._options.role, second.number * 1000, used, self._options.unit, 1, quality=quality),
            *self._power(second, quality),
        ]
        sound = tuple(each for each in readings if plausible(each.value, each.unit))
        self.counters.refused += len(readings) - len(sound)
        self.counters.telegrams += bool(sound)
        return [Frame(second.device, sound)] if sound else []

    def _power(self, second: _Second, quality: str) -> list[MeterReading]:
        """The power at the last pulse of a second, to the watt; none at a first pulse."""
        since_ns, self._since_ns = self._since_ns, second.last_ns or self._since_ns
        if self._options.unit != "kWh" or since_ns is None or second.last_ns <= since_ns:
            return []
        kwh_ns = Decimal(second.pulses * _HOUR_NS) / self._options.per_unit
        kw = (kwh_ns / (second.last_ns - since_ns)).quantize(_WATT)
        at_ms = min(max(second.last_ms, second.number * 1000), second.number * 1000 + 999)
        role = _POWER.get(self._options.role, f"{self._options.role}.power")
        return [MeterReading(role, at_ms, kw, "kW", quality=quality)]


class _Sifted(NamedTuple):
    """What an edge counts for."""

    pulses: int
    missed: int
    refused: int


class _Sieve:
    """Tells pulses from bounces and noise, and how many were missed before one. On the monotonic clock alone."""

    def __init__(self, options: Options) -> None:
        self._debounce_ns = max(1, int(options.debounce_ms * 1_000_000))  # what is the same edge is no second one
        self._max_per_s = options.max_per_s
        self._last_ns: int | None = None
        self._last_seq: int | None = None
        self._second, self._in_second = 0, 0

    def sift(self, edge: _Edge) -> _Sifted:
        since_ns = None if self._last_ns is None else abs(edge.edge_ns - self._last_ns)
        gap = self._gap(edge.seq)
        missed = min(gap, self._max_per_s * ((since_ns or 0) // _SECOND_NS + 1))
        pulse = (since_ns is None or since_ns >= self._debounce_ns) and self._has_room(edge)
        self._last_ns = edge.edge_ns
        return _Sifted(int(pulse), missed, (not pulse) + (gap > missed))

    def _gap(self, seq: int | None) -> int:
        """How many numbers are missing before this one; a lower one than the last is of a line opened again."""
        last, self._last_seq = self._last_seq, seq
        return max(0, seq - last - 1) if seq is not None and last is not None else 0

    def _has_room(self, edge: _Edge) -> bool:
        second = edge.edge_ns // _SECOND_NS
        self._in_second = self._in_second + 1 if second == self._second else 1
        self._second = second
        return self._in_second <= self._max_per_s


class _Scale:
    """Pulses -> the unit, exact in the sum, with one number of places."""

    def __init__(self, per_unit: Decimal) -> None:
        finite = (places for places in range(_MOST_PLACES + 1) if (10**places / Fraction(per_unit)).denominator == 1)
        self._places = next(finite, _CARRIED_PLACES)
        self._steps_a_pulse = 10**self._places / Fraction(per_unit)
        self._carried = Fraction(0)

    def value(self, pulses: int) -> Decimal:
        exact = self._carried + pulses * self._steps_a_pulse
        steps = exact.numerator // exact.denominator
        self._carried = exact - steps
        return Decimal(steps).scaleb(-self._places)


def _edge(message: Message) -> _Edge | None:
    """The edge that a message says; None where it is none, or cannot have been."""
    said = parsed(message.payload)
    if not isinstance(said, dict) or message.retained or not _TOPIC.fullmatch(message.topic):
        return None
    edge_ns, read_ns, seq = (_count(said.get(name)) for name in ("edge_ns", "read_ns", "seq"))
    if edge_ns is None or read_ns is None or not 0 <= read_ns - edge_ns <= _LONGEST_WAIT_NS:
        return None
    return _Edge(message.topic, edge_ns, read_ns, seq)


def _count(said: object) -> int | None:
    if not isinstance(said, str) or len(said) > _MOST_DIGITS or not (said.isascii() and said.isdecimal()):
        return None
    return int(said)
