"""Files that came with a form that was sent back: held in memory, so that nobody has to choose or take them again."""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass

PEOPLE = 3
HELD_S = 15 * 60.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as a browser sent it."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Form:
    token: str
    files: Mapping[str, Sent]
    timer: threading.Timer


class Holding:
    """The files of each person's last form, by the names of its fields: of the last few people, for a while."""

    def __init__(self, seconds: float = HELD_S) -> None:
        self._seconds, self._lock = seconds, threading.Lock()
        self._forms: dict[int, _Form] = {}

    def hold(self, person: int, files: Mapping[str, Sent]) -> str:
        """Holds the files of a form, in place of those of this person's form before; the token that finds them."""
        with self._lock:
            before = self._forms.get(person)
            token = before.token if before and before.files == files else secrets.token_urlsafe(16)
            self._drop(person)
            while len(self._forms) >= PEOPLE:
                self._drop(next(iter(self._forms)))
            timer = threading.Timer(self._seconds, self.let_go, [person, token])
            timer.daemon = True
            timer.start()
            self._forms[person] = _Form(token, files, timer)
        return token

    def of(self, person: int, token: str) -> Mapping[str, Sent]:
        """The files that a form left here; none where it was too long ago."""
        with self._lock:
            form = self._forms.get(person)
            return form.files if form and secrets.compare_digest(form.token.encode(), token.encode()) else {}

    def let_go(self, person: int, token: str) -> None:
        """Forgets the files of a form."""
        with self._lock:
            form = self._forms.get(person)
            if form and form.token == token:
                self._drop(person)

    def _drop(self, person: int) -> None:
        if form := self._forms.pop(person, None):
            form.timer.cancel()
