r"""SML on the wire: files out of a stream, messages out of a file, values out of a message.

BSI TR-03109-1, annex IV, SML 1.04.

A file in transport protocol version 1 (section 8):

    1B 1B 1B 1B 01 01 01 01       (1) begin
    76 05 00 00 11 D9 62 00 ...   (2) messages; four bytes 1B within them are sent twice
    00 00                         (3) none to three fill bytes, so that the whole is a multiple of four
    1B 1B 1B 1B 1A 02 39 36       (4) end, the number of fill bytes, CRC-16/X-25 over all before it, low byte first

A message (section 5.1) is a list of six:

    76                            (5) list of six
    05 00 00 11 D9                (6) its number, octets
    62 00  62 00                  (7) group, and what to do on an error
    72 63 07 01 77 ...            (8) what it is (0701: GetList.Res), and its body
    63 7E B7                      (9) CRC-16/X-25 over (5) to (8), low byte first
    00                            (10) end of the message

A value begins with its type and length (section 6.3): bit 7 says that another length byte follows, bits 6 to 4 are the
type (0 octets, 4 boolean, 5 signed, 6 unsigned, 7 list), and bits 3 to 0 the length, of a list its members, of others
the bytes with those of the length. `01` is an optional value that is left out.

Meters are known that send a checksum's high byte first, and such as calculate CRC-16/KERMIT (Holley DTZ541).
"""

from dataclasses import dataclass

from appliance.crc import crc16_kermit, crc16_x25
from appliance.meters import Counters

FILE_BYTES = 8192
"""The longest file known, with signatures and voltages of three phases, has under 2 kB."""

_DEPTH = 8
_ESCAPE = b"\x1b\x1b\x1b\x1b"
_BEGIN = _ESCAPE + b"\x01\x01\x01\x01"
_END_BYTES = 8
_END = 0x1A
_MESSAGE = 0x76
_OCTETS, _BOOLEAN, _SIGNED, _UNSIGNED, _LIST = 0, 4, 5, 6, 7


class MalformedError(Exception):
    """What cannot be read as SML."""


class ChecksumError(Exception):
    """A message whose own checksum is wrong."""


@dataclass(frozen=True, slots=True)
class Integer:
    """A number as it was sent; how many bytes it has matters to some meters' errors."""

    raw: bytes
    signed: bool

    @property
    def value(self) -> int:
        return int.from_bytes(self.raw, "big", signed=self.signed)

    @property
    def unsigned(self) -> int:
        return int.from_bytes(self.raw, "big")


Node = bytes | bool | Integer | list["Node"] | None


class Files:
    """Takes a stream apart into files whose checksum is right. What lies between two files counts as one partial."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._buffer = bytearray()
        self._junk = False  # bytes that belong to no file were passed over
        self._counted = False  # they are what is left of a file that was counted already

    def feed(self, data: bytes) -> list[bytes]:
        """The messages (2) of every file that `data` completes. Keeps at most FILE_BYTES."""
        self._buffer += data
        files: list[bytes] = []
        while self._skip_to_begin():
            ended = self._ended()
            if ended is None:
                break
            files += [ended] if ended else []
        return files

    def _skip_to_begin(self) -> bool:
        """Whether the buffer begins with (1), once what precedes it is dropped."""
        start = self._buffer.find(_BEGIN)
        kept = len(self._buffer) - start if start >= 0 else _begun(self._buffer)
        self._junk |= kept < len(self._buffer)
        del self._buffer[: len(self._buffer) - kept]
        if start >= 0:
            self._counters.partial += self._junk and not self._counted
            self._junk = self._counted = False
        return start >= 0

    def _ended(self) -> bytes | None:
        """The messages of the file at the buffer's begin; None where it goes on, b"" where it is none, or damaged."""
        at = self._buffer.find(_ESCAPE, len(_BEGIN), FILE_BYTES)
        while at >= 0 and at + _END_BYTES <= min(len(self._buffer), FILE_BYTES):
            sign = self._buffer[at + len(_ESCAPE) : at + _END_BYTES]
            if sign[0] == _END:
                return self._checked(at)
            if sign != _ESCAPE:  # the begin of another file, or bytes were lost
                self._counters.partial += 1
                return self._dropped()
            at = self._buffer.find(_ESCAPE, at + _END_BYTES, FILE_BYTES)
        if len(self._buffer) < FILE_BYTES:
            return None
        self._counters.partial += 1
        return self._dropped()

    def _checked(self, at: int) -> bytes:
        """The messages of a file whose end (4) stands at `at`."""
        fill, stated = self._buffer[at + 5], bytes(self._buffer[at + 6 : at + 8])
        if fill > 3 or not _sums_up(bytes(self._buffer[: at + 6]), stated):
            self._counters.crc_errors += 1
            return self._dropped()
        messages = bytes(self._buffer[len(_BEGIN) : at - fill])
        del self._buffer[: at + _END_BYTES]
        return messages.replace(_ESCAPE * 2, _ESCAPE)

    def _dropped(self) -> bytes:
        """Goes on behind the begin of what is no file: another may have begun within it."""
        self._counted = self._junk = True
        del self._buffer[:1]
        return b""


