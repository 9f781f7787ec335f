"""The scheduler: seals the spool into the home store, and imports what lands in the inbox."""

import argparse
import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler

from appliance.config import Config, load
from appliance.derive import rollups
from appliance.errors import UserError
from appliance.ingest.inbox import Inbox
from appliance.ingest.sealing import seal, seal_leftovers
from appliance.store.database import HOME, Store, open_store
from services.process import end_on_user_error, stop_on_signal

log = logging.getLogger(__name__)

INBOX_S = 3
ROLLUPS_S = 3_600


def main() -> None:
    """Runs its jobs until SIGTERM. One that is under way then is undone by the store, and done again later."""
    parser = argparse.ArgumentParser(prog="inglenook-scheduler", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    config = load(parser.parse_args().data)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    stopping = stop_on_signal()
    home = open_store(config, HOME)
    jobs = _scheduled(config, home)
    jobs.start()
    stopping.wait()
    jobs.shutdown(wait=False)
    # An import in another thread would hold the process up; its transaction is undone, and its file still there.
    os._exit(0)


def _scheduled(config: Config, home: Store) -> BackgroundScheduler:
    jobs = BackgroundScheduler(
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}, timezone="UTC"
    )
    inbox = Inbox(config)
    sealing = _saying_problems(partial(_seal, config, home))
    jobs.add_job(sealing, "interval", seconds=config.seal_seconds)
    jobs.add_job(sealing)  # what the last run left behind
    jobs.add_job(_saying_problems(inbox.look), "interval", seconds=INBOX_S)
    jobs.add_job(_saying_problems(partial(rollups.refresh, home)), "interval", seconds=ROLLUPS_S)
    return jobs


def _saying_problems(job: Callable[[], object]) -> Callable[[], None]:
    """The job, which says what a person can mend (a full disk) in a line, and is tried again at its next turn."""

    def run() -> None:
        try:
            job()
        except UserError as error:
            for problem in error.problems:
                log.error("%s", problem)

    return run


def _seal(config: Config, home: Store) -> None:
    seal(home, config.spool)
    seal_leftovers(home, config.spool)


if __name__ == "__main__":
    end_on_user_error(main)
