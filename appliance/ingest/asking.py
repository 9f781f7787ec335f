"""Asking: one opened link read through one meter, whose question is sent before each read, at the speed it wants.

A search for meters asks like one.
"""

from collections.abc import Callable
from dataclasses import dataclass

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
        until the meter has the next question. Raises as the link does.
        """
        self._tune()
        if question := self.meter.poll(now_ms):
            self.link.write(question)
        self._tune()
        return self.link.read(self._until_next_s(timeout_s, now_ms))

    def _until_next_s(self, most_s: float, now_ms: int) -> float:
        wait_ms: Callable[[int], int] | None = getattr(self.meter, "wait_ms", None)
        return most_s if wait_ms is None else min(most_s, wait_ms(now_ms) / 1000)

    def _tune(self) -> None:
        """Sets the link to the speed that the meter wants, where both have one."""
        wanted = getattr(self.meter, "baudrate", None)
        if wanted and wanted != self._baudrate and hasattr(self.link, "set_baudrate"):
            self.link.set_baudrate(wanted)
            self._baudrate = wanted
