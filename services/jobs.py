"""The scheduler's jobs, each in a process of its own."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

from appliance.config import Config
from services.process import end

log = logging.getLogger(__name__)

STOP_S = 1.0
TOGETHER = 100  # files that one job takes: a command line has an end


class Jobs:
    """Starts each job in a process of its own, one at a time, and ends what runs when it is time to stop."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._turn, self._lock = threading.Lock(), threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def take(self, store: str, paths: list[Path]) -> None:
        """Has files imported into a store."""
        for begin in range(0, len(paths), TOGETHER):
            self.run("take", f"--store={store}", *(f"--path={path}" for path in paths[begin : begin + TOGETHER]))
        self.run("derive")

    def run(self, job: str, *more: str) -> None:
        """Runs a job to its end; what it says goes to the same log."""
        command = [sys.executable, "-m", "services.job", job, "--data", str(self._config.data), *more]
        with self._turn:
            with self._lock:
                if self._stopping:
                    return
                self._process = subprocess.Popen(command)  # noqa: S603 - our own module
            if self._process.wait() > 0:
                log.error("%s failed and is tried again later; why stands above", job)

    def stop(self) -> None:
        """Ends the job that runs, and starts no other."""
        with self._lock:
            self._stopping = True
            process = self._process
        if process is not None:
            end(process, STOP_S)
