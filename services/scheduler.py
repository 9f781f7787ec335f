"""The scheduler: seals the spool into the home store, has imported what lands in the inbox, and feeds fetched.

It waits, and starts a process for each job: the libraries that a job needs would stay in memory all day for seconds of
use, and a job that a strange file brings down takes nothing with it.
"""

import argparse
import logging
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler

from appliance.config import Config, load
from appliance.ingest.clock import Clock
from appliance.ingest.inbox import Inbox
from services.fetches import AT_ONCE, Fetches
from services.manager import Manager
from services.process import end, end_on_user_error, stop_on_signal

log = logging.getLogger(__name__)

INBOX_S = 3
FEEDS_S = 3
CLOCK_S = 5.0
ALIVE, ALIVE_S = "alive", 10
ROLLUPS_S = 3_600
DERIVE_S = 3_600
NIGHT_HOUR = 3
RETENTION_S = 1_200
MARTS_S = 3_600
STOP_S = 1.0
TOGETHER = 100  # files that one job takes: a command line has an end


def main() -> None:
    """Runs its jobs until SIGTERM. One that is under way then is undone by the store, and done again later."""
    parser = argparse.ArgumentParser(prog="inglenook-scheduler", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    config = load(parser.parse_args().data)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    stopping, manager = stop_on_signal(), Manager.of()
    jobs = Jobs(config)
    with ThreadPoolExecutor(AT_ONCE, "fetch") as pool:
        fetches = Fetches(config, pool.submit)
        schedule = _scheduled(config, jobs, fetches, manager)
        manager.ready(ALIVE_S)
        clock = Clock(mono=_waited_ms)
        while not stopping.wait(CLOCK_S):
            before = clock.jumps
            clock.now()
            if clock.jumps > before:  # else what waits for a time of the clock before would wait for it to come again
                log.warning("the clock was set: what is due is worked out anew")
                schedule.shutdown(wait=False)
                schedule = _scheduled(config, jobs, fetches, manager)
        fetches.stop()
        jobs.stop()
        schedule.shutdown(wait=False)


def _waited_ms() -> int:
    """The clock by which the schedule waits: it stands still while the machine sleeps."""
    return time.monotonic_ns() // 1_000_000


def _scheduled(config: Config, jobs: "Jobs", fetches: Fetches, manager: Manager) -> BackgroundScheduler:
    """What is to be done when, and begun."""
    schedule = BackgroundScheduler(
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}, timezone="UTC"
    )
    inbox = Inbox(config)
    schedule.add_executor("threadpool", ALIVE, max_workers=1)  # which no long job holds up
    schedule.add_job(manager.alive, "interval", seconds=ALIVE_S, executor=ALIVE)
    schedule.add_job(jobs.run, "interval", ["seal"], seconds=config.seal_seconds)
    schedule.add_job(jobs.run, args=["seal"])  # what the last run left behind
    schedule.add_job(partial(inbox.look, jobs.take), "interval", seconds=INBOX_S)
    schedule.add_job(jobs.run, "interval", ["rollups"], seconds=ROLLUPS_S)
    schedule.add_job(jobs.run, "interval", ["derive"], seconds=DERIVE_S)
    schedule.add_job(jobs.run, "cron", ["retention"], hour=NIGHT_HOUR, timezone=config.zone or "UTC")
    started = datetime.now(UTC) + timedelta(seconds=RETENTION_S)  # for a box that is off at night
    schedule.add_job(jobs.run, "date", ["retention"], run_date=started)
    schedule.add_job(jobs.run, "interval", ["marts"], seconds=MARTS_S)
    schedule.add_job(jobs.run, args=["plan"])
    schedule.add_job(fetches.look, "interval", seconds=FEEDS_S)
    schedule.add_job(fetches.look)  # by the plans of before
    schedule.start()
    return schedule


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


if __name__ == "__main__":
    end_on_user_error(main)
