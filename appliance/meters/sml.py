"""SML: the optical head of German electricity meters (BSI TR-03109-1, annex SML 1.04; FNN EDL and mME), 9600 8N1.

Every second or so the meter sends a file of three messages, of which the second, GetList.Res (section 5.1.15), says:

    77                            (1) list of seven
    01                            (2) client
    0B 0A 01 44 5A 47 00 ...      (3) server id: the meter's own number, DIN 43863-5
    01                            (4) name of the list
    72 62 01 65 0A 9D 77 77       (5) sensor's time: (choice, value); 1 is seconds since it has power, 2 and 3 are times
    7x                            (6) the values, each a list of seven:
      77 07 01 00 01 08 00 FF         (7) OBIS, six octets A B C D E F
         64 01 01 82                  (8) status
         01                           (9) the value's own time, as (5)
         62 1E                        (10) unit (DLMS code: 1E Wh, 1B W, 23 V, 21 A)
         52 FF                        (11) scaler: the value counts in units of 10^scaler
         56 00 0A 47 2D 14            (12) value
         01                           (13) signature
    01 01                         (14) signature of the list, gateway's time

Positive power is drawn from the grid, negative is fed into it: `electricity.power` and `electricity.power.export` are
both stated, and one of them is 0. What the meter gives without its direction (15.7.0 of EDL meters), the status says:
bit 5, and bit 11 of the mME's status, whose low byte is 04; set, power is fed in.

Meters of DZG send power of 327.68 to 655.35 W as a signed number of two bytes that reads as negative. Where the
status says that power is drawn, a short negative number is read as the unsigned one that was meant.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from appliance.meters import Counters
from appliance.meters._registers import Stated, readings
from appliance.meters._sml import ChecksumError, Files, Integer, MalformedError, Node, bodies
from appliance.obis import ABSOLUTE_POWER
from appliance.records import Frame

TITLE = "SML optical head (Germany)"
TRIED = (
    "878 files of a Dr. Neuhaus meter, recorded by Apollon77/smartmeter-obis, and 31 recordings of meters of DZG, EMH, "
    "Iskra, Itron, Holley, EasyMeter and eBZ in devZer0/libsml-testing"
)
SILENT_S = 30.0  # a file a second, or every two to four
CALLED = "a smart meter (SML)"
HEARD_AT = {"9600,8N1": 6}

_GET_LIST = 0x0701
_TOTAL_POWER = "1-0:16.7.0"
_CURRENT = 255  # F: the value now, and no earlier period's
_UNITS = {30: "Wh", 27: "W", 35: "V", 33: "A", 13: "m3", 14: "m3"}
"""DLMS unit codes (Blue Book, 4.3.2) of what is kept."""

_SCALERS = range(-12, 13)
_TIMES_S = range(1_262_304_000, 4_102_444_800)
"""2010 to 2100: some meters give seconds since they have power where a time should be."""

_NEW_STATUS = 0x04  # the low byte of an mME's
_EXPORTING_NEW, _EXPORTING_OLD = 1 << 11, 1 << 5


@dataclass(frozen=True, slots=True)
class Options:
    """SML leaves nothing to choose."""


class Meter:
    """Decodes one stream of SML files."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        self.counters = Counters()
        self._files = Files(self.counters)

    def poll(self, now_ms: int) -> bytes:
        """Nothing: the optical head speaks by itself."""
        return b""

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        """The frames that `data` completes; `now_ms` stamps what states no time."""
        return [frame for messages in self._files.feed(data) for frame in self._frames(messages, now_ms)]

    def _frames(self, messages: bytes, now_ms: int) -> list[Frame]:
        """A frame for each list in a file, of which there is one."""
        try:
            lists = [_List(body, now_ms) for kind, body in bodies(messages) if kind == _GET_LIST]
        except ChecksumError:
            self.counters.crc_errors += 1
            return []
        except MalformedError:
            self.counters.refused += 1
            return []
        return [frame for each in lists if (frame := self._frame(each))]

    def _frame(self, said: "_List") -> Frame | None:
        found, refused = readings(list(said.stated()))
        self.counters.refused += bool(refused or said.refused or not found)
        self.counters.telegrams += bool(found)
        return Frame(said.device, tuple(found)) if found else None


