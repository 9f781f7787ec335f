"""Sharing a line: several meters that are asked over one serial port or connection, one after the other.

A serial port can be opened once, and of two questions that are asked at the same time neither is answered. So whoever
asks takes the line's turn, keeps it until the answer is there or its time is up, and gives it to the next.
"""

import threading
import time

from appliance.config import MeterConfig
from appliance.errors import SourceError
from appliance.links import Link
from appliance.meters import Meter

SHAREABLE = ("serial", "tcp")
GAP_S = 0.02
"""How long a line is left quiet between two meters: 3.5 characters, which are 16 ms at 2400 baud."""


class Lines:
    """The lines of one process. Meters that are asked, and whose links are configured alike, share one."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def shared(self, config: MeterConfig, link: Link, meter: Meter) -> Link:
        """The link by which this meter is read: its own, or its share of one that others use too."""
        if config.link not in SHAREABLE or not hasattr(meter, "is_asking"):
            return link
        key = f"{config.link} {sorted(config.link_options.items())}"
        return Share(self._lines.setdefault(key, _Line(link)))


class _Line:
    """One link, who has it open, and whose turn it is."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.turn = threading.Lock()
        self.opening = threading.Lock()
        self.users: set[Share] = set()
        self.failure = ""  # why nobody can use it before somebody has opened it again
        self.quiet_since_s = 0.0


class Share:
    """One meter's share of a line: a link that is opened when the first opens it, and closed when the last does."""

    def __init__(self, line: _Line) -> None:
        self._line = line
        self._has_turn = False

    def open(self) -> None:
        """Opens the line where nobody has it open, or where it failed. Raises SourceError."""
        line = self._line
        with line.opening:
            if not line.users or line.failure:
                line.link.open()
                line.failure = ""
            line.users.add(self)

    def take(self, timeout_s: float) -> bool:
        """Waits for the turn; whether it was there at once. One that was waited for is kept for the next call."""
        if self._has_turn:
            return True
        at_once = self._line.turn.acquire(blocking=False)
        self._has_turn = at_once or self._line.turn.acquire(timeout=timeout_s)
        if self._has_turn:
            time.sleep(max(0.0, self._line.quiet_since_s + GAP_S - time.monotonic()))
        return at_once

    def give(self) -> None:
        """Gives the turn to the next, if it is here."""
        if self._has_turn:
            self._has_turn = False
            self._line.quiet_since_s = time.monotonic()
            self._line.turn.release()

    def read(self, timeout_s: float) -> bytes:
        self._check()
        try:
            return self._line.link.read(timeout_s)
        except SourceError as error:
            self._failed(error)
            raise

    def write(self, data: bytes) -> None:
        self._check()
        try:
            self._line.link.write(data)
        except SourceError as error:
            self._failed(error)
            raise

    def close(self) -> None:
        self.give()
        line = self._line
        with line.opening:
            line.users.discard(self)
            if not line.users:
                line.link.close()

    def _check(self) -> None:
        """Raises SourceError where another found that the line is gone."""
        if self._line.failure:
            self.give()
            raise SourceError(self._line.failure)

    def _failed(self, error: SourceError) -> None:
        self._line.failure = str(error)
        self.give()
