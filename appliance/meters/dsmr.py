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

Readings without a time of their own carry that of their arrival, as do those of a meter whose clock was never set (it
states 2000 or 1970).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from appliance.crc import crc16_arc
from appliance.meters import Counters
from appliance.obis import MBUS_DEVICES, REGISTERS, Quantity, in_unit, plausible
from appliance.records import Frame, MeterReading

TITLE = "DSMR P1 port (Netherlands, Belgium and others)"
TRIED = "566 telegrams of a DSMR 4 meter, recorded by nielsbasjes/dsmr-tools"
SILENT_S = 30.0  # one telegram a second, or every ten

BUFFER_BYTES = 16_384
"""The longest telegram known (13 monthly peaks, a text of 1,024 characters in hexadecimal) has under 5 kB."""

_HEADER = re.compile(rb"/[A-Za-z]{3}[0-9]")
_HEADER_BYTES = 5
_END = re.compile(rb"\n!(?:([0-9A-Fa-f]{4})|\r?\n)")
_END_BYTES = 6

_LINE = re.compile(r"([0-9]+-[0-9]+:[0-9]+\.[0-9]+\.[0-9]+)(?:\*255)?((?:\([^()]*\))*)")
_CONTINUED = re.compile(r"(?:\([^()]*\))+")
_VALUE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,7})?)\*([A-Za-z0-9]{1,4})\)")
_MBUS = re.compile(r"0-([1-4]):(?:24\.1\.0|24\.2\.[123]|24\.3\.0)")
_MBUS_READING = re.compile(r"\(([0-9]{12}[SW]?)\)\(([0-9]{1,12}(?:\.[0-9]{1,7})?)\*([A-Za-z0-9]{1,4})\)")
_MBUS_SPLIT = re.compile(
    r"\(([0-9]{12})\)\([^()]*\)\([^()]*\)\([^()]*\)\([^()]*\)\(([A-Za-z0-9]{1,4})\)\(([0-9]{1,12}(?:\.[0-9]{1,7})?)\)"
)
_TIME = re.compile(r"([0-9]{12})([SW]?)")

_CHECKED = re.compile(r"1-3:0\.2\.8\(|0-0:96\.1\.4\(|0-0:1\.0\.0\([0-9]*[SW]\)")
"""What only telegrams with a checksum say, a version or a flagged time: without one, such a telegram lost its end."""

_NEVER_SET_YEARS = frozenset({"00", *(str(year) for year in range(70, 100))})
"""A clock that was never set counts from 2000 or from 1970."""


@dataclass(frozen=True, slots=True)
class Options:
    """P1 leaves nothing to choose: version and channels are stated by the telegram itself."""


@dataclass(slots=True)
class _Channel:
    """What a telegram says of one M-Bus channel."""

    device_type: str = ""
    stamp: str = ""
    value: str = ""
    unit: str = ""


