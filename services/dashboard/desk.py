"""The one-time code by which a box is claimed, or a damaged file set aside: who reads it stands beside the box."""

import hmac
import threading
from collections.abc import Callable

from appliance.people import bare_code, one_time_code
from services.dashboard.throttle import Throttle

TRIES = 5
WRONG_CODE = "This is not the code that the box showed last. After five wrong tries it shows a new one."
SHOWN = (
    "The box shows it: on a screen that is plugged into it, and in the file inglenook-code.txt on the first partition "
    "of its card, which any computer opens while the box is off"
)


class Desk:
    """Holds the code that a box asks for; five wrong tries make a new one.

    `code` is the one that is shown already: who read it from the card, while the box was off, has it.
    """

    def __init__(self, say: Callable[[str], None], code: str = "") -> None:
        self._say, self._lock = say, threading.Lock()
        self._begin(code or one_time_code(groups=2))

    def _begin(self, code: str) -> None:
        self._code = code
        self._left = TRIES
        self._say(self._code)

    def accepts(self, said: str) -> bool:
        with self._lock:
            if hmac.compare_digest(bare_code(said).encode(), bare_code(self._code).encode()):
                return True
            self._left -= 1
            if not self._left:
                self._begin(one_time_code(groups=2))
            return False


def refusal(desk: Desk | None, throttle: Throttle, address: str, code: str) -> str:
    """Why a code is not taken from who is at that address, "" where it is; who guesses is slowed down."""
    if (wait_s := throttle.wait_s(address)) > 0:
        return f"Too many wrong codes. Wait {int(wait_s) + 1} seconds, then try again."
    if desk is not None and desk.accepts(code):
        return ""
    throttle.wrong(address)
    return WRONG_CODE
