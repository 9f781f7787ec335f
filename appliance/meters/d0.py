r"""D0: IEC 62056-21, the optical head of meters that speak text.

Mode D, push (section 6.4.5): the meter sends by itself, every second or so, often 9600 7E1. There is no checksum:

    /ESY5Q3DA1004 V3.04\r\n           (1) maker's three letters, speed, identification
    \r\n                              (2) an empty line
    1-0:1.8.0*255(00026107.7034231*kWh)\r\n     (3) data sets, see `_d0`
    !\r\n                             (4) the end

so a telegram is believed only where all of it reads well, each id stands once, and its ids and the digits of its
registers are those of the telegram before it: one lost digit makes another register of it.

Modes A, B and C, on request (sections 6.4.1 to 6.4.3): at 300 baud, 7E1,

    > /?!\r\n                         (5) the request; a device's address stands before the `!`
    < /LGZ4ZMF100AC.M26\r\n           (6) as (1)
    > ACK 0 4 0 \r\n                  (7) mode C alone: normal protocol, at speed 4, data readout
    < STX data !\r\n ETX BCC          (8) at the new speed; BCC is the XOR of all after STX up to and with ETX

Speed 0 to 6 is 300, 600, ... 19200 baud in mode C; A to F is 600 to 19200 in mode B, which has no (7) and changes the
speed after (6); any other sign is mode A, which stays at 300. The answer (7) comes 200 to 1,500 ms after (6).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from appliance.errors import UserError
from appliance.meters import Counters
from appliance.meters._d0 import Block, block
from appliance.records import Frame

TITLE = "D0 optical head (IEC 62056-21)"
TRIED = "one readout of a Landis+Gyr E350 (ZMF100AC), recorded by strommesser.ch"
SILENT_S = 900.0  # a readout at 300 baud takes a minute, and is asked for every few minutes
CALLED = "an electricity meter (D0)"
HEARD_AT = {"9600,7E1": 12, "9600,8N1": 12}
ASKED_AT = (("300,7E1", {"mode": "request"}),)

BLOCK_BYTES = 16_384
"""The longest readouts, with the values of 15 months, have under 8 kB."""

_FIRST_BAUD = 300
_SPEEDS = (300, 600, 1200, 2400, 4800, 9600, 19_200)
_MODE_C, _MODE_B = "0123456", "ABCDEF"

_ANSWER_MS = 250  # reaction time of (7), at least 200
_SILENCE_MS = 3_000  # reaction time of the meter at most 1,500, and the request's own time at 300 baud
_AGAIN_MS = 5_000

_ADDRESS = re.compile(r"[0-9A-Za-z ]{0,32}")
_HEADER = re.compile(rb"/[A-Za-z]{3}[0-9A-Za-z]")
_IDENTIFIED = re.compile(rb"/([A-Za-z]{3})([^\r\n!?/])([^\r\n]{0,64})\r\n")
_DATA = re.compile(rb"\x02([\x20-\x7e\r\n]*)!\r?\n\x03(.)", re.DOTALL)
_ENDED = re.compile(rb"\x03.", re.DOTALL)
_EMPTY = (b"", b"\r", b"\x8d")  # the last with its parity bit
_SEVEN_BITS = bytes(byte & 0x7F for byte in range(256))


@dataclass(frozen=True, slots=True)
class Options:
    """How the meter is spoken to."""

    mode: str = field(
        default="push", metadata={"title": "It speaks by itself, or on request", "choices": ("push", "request")}
    )
    address: str = field(default="", metadata={"title": "Device address (empty: the only one on the line)"})
    interval_s: float = field(default=60, metadata={"title": "Seconds between requests"})

    def __post_init__(self) -> None:
        checks = {
            f"mode: {self.mode!r} is not possible; write push or request": self.mode in ("push", "request"),
            f"address: {self.address!r} is no address; write at most 32 letters, digits and spaces": bool(
                _ADDRESS.fullmatch(self.address)
            ),
            f"interval_s: {self.interval_s} is out of range; write 5 to 86400 seconds": 5 <= self.interval_s <= 86_400,
        }
        if problems := [problem for problem, good in checks.items() if not good]:
            raise UserError(problems)


class Meter:
    """One meter, which speaks by itself or is asked."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        self.counters = Counters()
        self._side = _Push(self.counters) if options.mode == "push" else _Request(self.counters, options)

    @property
    def baudrate(self) -> int | None:
        """The speed of the line; None where it stays what it is configured to be."""
        return self._side.baudrate

    def poll(self, now_ms: int) -> bytes:
        """What is to be sent now: (5), (7), or nothing."""
        return self._side.poll(now_ms)

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        """The frames that `data` completes, of the time when it came."""
        return [frame for said, header in self._side.feed(data, now_ms) if (frame := self._frame(said, header, now_ms))]

    def _frame(self, said: Block, header: str, now_ms: int) -> Frame | None:
        frame, refused = said.frame(header, now_ms)
        self.counters.refused += refused or frame is None
        self.counters.telegrams += frame is not None
        return frame


