"""Fetches: starts each feed's when it is due, two at a time at most, each in a process of its own, and ends them."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from appliance.config import Config
from appliance.ingest import planning
from appliance.ingest.planning import Planned
from services.process import end

log = logging.getLogger(__name__)

AT_ONCE = 2
STOP_S = 3.0
MOUNTS = Path("/proc/self/mountinfo")
_MOUNT_POINT = 4  # proc(5): the fifth field

Key = tuple[str, int]  # a store and a feed of it


class Fetches:
    """What is due, and what runs. `submit` has a function called in one of two threads."""

    def __init__(self, config: Config, submit: Callable[[Callable[[Key], None], Key], object]) -> None:
        self._config, self._submit = config, submit
        self._busy: set[Key] = set()
        self._running: dict[Key, subprocess.Popen[bytes]] = {}
        self._met: dict[Planned, int] = {}
        self._lock = threading.Lock()
        self._stopping = False
        self._mounts = _mounts()

    def look(self) -> None:
        """Has what is due fetched, and what a person wants ended, ended."""
        now_us = time.time_ns() // 1000
        appeared = self._appeared()
        planned = list(planning.read(self._config))
        self._met = {each: self._met.get(each, now_us) for each in planned}
        for each in planned:
            key = each.store, each.feed
            if each.due_us(now_us, self._met[each]) <= now_us or _holds(appeared, each.watch):
                self._begin(key)
        with self._lock:
            unwanted = [process for key, process in self._running.items() if planning.is_cancelled(self._config, *key)]
        for process in unwanted:
            end(process, STOP_S)

    def stop(self) -> None:
        """Ends what runs; it is begun again at the next start."""
        with self._lock:
            self._stopping = True
            running = list(self._running.values())
        for process in running:
            end(process, STOP_S)

    def _begin(self, key: Key) -> None:
        with self._lock:
            if key in self._busy or self._stopping:
                return
            self._busy.add(key)
        self._submit(self._fetch, key)

    def _fetch(self, key: Key) -> None:
        store, feed = key
        command = [sys.executable, "-m", "services.job", "fetch", "--data", str(self._config.data)]
        try:
            with self._lock:
                if self._stopping:
                    return
                command += [f"--store={store}", f"--feed={feed}"]
                process = self._running[key] = subprocess.Popen(command)  # noqa: S603 - our own module
            if process.wait() > 0:
                log.error("feed %d of %s failed; why stands above", feed, store)
        finally:
            with self._lock:
                self._running.pop(key, None)
                self._busy.discard(key)

    def _appeared(self) -> set[str]:
        """The mount points that were not there at the last look: a stick was plugged in."""
        before, self._mounts = self._mounts, _mounts()
        return self._mounts - before


def _mounts() -> set[str]:
    try:
        lines = MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return set()
    return {line.split()[_MOUNT_POINT].replace("\\040", " ") for line in lines}


def _holds(appeared: set[str], watch: str) -> bool:
    """Whether something appeared in a folder that is watched, or the folder in it."""
    return bool(watch) and any(
        Path(watch).is_relative_to(each) or Path(each).is_relative_to(watch) for each in appeared
    )
