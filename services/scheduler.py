"""The scheduler: seals the spool into the home store, has imported what lands in the inbox, and feeds fetched.

It waits, and starts a process for each job: the libraries that a job needs would stay in memory all day for seconds of
use, and a job that a strange file brings down takes nothing with it.
"""

import argparse
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler

from appliance.config import Config, load
from appliance.ingest.clock import Clock
from appliance.ingest.inbox import Inbox
from services.backups import Backups
from services.fetches import AT_ONCE, Fetches
from services.jobs import Jobs
from services.manager import Manager
from services.process import end_on_user_error, stop_on_signal

log = logging.getLogger(__name__)

INBOX_S = 3
FEEDS_S = 3
CLOCK_S = 5.0
ALIVE, ALIVE_S = "alive", 10
ROLLUPS_S = 3_600
DERIVE_S = 3_600
NIGHT_HOUR = 3
RETENTION_S = 1_200
SWITCH_HOUR = 4
ALERTS_S = 3_600
UPDATE_HOUR, UPDATE_SPREAD_S = 5, 3_600
MARTS_S = 3_600


def main() -> None:
    """Runs its jobs until SIGTERM. One that is under way then is undone by the store, and done again later."""
    parser = argparse.ArgumentParser(prog="inglenook-scheduler", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    config = load(parser.parse_args().data)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    stopping, manager = stop_on_signal(), Manager.of()
    jobs = Jobs(config)
    backups = Backups(config)
    backups.start()
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
        backups.stop()
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
    schedule.add_job(jobs.run, "cron", ["switch"], hour=SWITCH_HOUR, timezone=config.zone or "UTC")
    schedule.add_job(jobs.run, "date", ["switch"], run_date=started)
    schedule.add_job(jobs.run, "interval", ["alerts"], seconds=ALERTS_S)
    schedule.add_job(jobs.run, "cron", ["update"], hour=UPDATE_HOUR, jitter=UPDATE_SPREAD_S)
    schedule.add_job(jobs.run, "date", ["update"], run_date=started)
    schedule.add_job(jobs.run, "interval", ["marts"], seconds=MARTS_S)
    schedule.add_job(jobs.run, args=["plan"])
    schedule.add_job(fetches.look, "interval", seconds=FEEDS_S)
    schedule.add_job(fetches.look)  # by the plans of before
    schedule.start()
    return schedule


if __name__ == "__main__":
    end_on_user_error(main)