class _Push:
    """Mode D: telegrams without a checksum, line by line."""

    baudrate: int | None = None

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._line = bytearray()
        self._lines: list[str] | None = None  # of the telegram that has begun
        self._bytes = 0
        self._shape: object = None

    def poll(self, now_ms: int) -> bytes:
        return b""

    def feed(self, data: bytes, now_ms: int) -> list[tuple[Block, str]]:
        found = []
        *ended, rest = data.split(b"\n")
        for piece in ended:
            if self._line or piece not in _EMPTY:
                self._keep(piece)
                found += self._ended(bytes(self._line))
                self._line.clear()
        self._keep(rest)
        return found

    def _keep(self, piece: bytes) -> None:
        self._line += piece[: max(0, BLOCK_BYTES - len(self._line))]

    def _ended(self, line: bytes) -> list[tuple[Block, str]]:
        """What a line completes: a telegram, or nothing."""
        text = _text(line)
        starts = [start.start() for start in _HEADER.finditer(text)]
        if starts:
            self._counters.partial += self._lines is not None
            self._lines, self._bytes = [text[starts[-1] + 1 :].decode("ascii").strip()], 0
        elif text.rstrip(b"\r").endswith(b"!"):
            return self._telegram(text.decode("ascii").strip().removesuffix("!"))
        elif self._lines is not None:
            self._append(text.decode("ascii"))
        return []

    def _append(self, line: str) -> None:
        """One more line of a telegram, unless it becomes longer than any."""
        self._bytes += len(line) + 1
        if self._lines is not None and self._bytes < BLOCK_BYTES:
            self._lines.append(line)
        else:
            self._lines = None
            self._counters.partial += 1

    def _telegram(self, last: str) -> list[tuple[Block, str]]:
        """The telegram that has ended, if it is believed."""
        lines, self._lines = self._lines, None
        said = block([*lines[1:], last]) if lines else None
        believed = said is not None and said.sound and said.each_once
        shape, self._shape = self._shape, said.shape if said is not None and believed else None
        self._counters.partial += not believed or (shape is not None and shape != self._shape)
        if lines is None or said is None or not believed or said.shape != shape:
            return []
        return [(said, lines[0])]


def _text(line: bytes) -> bytes:
    """A line of seven bits. One with parity bits, from a port that is set to 8N1, loses them where they are right."""
    if line.isascii():
        return line
    if any(byte > 0x7F and byte.bit_count() % 2 for byte in line):
        return b"?"  # no data set: nothing around it is believed
    return line.translate(_SEVEN_BITS)


