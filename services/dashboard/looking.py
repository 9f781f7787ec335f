"""Looking for meters, for the page: processes that look, and what they have found so far. In memory and bounded."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from appliance.finding import Found, Needs, Nothing, Offer, Step
from appliance.finding.offers import from_dict, to_dict
from services.process import end

MOST_FOUND = 200
MOST_AT_ONCE = 8
LONGEST_S = 2400.0
"""Longer than listening at every speed and asking at every address take together."""

STOP_S = 2.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a person sees at one moment: `steps` by place, while it looks."""

    running: bool
    begun: bool
    offers: tuple[Offer, ...]
    needs: tuple[Needs, ...]
    nothing: tuple[Nothing, ...]
    steps: Mapping[str, str]
    trouble: str


@dataclass(slots=True)
class Looking:
    """The last look, or the one that is under way, and beside it the places that are looked at once more."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _processes: "list[subprocess.Popen[str]]" = field(default_factory=list)
    _begun: bool = False
    _offers: dict[str, Offer] = field(default_factory=dict)
    _needs: dict[str, Needs] = field(default_factory=dict)
    _nothing: list[Nothing] = field(default_factory=list)
    _steps: dict[str, str] = field(default_factory=dict)
    _trouble: str = ""

    def begin(self, data: Path, *, asks: bool, everywhere: bool = False) -> None:
        """Begins to look, where nobody looks already."""
        with self._lock:
            if self._processes:
                return
            self._begun, self._trouble = True, ""
            self._offers, self._needs, self._nothing, self._steps = {}, {}, [], {}
            self._start(data, [*(["--ask"] if asks or everywhere else []), *(["--everywhere"] if everywhere else [])])

    def prove(self, data: Path, needs: Needs, said: Mapping[str, str]) -> None:
        """Looks once more at a place, with what a person said of it; where too much is looked at already, not."""
        with self._lock:
            if len(self._processes) >= MOST_AT_ONCE:
                return
            self._begun, self._trouble = True, ""
            self._needs.pop(needs.id, None)
            self._nothing = [each for each in self._nothing if each.where != needs.where]
            self._steps[needs.where] = "trying what you said"
            self._start(data, ["--prove"], json.dumps({"needs": to_dict(needs), "said": dict(said)}))

    def stop(self) -> None:
        """Ends what is under way; what was found stays."""
        with self._lock:
            processes = list(self._processes)
        for process in processes:
            end(process, STOP_S)

    def seen(self) -> Seen:
        with self._lock:
            return Seen(
                running=bool(self._processes),
                begun=self._begun,
                offers=tuple(self._offers.values()),
                needs=tuple(self._needs.values()),
                nothing=tuple(self._nothing),
                steps=dict(self._steps),
                trouble=self._trouble,
            )

    def offer(self, offer_id: str) -> Offer | None:
        """An offer as the box itself made it: what a browser says of one is only its id."""
        with self._lock:
            return self._offers.get(offer_id)

    def needed(self, needs_id: str) -> Needs | None:
        """What needs to be told more, as the box itself found it."""
        with self._lock:
            return self._needs.get(needs_id)

    def taken(self, offer_id: str) -> None:
        """The offer was accepted."""
        with self._lock:
            self._offers.pop(offer_id, None)

    def _start(self, data: Path, arguments: list[str], told: str = "") -> None:
        """Starts a process that looks; `told` is what it reads."""
        command = [sys.executable, "-m", "services.finder", "--data", str(data), *arguments]
        process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._processes.append(process)
        threading.Thread(target=self._read, args=(process, told), name="looking", daemon=True).start()

    def _read(self, process: "subprocess.Popen[str]", told: str) -> None:
        ending = threading.Timer(LONGEST_S, process.kill)
        ending.daemon = True
        ending.start()
        with process:
            _tell(process, told)
            for line in process.stdout or ():
                self.hear(from_dict(json.loads(line)))
            said = process.stderr.read() if process.stderr else ""
        ending.cancel()
        with self._lock:
            self._processes.remove(process)
            self._steps = self._steps if self._processes else {}
            if process.returncode > 0:
                self._trouble = said.strip().rpartition("\n")[2].removeprefix("inglenook: ") or "Looking failed."

    def hear(self, found: Found) -> None:
        """Keeps what was found, or what is being done now."""
        with self._lock:
            if isinstance(found, Step):
                self._steps[found.where] = found.what
                return
            self._steps.pop(found.where, None)
            if len(self._offers) + len(self._needs) + len(self._nothing) >= MOST_FOUND:
                return
            if isinstance(found, Offer):
                self._offers[found.id] = found
            elif isinstance(found, Needs):
                self._needs[found.id] = found
            else:
                self._nothing.append(found)


def _tell(process: "subprocess.Popen[str]", told: str) -> None:
    """Writes what the process reads, and that no more comes; one that ended before is told nothing."""
    if process.stdin is None:
        return
    try:
        process.stdin.write(told)
        process.stdin.close()
    except BrokenPipeError:
        return
