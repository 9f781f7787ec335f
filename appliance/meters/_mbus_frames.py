"""M-Bus frames on a wire (EN 13757-2, section 5; "The M-Bus: a documentation", chapter 5).

    acknowledgement   E5
    short             10 C A checksum 16
    long              68 L L 68 C A CI data... checksum 16

C says what is asked or answered, A is the address, L counts the bytes from C on, and the checksum is their sum modulo
256. A sum does not see two bytes that changed places, nor two errors that cancel each other: so both lengths, both
start bytes, the stop, the direction, the address and the whole structure of the data (`_mbus_records`) must be right
too. What remains are two errors within values that cancel each other. Flipped bits the wire's even parity tells, where
the port checks it (`parity` of a serial link).
"""

from collections.abc import Callable
from dataclasses import dataclass

ACKNOWLEDGED = b"\xe5"
SELECTED = 0xFD  # the address of the meter that was selected by its number

MOST_BYTES = 4096
"""What is heard of an answer and of what is none before it: a line that babbles on and on costs no more."""

_RESET = 0x40  # SND_NKE
_SEND = 0x53  # SND_UD
_REQUEST = 0x5B  # REQ_UD2
_TOGGLE = 0x20  # the frame count bit: the other way round asks for the next telegram, the same for the last one again
_ANSWERS = (0x08, 0x18, 0x28, 0x38)  # RSP_UD, with and without ACD and DFC
_SELECT = 0x52  # CI of a selection
_SHORTEST = 3  # C, A and CI


def reset(address: int) -> bytes:
    """Makes a meter begin anew: its next telegram is the first one."""
    return _short(_RESET, address)


def request(address: int, toggle: bool) -> bytes:
    """Asks for a telegram."""
    return _short(_REQUEST | _TOGGLE if toggle else _REQUEST, address)


def select(number: str) -> bytes:
    """Selects the meter of that number, of whichever maker, version and medium (EN 13757-3, selection by CI 52)."""
    body = bytes([_SEND, SELECTED, _SELECT]) + bytes.fromhex(number)[::-1] + b"\xff" * 4
    return bytes([0x68, len(body), len(body), 0x68]) + body + bytes([_sum(body), 0x16])


def _short(control: int, address: int) -> bytes:
    body = bytes([control, address])
    return b"\x10" + body + bytes([_sum(body), 0x16])


def _sum(body: bytes) -> int:
    return sum(body) % 256


@dataclass(frozen=True, slots=True)
class Long:
    """A long frame that a meter sent."""

    address: int
    kind: int  # the CI field
    data: bytes

    @property
    def number(self) -> str:
        """The meter's eight digits, with which the data of every kind begins."""
        return self.data[3::-1].hex()


class Listening:
    """Waits for one answer. Keeps no more than a long frame has bytes, hears no more than MOST_BYTES."""

    def __init__(self) -> None:
        self.wrong_checksum = False
        self._heard_bytes = 0
        self._buffer = bytearray()

    @property
    def heard(self) -> bool:
        return self._heard_bytes > 0

    def acknowledged(self, data: bytes) -> bool:
        """Whether an acknowledgement is among the bytes."""
        return ACKNOWLEDGED in self._taken(data)

    def long(self, data: bytes, is_wanted: Callable[[Long], bool] = lambda long: True) -> Long | None:
        """The first long frame that is wanted and that `data` completes."""
        self._buffer += self._taken(data)
        while (start := self._buffer.find(0x68)) >= 0:
            del self._buffer[:start]
            length = self._length()
            if length is None:
                return None
            frame = self._checked(bytes(self._buffer[4 : 6 + length])) if length else None
            if frame and is_wanted(frame):
                return frame
            del self._buffer[:1]
        self._buffer.clear()
        return None

    def _taken(self, data: bytes) -> bytes:
        data = data[: MOST_BYTES - self._heard_bytes]
        self._heard_bytes += len(data)
        return data

    def _length(self) -> int | None:
        """L of the long frame in front; 0 where there is none, None where more must come."""
        head = self._buffer[:4]
        length = head[1] if len(head) > 1 else _SHORTEST
        if length < _SHORTEST or not bytes([0x68, length, length, 0x68]).startswith(head):
            return 0
        return length if len(head) == 4 and len(self._buffer) >= length + 6 else None

    def _checked(self, rest: bytes) -> Long | None:
        """The frame of these bytes from C on; None where it is no sound answer."""
        body, checksum, stop = rest[:-2], rest[-2], rest[-1]
        if stop != 0x16 or body[0] not in _ANSWERS:
            return None
        if _sum(body) != checksum:
            self.wrong_checksum = True
            return None
        return Long(body[1], body[2], body[3:])
