"""Slows down who guesses. In memory and bounded, so that guessing costs the box nothing."""

import time
from collections import OrderedDict
from collections.abc import Callable

LONGEST_S = 60.0
REMEMBERED = 1000
FORGOTTEN_AFTER_S = 900.0


class Throttle:
    """After `free` wrong tries a key waits 1 s, then 2 s, 4 s, to a minute; 15 minutes forgive all."""

    def __init__(self, free: int, now: Callable[[], float] = time.monotonic) -> None:
        self._free, self._now = free, now
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """How long this key has still to wait; 0 where it may try."""
        tries, last = self._wrong.get(key, (0, 0.0))
        if tries < self._free:
            return 0.0
        pause = min(LONGEST_S, 2.0 ** min(tries - self._free, 10))
        return max(0.0, last + pause - self._now())

    def wrong(self, key: str) -> None:
        tries, last = self._wrong.pop(key, (0, 0.0))
        now = self._now()
        self._wrong[key] = (1 if now - last > FORGOTTEN_AFTER_S else tries + 1, now)
        while len(self._wrong) > REMEMBERED:
            self._wrong.popitem(last=False)

    def right(self, key: str) -> None:
        self._wrong.pop(key, None)
