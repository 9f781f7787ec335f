"""One job of the scheduler, in a process of its own: what it needs in memory is given back when it ends."""

import argparse
import logging
import os
import resource
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from zoneinfo import ZoneInfo

from appliance import backup, budgets, mailing, marts, people, retention, thinning
from appliance.backup.drill import drill
from appliance.config import Config, load
from appliance.derive import attributes, events, rollups
from appliance.errors import SourceError, UserError
from appliance.ingest import fetching, planning, sealing, taking
from appliance.store.database import HOME, open_store
from appliance.store.keys import KeyRing, LockedError
from appliance.switching import watching
from appliance.updating import at_hand, stores
from appliance.updating.places import Places
from appliance.web import Web
from services.process import end_on_user_error

log = logging.getLogger(__name__)

FETCH_BYTES = 512 << 20
JOBS = (
    "seal",
    "take",
    "rollups",
    "derive",
    "marts",
    "retention",
    "plan",
    "fetch",
    "backup",
    "drill",
    "switch",
    "alerts",
    "update",
)


def main() -> None:
    """Does one job and ends: 0 when it is done, 2 with the problem where a person can mend it."""
    parser = argparse.ArgumentParser(prog="inglenook-job", description=__doc__)
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--store", default=HOME)
    parser.add_argument("--feed", type=int, help="the number of a feed to fetch")
    parser.add_argument("--name", help="the backup to make, or to try")
    parser.add_argument("--path", type=Path, action="append", default=[], help="a file to take")
    said = parser.parse_args()
    config = load(said.data)
    if said.job == "take":
        taking.take(config, said.store, said.path)
    elif said.job == "fetch":
        _fetch(config, said.store, said.feed)
    elif said.job == "backup":
        done = backup.back_up(config, said.name, datetime.now(UTC))
        log.info("backup %s: %d bytes, %d of them new", said.name, done.bytes, done.added)
    elif said.job == "drill":
        log.info("backup %s: %s", said.name, drill(config, said.name, datetime.now(UTC)))
    elif said.job == "plan":
        _plan(config)
    elif said.job == "derive":
        _derive(config)
    elif said.job == "marts":
        _marts(config)
    elif said.job == "retention":
        _keep_no_longer(config)
    elif said.job == "update":
        _look_for_update(config)
    elif said.job in ("switch", "alerts"):
        _notice(config, said.job)
    else:
        _at_home(config, said.job)


def _at_home(config: Config, job: str) -> None:
    with open_store(config, HOME) as home:
        if job == "rollups":
            home.need_room()
            rollups.refresh(home)
        else:
            sealing.seal_all(home, config.spool)


def _plan(config: Config) -> None:
    """Says when the feeds of every store that opens by itself are due."""
    for name in planning.stores(config) - set(config.store_names()):
        planning.forget(config, name)
    for name in config.store_names():
        try:
            with open_store(config, name) as store:
                planning.write(config, store)
        except (LockedError, UserError):
            planning.forget(config, name)


def _fetch(config: Config, name: str, feed: int) -> None:
    """Fetches one feed within a bound of memory; SIGTERM ends it, and it counts as ended where a person wanted that."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (FETCH_BYTES, most))
    signal.signal(signal.SIGTERM, partial(_cut_off, config, name, feed))
    try:
        with planning.alone(config, name, feed) as is_alone, open_store(config, name) as store:
            if not is_alone:
                return
            planning.say(config, name, feed, 0, "")
            try:
                done = fetching.fetch(store, feed, zone=config.zone, told=partial(planning.say, config, name, feed))
            finally:
                planning.write(config, store)
            log.info("feed %d of %s: %s, %d files, %d stored", feed, name, done.state, done.files, done.stored)
            if done.stored:
                events.refresh(store)
                attributes.refresh(store, config.currency)
    except LockedError:
        planning.forget(config, name)
    except fetching.Cancelled:
        log.info("feed %d of %s was ended by a person", feed, name)


def _cut_off(config: Config, name: str, feed: int, number: int, frame: FrameType | None) -> None:
    if planning.is_cancelled(config, name, feed):
        raise fetching.Cancelled
    os._exit(128 + number)  # the box is going down: what was begun is begun again


def _derive(config: Config) -> None:
    """What is worked out of facts, brought up to them in every store that opens by itself."""
    problems, currency = list[str](), config.currency
    for name in sorted(config.store_names(), key=lambda each: each != HOME):
        try:
            with suppress(LockedError), open_store(config, name) as store:
                store.need_room()
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
            store.need_room()
            for done in marts.refresh_all(config, store):
                if isinstance(done, UserError):
                    print(*done.problems, sep="\n", file=sys.stderr)


def _notice(config: Config, job: str) -> None:
    """Looks for what somebody should look at, or for a tariff that is worth switching to, and sends what is to be sent.

    A store that is locked is left.
    """
    look = watching.look if job == "switch" else budgets.alerts.look
    with suppress(LockedError), open_store(config, HOME) as home:
        rollups.refresh(home)
        made = look(home, ZoneInfo(config.zone or "UTC"))
        log.info("%s: %d new notices", job, len(made))
        try:
            mailing.post(home)
        except SourceError as error:
            raise UserError(f"a notice could not be sent: {error}") from None


def _look_for_update(config: Config) -> None:
    """Fetches a newer release where an address is named; and lets go of what a power cut left of an update."""
    if not Places().is_trying():
        stores.forget_kept(config)
    if config.update_url and Places().installed():
        try:
            at_hand.fetch(config, Places(), Web())
        except SourceError as error:
            raise UserError(f"no update could be looked for: {error}") from None


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
