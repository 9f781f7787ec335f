"""Listening on one serial port: at each speed and framing that meters use, until one says a good frame.

The port is opened once for each, and what comes is fed to every meter that may speak so. Meters that must be spoken to
are asked last and only where a person allows it: the question could disturb another device on the same line. Where many
may be on a line, every one that answers is found. A meter that cannot be read without a key is offered with it alone,
once a good frame has proved it.
"""

import errno
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

from appliance import meters
from appliance.errors import SourceError
from appliance.finding import words
from appliance.finding.needs import KEY, Needs
from appliance.finding.offers import REFUSED, SILENT, UNKNOWN, Nothing, Offer
from appliance.finding.ports import Port
from appliance.finding.ways import CONFIRMED_S, Candidate, Way
from appliance.ingest.asking import Asking
from appliance.links import serial
from appliance.meters import Meter
from appliance.records import Frame

READ_S = 0.25
ANSWER_S = 6.0
"""How long an asked meter may say nothing at all; one that has begun has its time."""

_TEXT = frozenset((*range(0x20, 0x7F), 0x0A, 0x0D, 0x02, 0x03))
_TEXT_SHARE = 0.95
_ENOUGH_BYTES = 16

_SILENT = (
    "nothing is said here. Is the cable plugged in at both ends? Some meters speak only once the grid operator has "
    "switched their customer port on, or after a PIN was entered."
)
_SILENT_MORE = " Others must be asked: look again, and allow asking."
_SILENT_ASKED = " Modbus and M-Bus meters were asked at the usual addresses: if yours has another, ask at every one."

Heard = list[Offer | Needs | Nothing]


@dataclass(slots=True)
class Sound:
    """What came of listening one way: bytes, and how many telegrams were damaged, by meter."""

    way: Way
    bytes: int = 0
    text_bytes: int = 0
    damaged: str = ""

    @property
    def reads_as_text(self) -> bool:
        return self.bytes >= _ENOUGH_BYTES and self.text_bytes >= self.bytes * _TEXT_SHARE


