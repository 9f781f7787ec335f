"""Modbus frames: one question for registers, and its answer out of whatever bytes come.

RTU (Modbus over serial line 1.02, section 2.5.1) and TCP (Messaging on TCP/IP 1.0b, section 3.1.3) carry the same
question and answer (Application protocol 1.1b3, sections 6.3, 6.4 and 7), numbers with the high byte first:

    question   function, first address (2), how many registers (2)
    answer     function, how many bytes (1), two bytes a register
    exception  function + 0x80, code (1)

    RTU        unit (1) | question or answer | CRC-16, low byte first (2)
    TCP        transaction (2), 0 (2), bytes that follow (2), unit (1) | question or answer

The silence between RTU frames cannot be seen through an operating system. But the question says how long its answer
is, so an answer is what begins as it must, is as long, and in RTU has the right checksum; all else is passed over.
"""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.crc import crc16_modbus

MOST_BYTES = 4096
"""What is heard of an answer and of what is none before it: a line that babbles on and on costs no more."""


@dataclass(frozen=True, slots=True)
class Question:
    """Asks `unit` for `count` registers from `address` on by `function`, 3 (holding) or 4 (input)."""

    unit: int
    function: int
    address: int
    count: int
    transaction: int = 0

    @property
    def pdu(self) -> bytes:
        return bytes([self.function]) + self.address.to_bytes(2, "big") + self.count.to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class Answer:
    """The registers' bytes, or why there are none: the exception's code."""

    registers: bytes = b""
    exception: int = 0


@dataclass(frozen=True, slots=True)
class Framing:
    """How questions are wrapped, how both kinds of answer begin, and what stands behind them."""

    wrapped: Callable[[Question], bytes]
    head: Callable[[Question, bytes, int], bytes]  # what an answer begins with, and how many bytes follow that
    check: Callable[[bytes], bytes]
    check_bytes: int


def _rtu_checksum(frame: bytes) -> bytes:
    return crc16_modbus(frame).to_bytes(2, "little")


def _rtu_wrapped(question: Question) -> bytes:
    frame = bytes([question.unit]) + question.pdu
    return frame + _rtu_checksum(frame)


def _mbap(question: Question, pdu_bytes: int) -> bytes:
    counted = (pdu_bytes + 1).to_bytes(2, "big")
    return question.transaction.to_bytes(2, "big") + b"\0\0" + counted + bytes([question.unit])


RTU = Framing(
    wrapped=_rtu_wrapped,
    head=lambda question, begun, rest: bytes([question.unit]) + begun,
    check=_rtu_checksum,
    check_bytes=2,
)

TCP = Framing(
    wrapped=lambda question: _mbap(question, len(question.pdu)) + question.pdu,
    head=lambda question, begun, rest: _mbap(question, len(begun) + rest) + begun,
    check=lambda frame: b"",
    check_bytes=0,
)


class Listening:
    """Waits for the answer to one question. Keeps no more than an answer has bytes, hears no more than MOST_BYTES."""

    def __init__(self, framing: Framing, question: Question) -> None:
        self.wrong_checksum = False
        self._heard_bytes = 0
        self._framing = framing
        self._buffer = bytearray()
        length = 2 * question.count
        self._good = framing.head(question, bytes([question.function, length]), length)
        self._bad = framing.head(question, bytes([question.function | 0x80]), 1)
        self._kinds = tuple(
            (head, len(head) + rest + framing.check_bytes) for head, rest in ((self._good, length), (self._bad, 1))
        )

    @property
    def heard(self) -> bool:
        return self._heard_bytes > 0

    def feed(self, data: bytes) -> Answer | None:
        """The answer that `data` completes."""
        data = data[: MOST_BYTES - self._heard_bytes]
        self._heard_bytes += len(data)
        self._buffer += data
        while self._buffer:
            frame = self._front()
            if frame is None:
                return None
            if frame and (answer := self._checked(frame)):
                return answer
            again = self._buffer.find(self._good[:1], 1)
            del self._buffer[: again if again > 0 else len(self._buffer)]
        return None

    def _front(self) -> bytes | None:
        """What stands in front and begins as an answer must; b"" where nothing does, None where more must come."""
        begun = False
        for head, length in self._kinds:
            if self._buffer.startswith(head) and len(self._buffer) >= length:
                return bytes(self._buffer[:length])
            begun = begun or head.startswith(self._buffer[: len(head)])
        return None if begun else b""

    def _checked(self, frame: bytes) -> Answer | None:
        body = frame[: len(frame) - self._framing.check_bytes]
        if self._framing.check(body) != frame[len(body) :]:
            self.wrong_checksum = True
            return None
        if body.startswith(self._good):
            return Answer(body[len(self._good) :])
        return Answer(exception=body[-1])
