"""One job of the scheduler, in a process of its own: what it needs in memory is given back when it ends."""

import argparse
import sys
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance import marts, people, retention, thinning
from appliance.config import Config, load
from appliance.derive import attributes, events, rollups
from appliance.errors import UserError
from appliance.ingest import sealing, taking
from appliance.store.database import HOME, open_store
from appliance.store.keys import KeyRing, LockedError
from services.process import end_on_user_error

JOBS = ("seal", "take", "rollups", "derive", "marts", "retention")


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
    elif said.job == "derive":
        _derive(config)
    elif said.job == "marts":
        _marts(config)
    elif said.job == "retention":
        _keep_no_longer(config)
    else:
        _at_home(config, said.job)


def _at_home(config: Config, job: str) -> None:
    with open_store(config, HOME) as home:
        if job == "rollups":
            rollups.refresh(home)
        else:
            sealing.seal(home, config.spool)
            sealing.seal_leftovers(home, config.spool)


def _derive(config: Config) -> None:
    """What is worked out of facts, brought up to them in every store that opens by itself."""
    problems, currency = list[str](), config.currency
    for name in sorted(config.store_names(), key=lambda each: each != HOME):
        try:
            with suppress(LockedError), open_store(config, name) as store:
                if name == HOME:
                    household = people.household(store)
                    currency = currency or (household.currency if household else "")
                events.refresh(store)
                attributes.refresh(store, currency)
        except UserError as error:
            problems += [f"{name}: {problem}" for problem in error.problems]
    if problems:
        raise UserError(problems)


def _marts(config: Config) -> None:
    """Brings the marts of every store that is open up to it. What cannot be brought is said, and tried next time."""
    for name in config.store_names():
        with suppress(LockedError), open_store(config, name) as store:
            for done in marts.refresh_all(config, store):
                if isinstance(done, UserError):
                    print(*done.problems, sep="\n", file=sys.stderr)


def _keep_no_longer(config: Config) -> None:
    """What the policies say, in every store that opens by itself; one that fails does not stop the others."""
    ring, problems = KeyRing(config.data), list[str]()
    for name in config.store_names():
        try:
            if not ring.facts(name).is_locked:
                with open_store(config, name) as store:
                    retention.run(store, config.stores / name, ZoneInfo(config.zone or "UTC"))
                    thinning.run(store, ZoneInfo(config.zone or "UTC"))
        except UserError as error:
            problems += [f"{name}: {problem}" for problem in error.problems]
    if problems:
        raise UserError(problems)


if __name__ == "__main__":
    end_on_user_error(main)
