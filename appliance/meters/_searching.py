"""Searching a line for devices: a plan of questions, each asked when the one before was answered or had its time.

A plan is a generator that yields an `Ask`, and is sent what came of it: the answer, b"" where nothing was said, or what
came in its place. What it finds it adds to the list that it shares with the `Search` that runs it.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.meters._spans import left_ms

BITS_A_BYTE = 11
MOST_BYTES = 1024

Found = tuple[str, tuple[Mapping[str, Any], ...]]
"""A device that answered: where, in words, and the options with which its meter may read it, the most likely first."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question, how long it may stay without any answer, and whether what came is all of one.

    What began to come is over when nothing more came for `quiet_ms`, or after `longest_ms`: a line that babbles on does
    not hold the search up for longer.
    """

    question: bytes
    patience_ms: int
    is_whole: Callable[[bytes], bool]
    quiet_ms: int
    longest_ms: int
    progress: str


Plan = Generator[Ask, bytes, None]


class Search:
    """Runs a plan. `found` are the devices that answered so far, `is_over` says that all was asked."""

    def __init__(self, plan: Plan, found: list[Found]) -> None:
        self.found, self.is_over = found, False
        self._plan = plan
        self._ask: Ask | None = None
        self._buffer = bytearray()
        self._asked_ms: int | None = None
        self._first_ms = self._last_ms = 0
        self._go_on(None)

    @property
    def progress(self) -> str:
        """What is being asked, as in: unit 3 of 10."""
        return self._ask.progress if self._ask else ""

    def poll(self, now_ms: int) -> bytes:
        """The next question, where the last one was answered or had its time."""
        if self.wait_ms(now_ms):
            return b""
        if self._asked_ms is not None:
            self._go_on(bytes(self._buffer))
        if self._ask is None:
            return b""
        self._asked_ms = now_ms
        self._buffer.clear()
        return self._ask.question

    def feed(self, data: bytes, now_ms: int) -> None:
        """Takes what came in."""
        if not data:
            return
        self._first_ms = self._first_ms if self._buffer else now_ms
        self._last_ms = now_ms
        self._buffer += data[: MOST_BYTES - len(self._buffer)]

    def wait_ms(self, now_ms: int) -> int:
        """In how long the question that was asked has had its time; 0 where it was answered."""
        ask = self._ask
        if ask is None or self._asked_ms is None:
            return 0
        if not self._buffer:
            return left_ms(self._asked_ms, now_ms, ask.patience_ms)
        if ask.is_whole(bytes(self._buffer)):
            return 0
        return min(left_ms(self._first_ms, now_ms, ask.longest_ms), left_ms(self._last_ms, now_ms, ask.quiet_ms))

    def _go_on(self, said: bytes | None) -> None:
        self._asked_ms = None
        try:
            self._ask = next(self._plan) if said is None else self._plan.send(said)
        except StopIteration:
            self._ask, self.is_over = None, True
