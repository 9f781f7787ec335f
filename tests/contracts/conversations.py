"""Conversations: samples of protocols that must be asked.

A sample whose name ends in `.conversation` holds lines of hexadecimal, spaces as one likes:

    # what stands behind a hash is for people
    > 2F 3F 21 0D 0A      what the meter's module must send, exactly
    < 2F 45 53 59 35      what the device answers; several lines follow each other without a pause
    > 06 30 35 30 0D 0A   and so on

Nobody waits: `now_ms` goes on by half a second a poll, as slow as the collector is at most, and an answer comes
ANSWER_MS after its question. Where a question begins with a number that its answer repeats (a transaction of Modbus
TCP), `echoed_bytes` of the expectation says of how many bytes, and any number there is the right one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from appliance.meters import Meter
from appliance.records import Frame

SUFFIX = ".conversation"

POLL_MS = 500
ANSWER_MS = 300
PATIENCE_MS = 2 * 3_600_000
"""How long a meter may keep silent before it asks: longer than any interval that a sample configures."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question, and all that the device says until the next."""

    question: bytes
    answer: bytes


def turns(path: Path) -> list[Turn]:
    """The turns of a file, in their order."""
    found: list[tuple[bytes, bytearray]] = []
    for line in path.read_text().splitlines():
        sign, content = line[:1], bytes.fromhex(line[1:].partition("#")[0]) if line[:1] in "<>" else b""
        if sign == ">":
            found.append((content, bytearray()))
        elif sign == "<":
            assert found, f"{path} begins with an answer; write what is asked first"
            found[-1][1].extend(content)
        else:
            assert sign in ("", "#"), f"{path}: {line!r} begins with neither >, < nor #"
    return [Turn(question, bytes(answer)) for question, answer in found]


@dataclass(slots=True)
class Talk:
    """A meter's side of a conversation, and the clock of both."""

    meter: Meter
    now_ms: int
    frames: list[Frame] = field(default_factory=list)

    def asked(self) -> bytes:
        """The next question, however long it takes until it is due; b"" where none comes in PATIENCE_MS."""
        until_ms = self.now_ms + PATIENCE_MS
        while self.now_ms < until_ms:
            if question := self.meter.poll(self.now_ms):
                return question
            self.now_ms += POLL_MS
        return b""

    def answered(self, pieces: Iterable[bytes]) -> None:
        """Feeds an answer, whose bytes all come at once but in pieces; nothing is asked before it is complete."""
        self.now_ms += ANSWER_MS
        for number, piece in enumerate(filter(None, pieces)):
            if number:
                assert self.meter.poll(self.now_ms) == b"", "asked again in the middle of an answer"
            self.frames += self.meter.feed(piece, self.now_ms)


def held(
    meter: Meter,
    said: Sequence[Turn],
    now_ms: int,
    echoed_bytes: int = 0,
    cut: Callable[[bytes], Iterable[bytes]] = lambda answer: [answer],
) -> Talk:
    """The conversation as it was recorded; fails where the meter's module asks anything else."""
    talk = Talk(meter, now_ms)
    for number, turn in enumerate(said, 1):
        question = talk.asked()
        expected = question[:echoed_bytes] + turn.question[echoed_bytes:]
        assert question == expected, f"question {number} is {question.hex(' ')}, not {expected.hex(' ')}"
        talk.answered(cut(question[:echoed_bytes] + turn.answer[echoed_bytes:]))
    return talk


@dataclass(slots=True)
class Device:
    """The device of a conversation, which answers whatever it is asked of what was recorded, in any order.

    The same question is answered by its recorded answers in turn.
    """

    said: Sequence[Turn]
    echoed_bytes: int = 0
    _next: int = 0

    def answer(self, question: bytes) -> bytes:
        """The recorded answer; b"" to what was never asked."""
        for step in range(len(self.said)):
            turn = self.said[(self._next + step) % len(self.said)]
            if turn.question[self.echoed_bytes :] == question[self.echoed_bytes :]:
                self._next = (self._next + step + 1) % len(self.said)
                return question[: self.echoed_bytes] + turn.answer[self.echoed_bytes :]
        return b""


def spoken(talk: Talk, device: Device, line: Iterable[Callable[[bytes], bytes]]) -> None:
    """As many questions as `line` has members, each of which makes of an answer what arrives of it."""
    for arrives in line:
        question = talk.asked()
        assert question, f"asks nothing any more in {PATIENCE_MS // 60_000} minutes"
        arrived = arrives(device.answer(question))
        talk.now_ms += ANSWER_MS
        talk.frames += talk.meter.feed(arrived, talk.now_ms)