class Meter:
    """Decodes one stream of P1 telegrams; what precedes the first `/` of a stream counts as one partial telegram."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        self.counters = Counters()
        self._zone = zone
        self._buffer = bytearray()
        self._overflowed = False
        self._checksums_seen = False

    def poll(self, now_ms: int) -> bytes:
        """Nothing: a P1 port speaks by itself."""
        return b""

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        """The frames that `data` completes; `now_ms` stamps what states no time. Keeps at most BUFFER_BYTES."""
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
            checksum = None if end[1] is None else int(end[1], 16)
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
        telegram = _Telegram(text, self._zone, now_ms)
        readings = telegram.readings()
        self.counters.refused += telegram.refused or not readings
        self.counters.telegrams += bool(readings)
        return Frame(telegram.device, tuple(readings)) if readings else None


def _sums_up(telegram: bytes, checksum: int) -> bool:
    """Whether the checksum is right, over the bytes as they lie or with the carriage returns that something removed."""
    if b"\r" not in telegram and crc16_arc(telegram.replace(b"\n", b"\r\n")) == checksum:
        return True
    return crc16_arc(telegram) == checksum


def _reads_as_unchecked(text: str) -> bool:
    """Whether a telegram without a checksum reads as DSMR 2.2 and 3 write it: sound lines, each id once."""
    lines = [line for line in _lines(text)[1:-1] if line]
    matches = [_LINE.fullmatch(line) for line in lines]
    ids = [match[1] for match in matches if match]
    sound = all(match or _CONTINUED.fullmatch(line) for match, line in zip(matches, lines, strict=True))
    return sound and len(ids) == len(set(ids)) and not _CHECKED.search(text)


def _lines(text: str) -> list[str]:
    return text.replace("\r", "").split("\n")


class _Telegram:
    """The lines of one sound telegram, taken apart."""

    def __init__(self, text: str, zone: ZoneInfo, now_ms: int) -> None:
        self.refused = False
        self._zone = zone
        self._now_ms = now_ms
        self._stated: list[tuple[Quantity, str]] = []
        self._channels: dict[int, _Channel] = {}
        self._stamp = ""
        self._equipment = ""
        lines = _lines(text)
        self._header = lines[0][1:].strip()
        for line, following in pairwise(lines[1:]):
            self._line(line, following)

    @property
    def device(self) -> str:
        """The meter's own number, else its header."""
        return _from_hexadecimal(self._equipment) or self._header

    def readings(self) -> list[MeterReading]:
        """The meter's own readings in the telegram's order, then the M-Bus channels'; `refused` tells of others."""
        at_ms = self._at_ms()
        if at_ms is None:
            return self._refuse()
        readings = []
        for quantity, stated in self._stated:
            match = _VALUE.fullmatch(stated)
            readings += self._reading(quantity, at_ms, match[1], match[2], self._has_time) if match else self._refuse()
        for channel in sorted(self._channels):
            readings += self._channel_readings(channel, {reading.role for reading in readings})
        return readings

    def _line(self, line: str, following: str) -> None:
        """Sorts one line `id(value)...`; `following` may be the rest of an M-Bus value of DSMR 2.2."""
        code, _, rest = line.partition("(")
        code = code.removesuffix("*255")
        if quantity := REGISTERS.get(code):
            self._stated += [(quantity, rest)] if rest != ")" else []
        elif code == "0-0:1.0.0":
            self._stamp = rest.removesuffix(")")
        elif code == "0-0:96.1.1":
            self._equipment = rest.removesuffix(")")
        elif match := _MBUS.fullmatch(code):
            channel = self._channels.setdefault(int(match[1]), _Channel())
            self._mbus_line(channel, code, f"({rest}", following)

    def _mbus_line(self, channel: _Channel, code: str, values: str, following: str) -> None:
        """Notes what one line says of an M-Bus channel; a channel without a device states empty values."""
        if code.endswith(":24.1.0"):
            channel.device_type = values[1:-1]
        elif code.endswith(":24.3.0"):
            if match := _MBUS_SPLIT.fullmatch(values + following):
                channel.stamp, channel.unit, channel.value = match[1], match[2], match[3]
        elif match := _MBUS_READING.fullmatch(values):
            channel.stamp, channel.value, channel.unit = match[1], match[2], match[3]

    def _channel_readings(self, number: int, taken: set[str]) -> list[MeterReading]:
        """The reading of one M-Bus channel, if it has any; a second device of a kind has its channel in its role."""
        channel = self._channels[number]
        device_type = int(channel.device_type) if channel.device_type.isdecimal() else 0
        quantity = MBUS_DEVICES.get(device_type)
        if quantity is None or not channel.value:
            return []
        if quantity.role in taken:
            quantity = Quantity(f"{quantity.role}.channel{number}", quantity.unit)
        at_ms = None if _never_set(channel.stamp) else _utc_ms(channel.stamp, self._zone, self._now_ms)
        return self._refuse() if at_ms is None else self._reading(quantity, at_ms, channel.value, channel.unit)

    @property
    def _has_time(self) -> bool:
        return bool(self._stamp) and not _never_set(self._stamp)

    def _at_ms(self) -> int | None:
        """The telegram's own time, or that of its arrival where it has none; None where its own cannot be."""
        if not self._has_time:
            return self._now_ms
        return _utc_ms(self._stamp, self._zone, self._now_ms)

    def _reading(
        self, quantity: Quantity, at_ms: int, text: str, unit: str, has_time: bool = True
    ) -> list[MeterReading]:
        """One reading; none, and a note of it, where the unit or the value cannot be."""
        value = in_unit(Decimal(text), unit, quantity.unit)
        if value is None or not plausible(value, quantity.unit):
            return self._refuse()
        return [MeterReading(quantity.role, at_ms, value, quantity.unit, stated=has_time)]

    def _refuse(self) -> list[MeterReading]:
        self.refused = True
        return []


def _from_hexadecimal(text: str) -> str:
    """The text that hexadecimal digits stand for; as it is where it is none."""
    try:
        decoded = bytes.fromhex(text).decode("ascii")
    except ValueError:
        return text
    return decoded.strip() if decoded.isprintable() else text


def _never_set(stamp: str) -> bool:
    return stamp[:2] in _NEVER_SET_YEARS


def _utc_ms(stamp: str, zone: ZoneInfo, now_ms: int) -> int | None:
    """Local `YYMMDDhhmmss` with S, W or nothing -> milliseconds since 1970 UTC; None for a time that never was.

    Of a doubled hour S means the first pass, which has the larger offset, and W the second. Without a flag it is the
    latest pass that was before `now_ms`. Elsewhere the zone alone decides.
    """
    match = _TIME.fullmatch(stamp)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(match[1][at : at + 2]) for at in range(0, 12, 2))
    try:
        local = datetime(2000 + year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
    earlier, later = _ms(local), _ms(local.replace(fold=1))
    if earlier > later:  # only in a skipped hour: fold 0 takes the offset before it, which is the smaller one
        return None
    return later if match[2] == "W" or (not match[2] and later <= now_ms) else earlier


def _ms(local: datetime) -> int:
    return (local - _EPOCH) // timedelta(milliseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
