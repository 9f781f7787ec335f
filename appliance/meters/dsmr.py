r"""DSMR and ESMR: the P1 port of Dutch electricity meters and of those built after them (2.2, 3, 4, 5).

A telegram, from DSMR 4 on (P1 Companion Standard 5.0.2, section 6.2; line ends are CR LF):

    /ISK5\2M550T-1012                      (1) `/`, three letters of the maker, a digit, the identification
                                           (2) an empty line
    1-3:0.2.8(50)                          (3) the version of the standard, 40, 42 or 50; Belgium: 0-0:96.1.4(50217)
    0-0:1.0.0(190324150519W)               (4) local time YYMMDDhhmmss, S while summer time is active, else W
    0-0:96.1.1(4530303434...)              (5) the meter's own number, text in hexadecimal
    1-0:1.8.1(003432.827*kWh)              (6) registers and momentary values: id, value, unit (section 6.4)
    0-1:24.1.0(003)                        (7) M-Bus channel 1 to 4: the type of the device on it
    0-1:24.2.1(190324150000W)(01234.567*m3)    (8) when it was read, and its value (section 6.10)
    !D4BA                                  (9) CRC-16 in hexadecimal over (1) up to and with the `!`

The objects are listed in section 6.12. DSMR 2.2 and 3 end with a bare `!`, state no version, give (4) without a flag
or not at all, and the M-Bus value over two lines, with local time that has no flag either:

    0-1:24.3.0(121030140000)(00)(60)(1)(0-1:24.2.1)(m3)
    (00024.123)

Readings without a time of their own carry that of their arrival, as do those of a meter whose clock was never set.

What other countries changed:

- Belgium (e-MUCS P1 1.7.1): 0-0:96.1.4 is the version, 1-0:1.4.0 the average of the running quarter of an hour,
  1-0:1.6.0 and 0-0:98.1.0 the peaks of this month and of 13 before; gas is 0-n:24.2.3, not converted to 15 degrees.
  What the breaker and the limiter say is no reading.
- Luxembourg (Smarty, P1 1.1.3): encrypted, see `_p1_sealed`; the option `key` opens it. Reactive energy and power; the
  meter's name is 0-0:42.0.0.
- Sweden (branch recommendation for the local customer interface): 1-0:1.8.0 and no tariffs, reactive energy, power
  of each phase, and a clock that stays on winter time: the option `clock` says so.
- Hungary (E.ON and OPUS): four tariffs, four quadrants, power factors, frequency; the number is 0-0:96.1.0. Its
  1-0:15.8.0 adds up in and out.
- Austria and Estonia: values in Wh, W, varh and var.
- Ireland: nothing public says what the customer's port of an ESB Networks meter will send. A P1 telegram in Irish time
  is read, and that is all that is promised.
- The Dutch WarmteLink: a header without the digit, and a checksum without its leading zeros.
"""

import logging
import re
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from appliance.crc import crc16_arc
from appliance.errors import UserError
from appliance.meters import Counters
from appliance.meters._p1_sealed import Opening, ends_of
from appliance.meters._p1_telegram import Telegram, lines_of
from appliance.meters._p1_times import Clock
from appliance.records import Frame

log = logging.getLogger(__name__)

TITLE = "P1 port (DSMR: Netherlands, Belgium, Luxembourg, Sweden, Hungary and others)"
LINKS = ("serial", "tcp", "simulated")
TRIED = "566 telegrams of a DSMR 4 meter, recorded by nielsbasjes/dsmr-tools"
SILENT_S = 30.0  # one telegram a second, or every ten
CALLED = "a smart meter (DSMR P1)"
HEARD_AT = {"115200,8N1": 12, "9600,7E1": 12}  # from DSMR 4 on, and before

BUFFER_BYTES = 16_384
"""The longest telegram known (13 monthly peaks, a text of 1,024 characters in hexadecimal) has under 5 kB."""

_HEADER = re.compile(rb"/[A-Za-z]{3}[0-9-]")
_HEADER_BYTES = 5
_END = re.compile(rb"\n!(?:([0-9A-Fa-f]{4})|([0-9A-Fa-f]{0,3})\r?\n)")
_END_BYTES = 6

