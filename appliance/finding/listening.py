"""Listening on one serial port: at each speed and framing that meters use, until one says a good frame.

The port is opened once for each, and what comes is fed to every meter that may speak so. Meters that must be spoken to
are asked last and only where a person allows it: the question could disturb another device on the same line.
"""

import errno
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

from appliance import meters
from appliance.errors import SourceError
from appliance.finding import words
from appliance.finding.offers import REFUSED, SILENT, UNKNOWN, Nothing, Offer
from appliance.finding.ports import Port
from appliance.ingest.asking import Asking
from appliance.links import serial
from appliance.meters import Meter
from appliance.records import Frame

READ_S = 0.25
ANSWER_S = 6.0
"""How long an asked meter may say nothing at all; one that has begun has its time."""

ANSWERED_S = 90.0
"""How long an answer may take: a readout at 300 baud is a minute."""

_TEXT = frozenset((*range(0x20, 0x7F), 0x0A, 0x0D, 0x02, 0x03))
_TEXT_SHARE = 0.95
_ENOUGH_BYTES = 16

_SILENT = (
    "nothing is said here. Is the cable plugged in at both ends? Some meters speak only once the grid operator has "
    "switched their customer port on, or after a PIN was entered."
)
_SILENT_MORE = " Others must be asked: look again, and allow asking."


@dataclass(frozen=True, slots=True)
class Candidate:
    """A meter that may speak so, and the options that it has then."""

    meter: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Way:
    """A speed with its framing, as in 9600,7E1; who may speak so; how long to listen; whether they must be asked."""

    line: str
    candidates: tuple[Candidate, ...]
    patience_s: float
    asks: bool = False

    @property
    def spoken(self) -> str:
        """As in: 9600 baud (7E1)."""
        speed, _, framing = self.line.partition(",")
        return f"{speed} baud ({framing})"


@dataclass(slots=True)
class Heard:
    """What came of listening one way: bytes, and how many telegrams were damaged, by meter."""

    way: Way
    bytes: int = 0
    text_bytes: int = 0
    damaged: str = ""

    @property
    def reads_as_text(self) -> bool:
        return self.bytes >= _ENOUGH_BYTES and self.text_bytes >= self.bytes * _TEXT_SHARE


def ways(*, asks: bool) -> list[Way]:
    """How meters may be heard: the fastest first, and after all of them those that must be asked."""
    heard: dict[str, list[tuple[str, float]]] = {}
    for name in meters.names():
        for line, within_s in meters.heard_at(name).items():
            heard.setdefault(line, []).append((name, within_s))
    found = [
        # DSMR before D0: of telegrams that read as both, D0 gets the number wrong.
        Way(line, tuple(Candidate(name) for name, _ in reversed(said)), max(within_s for _, within_s in said))
        for line, said in heard.items()
    ]
    found.sort(key=lambda way: (-int(way.line.partition(",")[0]), way.line))
    return found + ([*_asked()] if asks else [])


def _asked() -> Iterator[Way]:
    for name in meters.names():
        for line, options in meters.asked_at(name):
            yield Way(line, (Candidate(name, options),), ANSWERED_S, asks=True)


