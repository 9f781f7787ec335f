"""A restore that the claim page began: the process that brings the backup back, and how far it is. In memory."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from appliance.errors import UserError
from services.process import end

log = logging.getLogger(__name__)

STOP_S = 5.0
STOPPED = "It was stopped. The box is as new as it was."
BROKE = "It ended half-way, by a mistake of Inglenook’s and not yours. The box is as new as it was; begin again."


@dataclass(frozen=True, slots=True, repr=False)
class Said:
    """What a person said of their backup."""

    where: str
    user: str
    password: str
    words: tuple[str, ...]

    def as_json(self) -> str:
        return json.dumps({name: getattr(self, name) for name in self.__slots__})


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person sees at one moment. `percent` is None where nobody knows it."""

    begun: bool
    running: bool
    step: str
    percent: int | None
    problems: tuple[str, ...]


@dataclass(slots=True)
class Bringing:
    """The last restore, or the one that is under way, which `thread` follows."""

    thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _process: "subprocess.Popen[str] | None" = None
    _said: Said | None = None
    _browser: str = ""
    _running: bool = False
    _stopped: bool = False
    _step: str = ""
    _percent: int | None = None
    _problems: tuple[str, ...] = ()

    def begin(self, data: Path, said: Said, browser: str, done: Callable[[], None]) -> None:
        """Begins, where none runs; `done` puts what was brought back in its place."""
        with self._lock:
            if self._running:
                return
            self._said, self._browser, self._running, self._stopped = said, browser, True, False
            self._step, self._percent, self._problems = "beginning", None, ()
            command = [sys.executable, "-m", "services.restorer", "--data", str(data)]
            process = self._process = subprocess.Popen(  # noqa: S603 - our own module
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        self.thread = threading.Thread(target=self._follow, args=(process, said, done), name="bringing", daemon=True)
        self.thread.start()

    def again(self, data: Path, done: Callable[[], None]) -> None:
        """The last one once more."""
        if self._said is not None:
            self.begin(data, self._said, self._browser, done)

    def stop(self) -> None:
        """Ends what is under way."""
        with self._lock:
            self._stopped, process = True, self._process
        if process is not None:
            end(process, STOP_S)

    def is_of(self, browser: str) -> bool:
        """Whether this browser began it: no other one stops it, or begins it again."""
        return self._said is not None and self._browser == browser

    def seen(self) -> Seen:
        with self._lock:
            return Seen(self._said is not None, self._running, self._step, self._percent, self._problems)

    def _follow(self, process: "subprocess.Popen[str]", said: Said, done: Callable[[], None]) -> None:
        problems = self._heard(process, said)
        with self._lock:
            self._process = None
        try:
            if not problems:
                done()
        except UserError as error:
            problems = error.problems
        except Exception:  # the boundary of the run: a person waits for what came of it
            log.exception("the restore was not put in its place")
            problems = (BROKE,)
        with self._lock:
            self._problems, self._running = problems, False
            self._said = self._said if problems else None

    def _heard(self, process: "subprocess.Popen[str]", said: Said) -> tuple[str, ...]:
        """What kept it from its end."""
        problems: tuple[str, ...] = ()
        with process:
            if process.stdin:
                process.stdin.write(said.as_json())
                process.stdin.close()
            for line in process.stdout or ():
                told = json.loads(line)
                problems = tuple(told.get("problems", ()))
                with self._lock:
                    self._step, self._percent = told.get("step", self._step), told.get("percent")
        if process.returncode == 0:
            return ()
        return (STOPPED,) if self._stopped else problems or (BROKE,)