_LINE = re.compile(r"([0-9]+-[0-9]+:[0-9]+\.[0-9]+\.[0-9]+)(?:\*255)?((?:\([^()]*\))*)")
_WHOLE_LINE = re.compile(r"[ -'*-~]*(?:\([ -'*-~]*\))*")
_CONTINUED = re.compile(r"(?:\([^()]*\))+")
_CHECKED = re.compile(r"1-3:0\.2\.8\(|0-0:96\.1\.4\(|0-0:1\.0\.0\([0-9]*[SW]\)")
"""What only telegrams with a checksum say, a version or a flagged time: without one, such a telegram lost its end."""

_WRONG_KEY = 2
"""So many telegrams that did not open, and none that did, are no noise on the line."""

_KEY = re.compile(r"[0-9A-Fa-f]{32}")


@dataclass(frozen=True, slots=True)
class Options:
    """A telegram states its version and channels itself; what it cannot are a key, and a clock unlike the country's."""

    key: str = field(
        default="",
        repr=False,
        metadata={"title": "Key of an encrypted port (Luxembourg): 32 hexadecimal digits", "secret": True},
    )
    authentication_key: str = field(
        default="00112233445566778899AABBCCDDEEFF",
        repr=False,
        metadata={
            "title": "Authentication key of an encrypted port, the same for all unless you were told another",
            "secret": True,
        },
    )
    clock: str = field(
        default="local",
        metadata={
            "title": "The meter's clock: local, or winter where it is not put forward in summer (Sweden)",
            "choices": ("local", "winter"),
        },
    )

    def __post_init__(self) -> None:
        digits = "write the 32 hexadecimal digits that the grid operator sent you"
        checks = {
            f"key: this is none; {digits}": not self.key or _KEY.fullmatch(self.key),
            f"authentication_key: this is none; {digits}": _KEY.fullmatch(self.authentication_key),
            f"clock: {self.clock!r} is not possible; write local or winter": self.clock in ("local", "winter"),
        }
        if problems := [problem for problem, good in checks.items() if not good]:
            raise UserError(problems)


