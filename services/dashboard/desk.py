"""The one-time code by which a box is claimed: who reads what the box prints is who stands beside it."""

import hmac
import threading
from collections.abc import Callable

from appliance.people import bare_code, one_time_code
from services.dashboard.throttle import Throttle

TRIES = 5
WRONG_CODE = "This is not the code that the box showed last. After five wrong tries it prints a new one."


class Desk:
    """Holds the code of a box that nobody has claimed; five wrong tries make a new one."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._lock = say, threading.Lock()
        self._renew()

    def _renew(self) -> None:
        self._code = one_time_code(groups=2)
        self._left = TRIES
        self._say(self._code)

    def accepts(self, said: str) -> bool:
        with self._lock:
            if hmac.compare_digest(bare_code(said).encode(), bare_code(self._code).encode()):
                return True
            self._left -= 1
            if not self._left:
                self._renew()
            return False


def refusal(desk: Desk | None, throttle: Throttle, address: str, code: str) -> str:
    """Why a code is not taken from who is at that address, "" where it is; who guesses is slowed down."""
    if (wait_s := throttle.wait_s(address)) > 0:
        return f"Too many wrong codes. Wait {int(wait_s) + 1} seconds, then try again."
    if desk is not None and desk.accepts(code):
        return ""
    throttle.wrong(address)
    return WRONG_CODE