class _Request:
    """Modes A, B and C: asks, acknowledges, and reads."""

    def __init__(self, counters: Counters, options: Options) -> None:
        self._counters = counters
        self._question = f"/?{options.address}!\r\n".encode()
        self._interval_ms = int(options.interval_s * 1000)
        self.baudrate: int | None = _FIRST_BAUD
        self._buffer = bytearray()
        self._header = ""
        self._speed = "0"
        self._since_ms: int | None = None
        self._asked_ms = 0
        self._wait_ms = 0
        self._phase: Callable[[int], bytes] = self._idle

    # ---- what is sent ----

    def poll(self, now_ms: int) -> bytes:
        return self._phase(now_ms)

    def _idle(self, now_ms: int) -> bytes:
        """Waits until it is time for the next request (5)."""
        if self._since_ms is not None and self._elapsed(now_ms) < self._wait_ms:
            return b""
        self._asked_ms = now_ms
        self._enter(self._identifying, now_ms)
        return self._question

    def _identifying(self, now_ms: int) -> bytes:
        """Waits for the identification (6)."""
        return self._given_up(now_ms)

    def _identified(self, now_ms: int) -> bytes:
        """Acknowledges (7) once the meter is ready to hear it; its answer comes at the speed that it offered."""
        if self._elapsed(now_ms) < _ANSWER_MS:
            return b""
        self.baudrate = _SPEEDS[_MODE_C.index(self._speed)]
        self._enter(self._reading, now_ms)
        return f"\x060{self._speed}0\r\n".encode()

    def _reading(self, now_ms: int) -> bytes:
        """Waits for the end of the data (8)."""
        return self._given_up(now_ms)

    def _given_up(self, now_ms: int) -> bytes:
        """Asks anew, a little later, where nothing comes any more."""
        if self._elapsed(now_ms) > _SILENCE_MS:
            self._counters.partial += 1
            self._rest(now_ms, _AGAIN_MS)
        return b""

    def _elapsed(self, now_ms: int) -> int:
        """Since the last byte; a clock that was set back begins anew."""
        self._since_ms = now_ms if self._since_ms is None else min(self._since_ms, now_ms)
        return now_ms - self._since_ms

    def _enter(self, phase: Callable[[int], bytes], now_ms: int) -> None:
        self._phase, self._since_ms = phase, now_ms

    def _rest(self, since_ms: int, wait_ms: int) -> None:
        """Nothing is asked until then; the next request is at 300 baud again."""
        self._buffer.clear()
        self.baudrate = _FIRST_BAUD
        self._wait_ms = min(wait_ms, self._interval_ms)
        self._enter(self._idle, since_ms)

    # ---- what is heard ----

    def feed(self, data: bytes, now_ms: int) -> list[tuple[Block, str]]:
        if not data or self._phase not in (self._identifying, self._reading):
            return []
        self._since_ms = now_ms
        self._buffer += data[:BLOCK_BYTES].translate(_SEVEN_BITS)
        if self._phase == self._identifying:
            self._identify(now_ms)
        found = self._read(now_ms) if self._phase == self._reading else []
        if len(self._buffer) > BLOCK_BYTES:
            self._counters.partial += 1
            self._rest(now_ms, _AGAIN_MS)
        return found

    def _identify(self, now_ms: int) -> None:
        """Takes the identification (6) off the buffer, with what came before it (the request's own echo)."""
        match = _IDENTIFIED.search(self._buffer)
        if match is None:
            return
        maker, sign, rest = (match[part].decode("ascii") for part in (1, 2, 3))
        self._header, self._speed = f"{maker}{sign}{rest}".strip(), sign
        del self._buffer[: match.end()]
        if sign in _MODE_B:
            self.baudrate = _SPEEDS[1 + _MODE_B.index(sign)]
        self._enter(self._identified if sign in _MODE_C else self._reading, now_ms)

    def _read(self, now_ms: int) -> list[tuple[Block, str]]:
        """The data (8), once its end is there."""
        start = self._buffer.find(b"\x02")
        if start < 0 or not _ENDED.search(self._buffer, start):
            return []
        match = _DATA.search(self._buffer)
        if match is None or _bcc(match[0][1:-1]) != match[2][0]:
            self._counters.crc_errors += 1
            self._rest(now_ms, _AGAIN_MS)
            return []
        said = block(match[1].decode("ascii").splitlines())
        self._rest(self._asked_ms, self._interval_ms)
        self._counters.refused += not said.sound  # the BCC misses what happens twice
        return [(said, self._header)] if said.sound else []


def _bcc(data: bytes) -> int:
    """Block check character: the XOR of all bytes (ISO/IEC 1155)."""
    bcc = 0
    for byte in data:
        bcc ^= byte
    return bcc