class _Entry:
    """One value of a list (7) to (13). Raises MalformedError."""

    def __init__(self, node: Node) -> None:
        match node:
            case [bytes() as name, status, time, unit, scaler, value, _] if len(name) == 6:
                a, b, c, d, e, self.period = name
            case _:
                raise MalformedError("a value of a list has not seven members")
        self.code = f"{a}-{b}:{c}.{d}.{e}"
        self.status = status.unsigned if isinstance(status, Integer) else None
        self.at_ms = _utc_ms(time)
        self.unit = _UNITS.get(unit.unsigned, "") if isinstance(unit, Integer) else ""
        self.scaler = scaler.value if isinstance(scaler, Integer) else 0
        self.value = value


class _List:
    """One GetList.Res, taken apart. Raises MalformedError."""

    def __init__(self, node: Node, now_ms: int) -> None:
        match node:
            case [_, server, _, time, list() as values, _, _]:
                self._entries = [_Entry(value) for value in values]
            case _:
                raise MalformedError("a list has not seven members")
        self.refused = False
        self._server = server if isinstance(server, bytes) else b""
        self._time_ms, self._now_ms = _utc_ms(time), now_ms
        self._exporting = next((_exporting(each.status) for each in self._entries if each.status is not None), None)

    @property
    def device(self) -> str:
        """The server id: as DIN 43863-5 writes it, as text where it is one, else in hexadecimal."""
        number = self._server
        if len(number) == 10 and number[0] in (9, 10) and number[2:5].isalpha():
            serial = int.from_bytes(number[6:], "big")
            return f"{number[1]}{number[2:5].decode('ascii')}{number[5]:02X}{serial:08d}"
        return number.decode("ascii") if number.isalnum() else number.hex().upper()

    def stated(self) -> Iterator[Stated]:
        """The numbers of the list that have a unit which is kept; `refused` tells of others that cannot be."""
        for entry in self._entries:
            if isinstance(entry.value, Integer) and entry.period == _CURRENT and entry.unit:
                if entry.scaler not in _SCALERS:
                    self.refused = True
                    continue
                yield from self._directed(entry, Decimal(self._meant(entry, entry.value)).scaleb(entry.scaler))

    def _meant(self, entry: _Entry, number: Integer) -> int:
        """The number that a meter of DZG meant; any other's as it is."""
        wrong = entry.code == _TOTAL_POWER and self._server[2:5] == b"DZG" and self._exporting is False
        return number.unsigned if wrong and len(number.raw) <= 3 else number.value

    def _directed(self, entry: _Entry, value: Decimal) -> Iterator[Stated]:
        """A value, with its sign where the status has it; none where it is nowhere."""
        code = entry.code
        if code == ABSOLUTE_POWER:
            if self._exporting is None:
                self.refused = True
                return
            code, value = _TOTAL_POWER, -value if self._exporting else value
        at_ms = entry.at_ms if entry.at_ms is not None else self._time_ms
        yield Stated(code, value, entry.unit, self._now_ms if at_ms is None else at_ms, at_ms is not None)


def _exporting(status: int) -> bool:
    """Whether a register's status says that power is fed in."""
    return bool(status & (_EXPORTING_NEW if status & 0xFF == _NEW_STATUS else _EXPORTING_OLD))


def _utc_ms(time: Node) -> int | None:
    """A time as milliseconds since 1970 UTC; None where it is left out, a count of seconds, or cannot be.

    Choice 2 is (seconds since 1970 UTC), choice 3 is (seconds since 1970 UTC, offsets of the local time).
    """
    match time:
        case [Integer(b"\2"), Integer() as seconds] | [Integer(b"\3"), [Integer() as seconds, _, _]]:
            return seconds.unsigned * 1000 if seconds.unsigned in _TIMES_S else None
    return None
