"""How far the imports of the last minutes are, for the page that shows it. In memory and bounded."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

REMEMBERED = 64
TOKEN_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Step:
    """Whose import it is, and how many items it has read so far."""

    person: int
    items: int
    done: bool = False


class Progress:
    """Imports by the token that the browser chose."""

    def __init__(self) -> None:
        self._steps: OrderedDict[str, Step] = OrderedDict()
        self._lock = threading.Lock()

    def set(self, token: str, step: Step) -> None:
        if not 0 < len(token) <= TOKEN_LENGTH:
            return
        with self._lock:
            self._steps.pop(token, None)
            self._steps[token] = step
            while len(self._steps) > REMEMBERED:
                self._steps.popitem(last=False)

    def of(self, token: str, person: int) -> Step | None:
        """The step of a token, for the person who began it."""
        step = self._steps.get(token)
        return step if step and step.person == person else None
