"""The collector: reads every configured meter into the spool, all day, and nothing else.

It opens no store and holds no key that reads one, so nothing that happens to a store costs a reading.
"""

import argparse
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.config import FILE, HOUSEHOLD_FILE, METERS_FILE, Config, load
from appliance.errors import SourceError, UserError
from appliance.ingest.clock import Clock
from appliance.ingest.clock_zone import ClockZone
from appliance.ingest.collecting import Collection, Spooling, flush_until
from appliance.ingest.sharing import Lines
from appliance.ingest.spool import Spool
from appliance.ingest.watching import Health, misconfigured
from appliance.store.keys import KeyRing
from services import state
from services.manager import Manager
from services.process import end_on_user_error, stop_on_signal

log = logging.getLogger(__name__)

STOP_S = 1.5


def main() -> None:
    """Collects until SIGTERM, or until the configuration changes: whoever started it starts it again."""
    parser = argparse.ArgumentParser(prog="inglenook-collector", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data.expanduser().absolute()
    stopping, manager = stop_on_signal(), Manager.of()
    changed = _change_of(data)
    config = load(data)
    spooling = Spooling(Spool(config.spool, KeyRing(config.data).public("home")))
    collections, wrong = _collections(config, spooling)
    threads = [_started(collection) for collection in collections]
    written = state.Written(config.data)
    with state.telling(config.run, lambda: _state(collections, wrong, spooling, written)):

        def looked() -> bool:
            manager.alive()
            written.look()
            return changed()

        manager.ready(config.flush_seconds)
        flush_until(stopping, spooling, config.flush_seconds, looked)
    for collection in collections:
        collection.stop()
    deadline_s = time.monotonic() + STOP_S
    for thread in threads:
        thread.join(max(0.0, deadline_s - time.monotonic()))
    try:
        spooling.close()
    except OSError as error:
        raise UserError(
            f"{config.spool}: the newest readings are lost, since the disk did not take them ({error.strerror}); "
            "free some space"
        ) from None


def _collections(config: Config, spooling: Spooling) -> tuple[list[Collection], list[Health]]:
    """Every configured meter that can be read; those that cannot, with what is wrong with them. They stop no other."""
    found: list[Collection] = []
    lines = Lines()
    wrong: list[Health] = []
    for meter in config.meters:
        try:
            found.append(Collection(meter, ClockZone.of(meter.zone or config.zone), spooling, lines=lines))
        except UserError as error:
            for problem in error.problems:
                log.error("%s: %s; it is not read", meter.name, problem)
            wrong.append(misconfigured(meter, error.problems))
    if not config.meters:
        log.info("no meter is configured yet")
    return found, wrong


def _state(
    collections: list[Collection], wrong: list[Health], spooling: Spooling, written: state.Written
) -> dict[str, Any]:
    """How it goes, for the page and for who watches over the box."""
    now = Clock().now()
    return {
        "at_ms": now.at_ms,
        "clock_is_set": now.synced,
        "readings": spooling.readings,
        "dropped_frames": spooling.dropped,
        "disk_written_today_bytes": written.today(),
        "meters": [each.as_dict() for each in (*(collection.health() for collection in collections), *wrong)],
    }


def _started(collection: Collection) -> threading.Thread:
    def run() -> None:
        try:
            collection.run()
        except SourceError as error:  # one that trying again does not mend; the other meters go on
            collection.watch.gave_up = True
            log.error("%s: %s; it is not read", collection.config.name, error)
        except Exception:  # a bug ends the process, with its traceback: it is started again, and the spool is whole
            log.exception("%s: reading stopped", collection.config.name)
            os._exit(1)

    thread = threading.Thread(target=run, name=collection.config.name, daemon=True)
    thread.start()
    return thread


def _change_of(data: Path) -> Callable[[], bool]:
    """Whether the configuration is another than now, or the key of the home store. One that cannot be loaded, such as
    one that somebody is writing, is said, and what runs goes on.
    """

    def state() -> list[object]:
        paths = (data / FILE, data / HOUSEHOLD_FILE, data / METERS_FILE)
        times = [path.stat().st_mtime_ns if path.exists() else 0 for path in paths]
        return [KeyRing(data).public("home"), *times]  # what is collected is sealed to the store's newest key

    known = state()

    def changed() -> bool:
        nonlocal known
        if (now := state()) == known:
            return False
        try:
            load(data)
        except UserError as error:
            log.error("%s; the meters are read as before", "; ".join(error.problems))
            known = now
            return False
        return True

    return changed


if __name__ == "__main__":
    end_on_user_error(main)
