"""One job of the scheduler, in a process of its own: what it needs in memory is given back when it ends."""

import argparse
from pathlib import Path

from appliance.config import Config, load
from appliance.derive import rollups
from appliance.ingest import sealing, taking
from appliance.store.database import HOME, open_store
from services.process import end_on_user_error

JOBS = ("seal", "take", "rollups")


def main() -> None:
    """Does one job and ends: 0 when it is done, 2 with the problem where a person can mend it."""
    parser = argparse.ArgumentParser(prog="inglenook-job", description=__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--store", default=HOME)
    parser.add_argument("--path", type=Path, action="append", default=[], help="a file to take")
    said = parser.parse_args()
    config = load(said.data)
    if said.job == "take":
        taking.take(config, said.store, said.path)
    else:
        _at_home(config, said.job)


def _at_home(config: Config, job: str) -> None:
    with open_store(config, HOME) as home:
        if job == "rollups":
            rollups.refresh(home)
        else:
            sealing.seal(home, config.spool)
            sealing.seal_leftovers(home, config.spool)


if __name__ == "__main__":
    end_on_user_error(main)
