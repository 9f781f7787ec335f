"""Looking for meters, for the page: one process at a time, and what it has found so far. In memory and bounded."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from appliance.finding import Found, Nothing, Offer, Step
from appliance.finding.offers import from_dict
from services.process import end

MOST_FOUND = 200
LONGEST_S = 900.0
"""Longer than listening and asking at every speed take together."""

STOP_S = 2.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person sees at one moment: `steps` by place, while it looks."""

    running: bool
    begun: bool
    offers: tuple[Offer, ...]
    nothing: tuple[Nothing, ...]
    steps: Mapping[str, str]
    trouble: str


@dataclass(slots=True)
class Looking:
    """The last look, or the one that is under way."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _process: "subprocess.Popen[str] | None" = None
    _begun: bool = False
    _offers: dict[str, Offer] = field(default_factory=dict)
    _nothing: list[Nothing] = field(default_factory=list)
    _steps: dict[str, str] = field(default_factory=dict)
    _trouble: str = ""

    def begin(self, data: Path, *, asks: bool) -> None:
        """Begins to look, where nobody looks already."""
        with self._lock:
            if self._process is not None:
                return
            self._begun, self._trouble = True, ""
            self._offers, self._nothing, self._steps = {}, [], {}
            command = [sys.executable, "-m", "services.finder", "--data", str(data), *(["--ask"] if asks else [])]
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            threading.Thread(target=self._read, args=(self._process,), name="looking", daemon=True).start()

    def stop(self) -> None:
        """Ends the look that is under way; what was found stays."""
        with self._lock:
            process = self._process
        if process is not None:
            end(process, STOP_S)

    def seen(self) -> Seen:
        with self._lock:
            running = self._process is not None
            offers, nothing = tuple(self._offers.values()), tuple(self._nothing)
            return Seen(running, self._begun, offers, nothing, dict(self._steps), self._trouble)

    def offer(self, offer_id: str) -> Offer | None:
        """An offer as the box itself made it: what a browser says of one is only its id."""
        with self._lock:
            return self._offers.get(offer_id)

    def taken(self, offer_id: str) -> None:
        """The offer was accepted."""
        with self._lock:
            self._offers.pop(offer_id, None)

    def _read(self, process: "subprocess.Popen[str]") -> None:
        ending = threading.Timer(LONGEST_S, process.kill)
        ending.daemon = True
        ending.start()
        with process:
            for line in process.stdout or ():
                self.hear(from_dict(json.loads(line)))
            said = process.stderr.read() if process.stderr else ""
        ending.cancel()
        with self._lock:
            self._process, self._steps = None, {}
            if process.returncode > 0:
                self._trouble = said.strip().rpartition("\n")[2].removeprefix("inglenook: ") or "Looking failed."

    def hear(self, found: Found) -> None:
        """Keeps what was found, or what is being done now."""
        with self._lock:
            if isinstance(found, Step):
                self._steps[found.where] = found.what
                return
            self._steps.pop(found.where, None)
            if len(self._offers) + len(self._nothing) >= MOST_FOUND:
                return
            if isinstance(found, Offer):
                self._offers[found.id] = found
            else:
                self._nothing.append(found)