class Listening:
    """One port being listened to. `say` is told what is done, `stop` ends it soon."""

    def __init__(self, port: Port, zone: ZoneInfo, say: Callable[[str], None], stop: Event) -> None:
        self._port, self._zone, self._say, self._stop = port, zone, say, stop
        self._heard: list[Heard] = []
        self._refused: SourceError | None = None

    def look(self, tried: list[Way]) -> Offer | Nothing:
        """The first meter that says a good frame, or why there is none."""
        try:
            for way in tried:
                self._say(f"{'asking' if way.asks else 'listening'} at {way.spoken}")
                if offer := self._try(way):
                    return offer
                if self._stop.is_set():
                    return self._nothing(UNKNOWN, "you stopped before it was listened to at every speed.")
        except SourceError as error:
            return self._nothing(REFUSED, _refusal(error))
        if self._refused and not self._heard:
            return self._nothing(REFUSED, _refusal(self._refused))
        return self._why(asked=any(way.asks for way in tried))

    def _try(self, way: Way) -> Offer | None:
        """The meter that is heard this way; an adapter that cannot speak so may otherwise."""
        options = serial.Options.from_text(f"{self._port.path},{way.line}")
        link = serial.Link(options)
        try:
            link.open()
        except SourceError as error:
            if _number(error) != errno.EINVAL:
                raise
            self._refused = error
            return None
        try:
            found = self._listen(way, link)
        finally:
            link.close()
        return self._offer(options, *found) if found else None

    def _listen(self, way: Way, link: serial.Link) -> tuple[Candidate, Frame] | None:
        """The first good frame. Of two meters that take it for theirs, the one who understands more."""
        decoders = [(each, _decoder(each, self._zone)) for each in way.candidates]
        asking = Asking(link, decoders[0][1])
        heard = Heard(way)
        self._heard.append(heard)
        began_s = time.monotonic()
        while not self._stop.is_set() and time.monotonic() - began_s < _patience_s(way, heard):
            now_ms = time.time_ns() // 1_000_000
            data = asking.read(READ_S, now_ms) if way.asks else link.read(READ_S)
            heard.bytes += len(data)
            heard.text_bytes += sum(byte in _TEXT for byte in data)
            if understood := [(each, frame) for each, decoder in decoders for frame in decoder.feed(data, now_ms)[:1]]:
                best = max(understood, key=lambda each: len(each[1].readings))
                return best if not way.asks or _fits(best[1]) else None
            damaged = (each.meter for each, decoder in decoders if decoder.counters.crc_errors)
            heard.damaged = heard.damaged or next(damaged, "")
        return None

    def _offer(self, options: serial.Options, candidate: Candidate, frame: Frame) -> Offer:
        return Offer(
            title=words.title(candidate.meter, self._port.where, frame.device, frame.readings),
            where=self._port.where,
            link="serial",
            meter=candidate.meter,
            link_options=_as_options(options),
            meter_options=dict(candidate.options),
            device=frame.device,
            readings=frame.readings,
            hint=words.hint(candidate.meter, frame.readings),
        )

    def _why(self, *, asked: bool) -> Nothing:
        """The most that can be said of a port on which no meter was understood."""
        if damaged := next((each for each in self._heard if each.damaged), None):
            called = meters.called(damaged.damaged)
            return self._nothing(
                UNKNOWN,
                f"{called} speaks at {damaged.way.spoken}, but what it says arrives damaged: "
                "look at the cable and its plugs, and keep it away from power lines.",
            )
        if not any(each.bytes for each in self._heard):
            return self._nothing(SILENT, _SILENT + ("" if asked else _SILENT_MORE))
        text = next((each.way for each in self._heard if each.reads_as_text), None)
        return self._nothing(
            UNKNOWN,
            f"something speaks at {text.spoken}, but it is no meter that this box knows."
            if text
            else "something speaks, but at no speed as a meter that this box knows.",
        )

    def _nothing(self, kind: str, why: str) -> Nothing:
        return Nothing(self._port.where, kind, why)


def _refusal(error: SourceError) -> str:
    """Why a port cannot be listened to, and what to do before looking again."""
    number = _number(error)
    if number in (errno.EBUSY, errno.EAGAIN):
        return "another program is using it: stop that program, and look again."
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return "it was pulled out: plug it in, and look again."
    return f"{error}."


def _number(error: SourceError) -> object:
    """The system's number of what went wrong, which termios gives in its own way."""
    cause = error.__cause__
    return getattr(cause, "errno", None) or next(iter(cause.args if cause else ()), None)


def _decoder(candidate: Candidate, zone: ZoneInfo) -> Meter:
    module = meters.named(candidate.meter)
    return module.Meter(module.Options(**candidate.options), zone)


def _patience_s(way: Way, heard: Heard) -> float:
    return ANSWER_S if way.asks and not heard.bytes else way.patience_s


def _fits(frame: Frame) -> bool:
    """Whether an answer is that of the device that was asked for: a phase without any voltage is another's map."""
    return all(each.value for each in frame.readings if ".voltage" in each.role)


def _as_options(options: serial.Options) -> dict[str, Any]:
    """What differs from a link of which only the port is said."""
    said = {name: getattr(options, name) for name in ("path", "baudrate", "bytesize", "parity", "stopbits")}
    usual = serial.Options(path=options.path)
    return {name: value for name, value in said.items() if name == "path" or value != getattr(usual, name)}
