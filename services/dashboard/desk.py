"""The one-time code by which a box is claimed: who reads what the box prints is who stands beside it."""

import hmac
import secrets
import threading
from collections.abc import Callable

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # no I, L, O, 0 or 1: they are read for one another
TRIES = 5


class Desk:
    """Holds the code of a box that nobody has claimed; five wrong tries make a new one."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._lock = say, threading.Lock()
        self._renew()

    def _renew(self) -> None:
        self._code = "".join(secrets.choice(ALPHABET) for _ in range(8))
        self._left = TRIES
        self._say(f"{self._code[:4]}-{self._code[4:]}")

    def accepts(self, said: str) -> bool:
        plain = "".join(letter for letter in said.upper() if letter.isalnum())
        with self._lock:
            if hmac.compare_digest(plain.encode(), self._code.encode()):
                return True
            self._left -= 1
            if not self._left:
                self._renew()
            return False