class Meter:
    """Decodes one stream of P1 telegrams; what precedes the first `/` of a stream counts as one partial telegram.

    `note` is what a person should do where nothing can be read, `wants` the option that would mend it.
    """

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        self.counters = Counters()
        self.note = ""
        self.wants: tuple[str, ...] = ()
        self._zone, self._winter = zone, options.clock == "winter"
        key, authentication_key = bytes.fromhex(options.key), bytes.fromhex(options.authentication_key)
        self._opening = Opening(key, authentication_key) if key else None
        self._buffer = bytearray()
        self._overflowed = False
        self._checksums_seen = False

    def poll(self, now_ms: int) -> bytes:
        """Nothing: a P1 port speaks by itself."""
        return b""

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        """The frames that `data` completes; `now_ms` stamps what states no time. Keeps at most BUFFER_BYTES."""
        if self._opening is None:
            return self._unsealed(data, now_ms)
        telegrams = self._opening.feed(data)
        self.counters.crc_errors += self._opening.failed
        self.counters.partial += self._opening.partial
        self._opening.failed = self._opening.partial = 0
        # The end of a line, which some leave out, ends even a telegram without a checksum.
        frames = [frame for telegram in telegrams for frame in self._text(telegram + b"\r\n", now_ms)]
        if self.counters.telegrams:
            self.note, self.wants = "", ()
        elif self.counters.crc_errors >= _WRONG_KEY:
            self._want_key("the key does not open the telegrams of this P1 port: compare it with the operator's letter")
        return frames

    def _unsealed(self, data: bytes, now_ms: int) -> list[Frame]:
        """What is fed where no key is configured. One whole APDU, before any telegram, tells that one is needed."""
        frames = self._text(data, now_ms)
        if self.counters.telegrams:
            self.note, self.wants = "", ()
        elif any(end <= len(self._buffer) for end, _ in ends_of(self._buffer)):
            self._want_key(
                "the telegrams of this P1 port are encrypted: ask the grid operator for the key, and enter it"
            )
        return frames

    def _want_key(self, note: str) -> None:
        """Says it once, since it would be true every second."""
        self.wants = ("key",)
        if self.note != note:
            self.note = note
            log.warning("%s", note)

    def _text(self, data: bytes, now_ms: int) -> list[Frame]:
        """The frames that text completes."""
        frames: list[Frame] = []
        taken = 0
        while taken < len(data):
            # An end may have begun in what was there before, so the search starts a few bytes back.
            searched = max(0, len(self._buffer) - _END_BYTES)
            room = BUFFER_BYTES - len(self._buffer)
            self._buffer += data[taken : taken + room]
            taken += room
            frames += self._completed(searched, now_ms)
            if len(self._buffer) == BUFFER_BYTES:
                self._overflow()
        return frames

    def _completed(self, searched: int, now_ms: int) -> list[Frame]:
        """Takes every ended telegram out of the buffer."""
        frames = []
        taken = 0
        while end := _END.search(self._buffer, max(searched, taken)):
            digits = end[1] or end[2]
            checksum = int(digits, 16) if digits else None
            frame = self._telegram(bytes(self._buffer[taken : end.start() + 2]), checksum, now_ms)
            frames += [frame] if frame else []
            taken = end.end()
        del self._buffer[:taken]
        return frames

    def _overflow(self) -> None:
        """No telegram is as long as the buffer: goes on from the last header in it, if that is not its beginning."""
        self.counters.partial += not self._overflowed
        starts = [header.start() for header in _HEADER.finditer(self._buffer)]
        # Without one, a header that the buffer's end cuts in two is kept.
        again = starts[-1] if starts and starts[-1] else self._buffer.rfind(b"/", BUFFER_BYTES - _HEADER_BYTES + 1)
        del self._buffer[: again if again > 0 else BUFFER_BYTES]
        self._overflowed = True

    def _telegram(self, piece: bytes, checksum: int | None, now_ms: int) -> Frame | None:
        """The frame in a piece of the stream that reaches to a final `!`; counts what becomes of the piece."""
        overflowed, self._overflowed = self._overflowed, False
        starts = [header.start() for header in _HEADER.finditer(piece)]
        start = self._start(piece, starts, checksum) if starts else None
        before = piece[: start if start is not None else starts[-1]] if starts else piece
        self.counters.partial += bool(before.strip()) and not overflowed
        return None if start is None else self._frame(piece[start:].decode("latin-1"), now_ms)

    def _start(self, piece: bytes, starts: list[int], checksum: int | None) -> int | None:
        """At which header the sound telegram begins that ends with `piece`; None, counted, where there is none.

        It is the last one, since what stands before is a telegram that lost its end; or the first, should a telegram
        hold what looks like a header.
        """
        if checksum is None:
            believed = not self._checksums_seen and _reads_as_unchecked(piece[starts[-1] :].decode("latin-1"))
            self.counters.partial += not believed
            return starts[-1] if believed else None
        for start in dict.fromkeys((starts[-1], starts[0])):
            if _sums_up(piece[start:], checksum):
                self._checksums_seen = True
                return start
        self.counters.crc_errors += 1
        return None

    def _frame(self, text: str, now_ms: int) -> Frame | None:
        """What a sound telegram says; None where it says nothing of use, or nothing that can be placed in time."""
        if not _undamaged(text):
            self.counters.refused += 1
            return None
        telegram = Telegram(text, Clock(self._zone, self._winter, now_ms))
        readings = telegram.readings()
        self.counters.refused += telegram.refused or not readings
        self.counters.telegrams += bool(readings)
        return Frame(telegram.device, tuple(readings), telegram.outages()) if readings else None


def _sums_up(telegram: bytes, checksum: int) -> bool:
    """Whether the checksum is right, over the bytes as they lie or with the carriage returns that something removed."""
    if b"\r" not in telegram and crc16_arc(telegram.replace(b"\n", b"\r\n")) == checksum:
        return True
    return crc16_arc(telegram) == checksum


def _undamaged(text: str) -> bool:
    """Whether a telegram has none of the marks of damage that one in 65,536 damaged ones brings past its checksum.

    They are parentheses without their other half, what is no ASCII, and a quantity that is stated twice.
    """
    lines = lines_of(text)
    quantities = [line.partition("(")[0] for line in lines if "*" in line]
    return all(_WHOLE_LINE.fullmatch(line) for line in lines) and len(quantities) == len(set(quantities))


def _reads_as_unchecked(text: str) -> bool:
    """Whether a telegram without a checksum reads as DSMR 2.2 and 3 write it: sound lines, each id once."""
    lines = [line for line in lines_of(text)[1:-1] if line]
    matches = [_LINE.fullmatch(line) for line in lines]
    ids = [match[1] for match in matches if match]
    sound = all(match or _CONTINUED.fullmatch(line) for match, line in zip(matches, lines, strict=True))
    return sound and len(ids) == len(set(ids)) and not _CHECKED.search(text)