class Listening:
    """One port being listened to. `say` is told what is done, `stop` ends it soon."""

    def __init__(self, port: Port, zone: ZoneInfo, say: Callable[[str], None], stop: Event) -> None:
        self._port, self._zone, self._say, self._stop = port, zone, say, stop
        self._sounds: list[Sound] = []
        self._refused: SourceError | None = None

    def look(self, tried: list[Way]) -> Heard:
        """The first meter that says a good frame, all those that answer on one line, or why there is none."""
        try:
            for way in tried:
                self._say(way.doing)
                if found := self._try(way):
                    return found
                if self._stop.is_set():
                    return [self._nothing(UNKNOWN, "you stopped before it was listened to at every speed.")]
        except SourceError as error:
            return [self._nothing(REFUSED, _refusal(error))]
        if self._refused and not self._sounds:
            return [self._nothing(REFUSED, _refusal(self._refused))]
        return [self._why(tried)]

    def _try(self, way: Way) -> Heard:
        """What is heard this way; an adapter that cannot speak so may otherwise."""
        options = serial.Options.from_text(f"{self._port.path},{way.line}")
        link = serial.Link(options)
        try:
            link.open()
        except SourceError as error:
            if _number(error) != errno.EINVAL:
                raise
            self._refused = error
            return []
        try:
            if way.search:
                return self._search(way, options, link)
            found = self._listen(way, options, link)
        finally:
            link.close()
        return [found] if found else []

    def _search(self, way: Way, options: serial.Options, link: serial.Link) -> Heard:
        """Every device that answers on this line; of one whose values nobody here knows, that it is there."""
        self._sounds.append(Sound(way))
        search = meters.search_of(way.search, options.baudrate, everywhere=way.everywhere)
        asking, progress = Asking(link, search), ""
        while not self._stop.is_set() and not search.is_over:
            data = asking.read(READ_S, _mono_ms())
            search.feed(data, _mono_ms())
            if search.progress not in ("", progress):
                progress = search.progress
                self._say(f"{way.doing}, {progress}")
        return [self._confirmed(way, options, link, *each) for each in search.found if not self._stop.is_set()]

    def _confirmed(
        self, way: Way, options: serial.Options, link: serial.Link, at: str, tried: tuple[Mapping[str, Any], ...]
    ) -> Offer | Needs | Nothing:
        """The meter from which an answer came, read with the first options that fit."""
        for meter_options in tried:
            one = Way(way.line, (Candidate(way.search, meter_options),), CONFIRMED_S, asks=True)
            if found := self._listen(one, options, link):
                return found
        called = meters.called(way.search)
        why = f"something answers at {way.spoken}, {at}, as {called} does, but it is none that this box knows."
        return self._nothing(UNKNOWN, why)

    def _listen(self, way: Way, options: serial.Options, link: serial.Link) -> Offer | Needs | None:
        """The meter of the first good frame. Of two that take it for theirs, the one who understands more."""
        decoders = [(each, _decoder(each, self._zone)) for each in way.candidates]
        asking = Asking(link, decoders[0][1])
        sound = Sound(way)
        self._sounds.append(sound)
        began_s = time.monotonic()
        while not self._stop.is_set() and time.monotonic() - began_s < _patience_s(way, sound):
            now_ms = time.time_ns() // 1_000_000
            data = asking.read(READ_S, now_ms) if way.asks else link.read(READ_S)
            sound.bytes += len(data)
            sound.text_bytes += sum(byte in _TEXT for byte in data)
            if understood := [(each, frame) for each, decoder in decoders for frame in decoder.feed(data, now_ms)[:1]]:
                best = max(understood, key=lambda each: len(each[1].readings))
                return self._offer(options, *best) if not way.asks or _fits(best[1]) else None
            if locked := next((each for each, decoder in decoders if "key" in getattr(decoder, "wants", ())), None):
                return self._needs_key(options, locked)
            damaged = (each.meter for each, decoder in decoders if decoder.counters.crc_errors)
            sound.damaged = sound.damaged or next(damaged, "")
        return None

    def _needs_key(self, options: serial.Options, candidate: Candidate) -> Needs:
        return Needs(
            kind=KEY,
            title=words.encrypted(candidate.meter, self._port.where),
            where=self._port.where,
            why=words.WRONG_KEY if candidate.secrets else words.NO_KEY,
            link="serial",
            link_options=_as_options(options),
            meter=candidate.meter,
            meter_options=dict(candidate.options),
        )

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
            meter_secrets=dict(candidate.secrets),
        )

    def _why(self, tried: list[Way]) -> Nothing:
        """The most that can be said of a port on which no meter was understood."""
        if damaged := next((each for each in self._sounds if each.damaged), None):
            called = meters.called(damaged.damaged)
            return self._nothing(
                UNKNOWN,
                f"{called} speaks at {damaged.way.spoken}, but what it says arrives damaged: "
                "look at the cable and its plugs, and keep it away from power lines.",
            )
        if not any(each.bytes for each in self._sounds):
            return self._nothing(SILENT, _SILENT + _more(tried))
        text = next((each.way for each in self._sounds if each.reads_as_text), None)
        return self._nothing(
            UNKNOWN,
            f"something speaks at {text.spoken}, but it is no meter that this box knows."
            if text
            else "something speaks, but at no speed as a meter that this box knows.",
        )

    def _nothing(self, kind: str, why: str) -> Nothing:
        return Nothing(self._port.where, kind, why)


def _more(tried: list[Way]) -> str:
    """What else a person may let us try."""
    if not any(way.asks for way in tried):
        return _SILENT_MORE
    return _SILENT_ASKED if any(way.search and not way.everywhere for way in tried) else ""


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
    return module.Meter(module.Options(**candidate.options, **candidate.secrets), zone)


def _patience_s(way: Way, sound: Sound) -> float:
    return ANSWER_S if way.asks and not sound.bytes else way.patience_s


def _mono_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _fits(frame: Frame) -> bool:
    """Whether an answer is that of the device that was asked for: a phase without any voltage is another's map."""
    return all(each.value for each in frame.readings if ".voltage" in each.role)


def _as_options(options: serial.Options) -> dict[str, Any]:
    """What differs from a link of which only the port is said."""
    said = {name: getattr(options, name) for name in ("path", "baudrate", "bytesize", "parity", "stopbits")}
    usual = serial.Options(path=options.path)
    return {name: value for name, value in said.items() if name == "path" or value != getattr(usual, name)}
