"""The update itself: put beside, tried on copies, exchanged, heard, and kept or taken back by itself.

    1. the release is put beside the one that runs; where it has another layout of stores, it is tried on copies of them
    2. `trying` is written: from here on whatever happens, a power cut too, ends with the release before, until 5
    3. the services that open stores stop, and the stores are kept as they are where their layout will change
    4. the collector stops, the link is moved, collector and dashboard start; the dashboard lets nobody in yet
    5. the collector had a frame of each meter that it had one of before, and the dashboard answers: `trying` goes, and
       the scheduler starts. Or not: the stores and the link are put back, and the release before starts

So nothing is written to a store while the new release may still be taken back, and readings wait in the spool.
"""

import json
import shutil
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from appliance.config import Config
from appliance.errors import UserError
from appliance.store import room
from appliance.updating import putting, stores
from appliance.updating.at_hand import Found, look
from appliance.updating.failures import FAILURES, words
from appliance.updating.places import BACK, GOOD, REFUSED, Last, Places
from appliance.updating.release import Release

COPIES = 3
"""How many times their own room the stores need to change layout: for the trial, the kept ones, and the change."""

POWER_CUT = "it stopped half-way, as when the power goes, so the one before runs on; try again"


class Machine(Protocol):
    """What runs the services."""

    def as_user(self, *command: str) -> str:
        """Runs a command as the user whose stores these are; what it said. UserError where it fails."""

    def prepare(self, folder: Path) -> None:
        """Sees to users and folders that a release wants."""

    def stop(self, *, collector: bool = False) -> None:
        """Stops what opens stores; or the collector."""

    def start(self, *, scheduler: bool = False) -> None:
        """Starts collector and dashboard from the link, by their own units; or the scheduler."""

    def reload(self) -> None:
        """Reads the units anew."""

    def heard(self) -> set[str]:
        """The meters that are being read."""

    def trouble(self, version: str, heard: set[str]) -> str:
        """Waits until the dashboard of this version answers and these meters were heard; why not, else ""."""


def update(config: Config, places: Places, machine: Machine) -> Last | None:
    """Puts in what is at hand, and says what came of it; None where nothing is."""
    found, problems = look(config, places)
    if found is None and not problems:
        return None
    if found is None:
        return _said(places, "", REFUSED, " ".join(problems))
    try:
        locked = _put_and_tried(config, places, machine, found)
        _begin(config, places, machine, found.release)
    except FAILURES as error:
        shutil.rmtree(places.releases / found.release.version, ignore_errors=True)
        return _said(places, found.release.version, REFUSED, words(error))
    begun = time.monotonic()
    problem = _exchanged(config, places, machine, found.release)
    if problem:
        settle(config, places, machine, problem, begun=begun)
        return places.last()
    last = _said(places, found.release.version, GOOD, seconds=_since(begun), locked=locked)
    machine.start(scheduler=True)
    _forget(places, machine, config)
    return last


def settle(
    config: Config,
    places: Places,
    machine: Machine,
    problem: str,
    *,
    booting: bool = False,
    begun: float | None = None,
) -> None:
    """Where a release was being tried, `begun` at a moment, goes back to the one before.

    When it is `booting`, systemd starts the services afterwards.
    """
    tried = places.trying()
    if tried is None:
        return
    before, new = tried
    if not booting:
        machine.stop()
        machine.stop(collector=True)
    _stores(config, places, machine, before, "restore")
    places.point(places.current, before)
    machine.reload()
    shutil.rmtree(places.releases / new, ignore_errors=True)
    _said(places, new, BACK, problem, seconds=_since(begun))
    places.end_trying()
    if not booting:
        machine.start()
        machine.start(scheduler=True)


def _put_and_tried(config: Config, places: Places, machine: Machine, found: Found) -> tuple[str, ...]:
    """Which stores are locked, so that the release was not tried on them."""
    if config.database_url:
        raise UserError("the stores of this box are in PostgreSQL: whoever runs that server updates Inglenook there")
    moves = _moves(places, found.release)
    if moves:
        room.need(config.data, COPIES * stores.size(config), "trying the update on copies of the stores")
    folder = putting.put(found, places)
    machine.prepare(folder)
    return _tried(config, places, machine, folder) if moves else ()


def _moves(places: Places, new: Release) -> bool:
    """Whether the stores get another layout."""
    installed = places.installed()
    return installed is None or installed.layout != new.layout


def _tried(config: Config, places: Places, machine: Machine, folder: Path) -> tuple[str, ...]:
    running = places.current.readlink().name
    try:
        _stores(config, places, machine, running, "copy")
        return _tried_on_copies(config, machine, folder)
    finally:
        _stores(config, places, machine, running, "forget")


def _tried_on_copies(config: Config, machine: Machine, folder: Path) -> tuple[str, ...]:
    trial = config.data / stores.TRIAL
    command = (str(folder / "bin/python"), "-I", "-m", "appliance.cli", "--data", str(trial))
    try:
        rows = [json.loads(line) for line in machine.as_user(*command, "--json", "upgrade").splitlines()]
        for row in rows:
            if not row.get("locked"):
                _checked(machine, *command, "--store", row["store"], "check")
    except UserError as error:
        raise UserError(
            f"the release was tried on copies of the stores, and did not do well: {' '.join(error.problems)}. The box "
            "and its stores are as they were"
        ) from None
    return tuple(row["store"] for row in rows if row.get("locked"))


def _checked(machine: Machine, *check: str) -> None:
    """UserError where a store is damaged. A search index that is another than this release's is mended by a look."""
    try:
        machine.as_user(*check)
    except UserError:
        machine.as_user(*check)


def _begin(config: Config, places: Places, machine: Machine, new: Release) -> None:
    """From here on whatever happens ends with the release that runs now, until the new one is good."""
    before = places.current.readlink().name
    _stores(config, places, machine, before, "forget")  # what a power cut left of an earlier update
    places.point(places.previous, before)
    places.begin_trying(new.version)


def _exchanged(config: Config, places: Places, machine: Machine, new: Release) -> str:
    """Why it has to be taken back, else ""; until that is known, people are not let in."""
    try:
        heard, moves = machine.heard(), _moves(places, new)
        machine.stop()
        if moves:
            _stores(config, places, machine, places.previous.readlink().name, "keep")
        machine.stop(collector=True)
        places.point(places.current, new.version)
        machine.reload()
        machine.start()
        problem = machine.trouble(new.version, heard)
    except FAILURES as error:
        return words(error)
    if not problem:
        places.end_trying()
    return problem


def _stores(config: Config, places: Places, machine: Machine, version: str, verb: str) -> None:
    """Has a release see to the stores, as their user."""
    python = places.releases / version / "bin/python"
    machine.as_user(str(python), "-I", "-m", "appliance.updating.stores", verb, "--data", str(config.data))


def _forget(places: Places, machine: Machine, config: Config) -> None:
    _stores(config, places, machine, places.previous.readlink().name, "forget")
    places.forget_old()


def _since(begun: float | None) -> float:
    return 0 if begun is None else round(time.monotonic() - begun, 1)


def _said(
    places: Places, version: str, state: str, problem: str = "", seconds: float = 0, locked: Sequence[str] = ()
) -> Last:
    last = Last(version, state, datetime.now(UTC), problem, seconds, tuple(locked))
    places.say(last)
    return last
