"""Asking: one opened link read through one meter, whose question is sent before each read, at the speed it wants.

A search for meters asks like one.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from appliance.ingest.sharing import Share
from appliance.links import Link
from appliance.meters import Meter, Search


@dataclass(slots=True)
class Asking:
    """A link from its opening to its end; a link that was opened has the speed that is configured."""

    link: Link
    meter: Meter | Search
    _baudrate: int | None = None

    def read(self, timeout_s: float, now_ms: int) -> bytes:
        """What came, once the meter's question, if it has one now, is sent.

        The question goes at the speed of before; the answer comes at that of after. Nothing is waited for longer than
        until the meter has the next question. On a line that is shared, nothing is asked or read but at one's turn.
        Raises as the link does.
        """
        if isinstance(self.link, Share) and not self._has_turn(self.link, timeout_s, now_ms):
            return b""
        self._tune()
        if question := self.meter.poll(now_ms):
            self.link.write(question)
        self._tune()
        return self.link.read(self._until_next_s(timeout_s, now_ms))

    def _until_next_s(self, most_s: float, now_ms: int) -> float:
        wait_ms: Callable[[int], int] | None = getattr(self.meter, "wait_ms", None)
        return most_s if wait_ms is None else min(most_s, wait_ms(now_ms) / 1000)

    def _has_turn(self, share: Share, timeout_s: float, now_ms: int) -> bool:
        """Whether it is this meter's turn, which it takes where it has something to ask."""
        wait_s = self._until_next_s(timeout_s, now_ms)
        if getattr(self.meter, "is_asking", False) or not wait_s:
            return share.take(timeout_s)
        share.give()
        time.sleep(wait_s)
        return False

    def _tune(self) -> None:
        """Sets the link to the speed that the meter wants, where both have one."""
        wanted = getattr(self.meter, "baudrate", None)
        if wanted and wanted != self._baudrate and hasattr(self.link, "set_baudrate"):
            self.link.set_baudrate(wanted)
            self._baudrate = wanted
