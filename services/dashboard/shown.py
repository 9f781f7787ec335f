"""What the dashboard has the sign at the door say (services/sign.py), kept true as the machine's addresses change.

A box is started before its cable is in, and a router may give it another address on any day.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from services import sign
from services.sign import Said

LOOK_S = 10.0
log = logging.getLogger(__name__)


class Shown:
    """Of one dashboard: `address` is where a person opens it, `numbers` tells where else they do at this moment."""

    def __init__(self, folder: Path, address: str, numbers: Callable[[], Sequence[str]] = tuple) -> None:
        self.address, self._folder, self._numbers = address, folder, numbers
        self._said, self._lock = Said(address), threading.Lock()

    def code(self) -> str:
        """The one that is shown since the dashboard ran last; "" where none is."""
        last = sign.said_last(self._folder)
        return last.code if last else ""

    def say(self, code: str = "", fingerprint: str = "", aside: str = "") -> None:
        with self._lock:
            self._said = Said(self.address, tuple(self._numbers()), code, fingerprint, aside)
            sign.say(self._folder, self._said)

    def look(self) -> None:
        """Says the same again where the addresses are others."""
        with self._lock:
            now = replace(self._said, numbers=tuple(self._numbers()))
            if now == self._said:
                return
            try:
                sign.say(self._folder, now)
                self._said = now
            except OSError as error:
                log.warning("the sign at the door was not written: %s", error)

    def begin(self) -> None:
        """Looks again and again, for as long as this process runs."""
        threading.Thread(target=self._watch, name="shown", daemon=True).start()

    def _watch(self) -> None:
        pause = threading.Event()
        while not pause.wait(LOOK_S):
            self.look()