def _begun(data: bytearray) -> int:
    """How many of the last bytes may be the first ones of a begin that is not complete."""
    return next(count for count in range(len(_BEGIN) - 1, -1, -1) if data.endswith(_BEGIN[:count]))


def _sums_up(data: bytes, stated: bytes) -> bool:
    """Whether a checksum is right, in either order of its bytes and by either of the ways that meters calculate it."""
    return any(crc(data).to_bytes(2, "little") in (stated, stated[::-1]) for crc in (crc16_x25, crc16_kermit))


def bodies(messages: bytes) -> list[tuple[int, Node]]:
    """What each message of a file is (8), and its body. Raises MalformedError and ChecksumError."""
    found, at = [], 0
    while at < len(messages):
        if messages[at] == 0:  # some meters fill up without counting it
            at += 1
            continue
        kind, body, at = _message(messages, at)
        found.append((kind, body))
    return found


def _message(data: bytes, start: int) -> tuple[int, Node, int]:
    """The kind and body of the message at `start`, and where the next one begins."""
    if data[start] != _MESSAGE:
        raise MalformedError("a message does not begin with a list of six")
    at, members = start + 1, list[Node]()
    for _ in range(4):
        member, at = _node(data, at, _DEPTH)
        members.append(member)
    stated, end = _node(data, at, _DEPTH)
    if not isinstance(stated, Integer) or len(stated.raw) > 2 or data[end : end + 1] != b"\0":
        raise MalformedError("a message has no end")
    if not _sums_up(data[start:at], stated.raw.rjust(2, b"\0")):
        raise ChecksumError
    match members[3]:
        case [Integer() as kind, body]:
            return kind.unsigned, body, end + 1
    raise MalformedError("a message does not say what it is")


def _node(data: bytes, at: int, depth: int) -> tuple[Node, int]:
    """The value at `at`, and where the next one begins."""
    kind, length, first = _type_and_length(data, at)
    if kind == _LIST:
        return _members(data, first, length, depth)
    end = at + length
    if end < first or end > len(data):
        raise MalformedError("a value is longer than its message")
    raw = data[first:end]
    if kind == _OCTETS:
        return raw or None, end
    if kind == _BOOLEAN and len(raw) == 1:
        return raw != b"\0", end
    if kind in (_SIGNED, _UNSIGNED) and 1 <= len(raw) <= 8:
        return Integer(raw, kind == _SIGNED), end
    raise MalformedError(f"there is no type {kind} of {len(raw)} bytes")


def _type_and_length(data: bytes, at: int) -> tuple[int, int, int]:
    """Type, length, and where what follows them begins."""
    if at >= len(data):
        raise MalformedError("a value is missing")
    kind, length, byte = data[at] >> 4 & 7, 0, 0x80
    while byte & 0x80 and at < len(data) and length < FILE_BYTES:
        byte = data[at]
        length = length << 4 | byte & 0x0F
        at += 1
    return kind, length, at


def _members(data: bytes, at: int, count: int, depth: int) -> tuple[list[Node], int]:
    if not depth or count > len(data):
        raise MalformedError("a list is too deep or too long")
    members: list[Node] = []
    for _ in range(count):
        member, at = _node(data, at, depth - 1)
        members.append(member)
    return members, at
