"""Deleting a person, or the box: the keys first, so that whatever happens after, nobody reads what they opened.

    1. DIR/deleting/NAME.json says what is to go: from here on there is no way back, and the next start finishes it
    2. keys.json is overwritten and removed: nothing opens the store any more
    3. the store's files, or its PostgreSQL schema and role; the inbox; the person's row, sessions and invitations
    4. DIR/deleting/NAME.json

Each step may be done twice.
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert

from appliance import people
from appliance.config import DELETING, FILE, HOUSEHOLD_FILE, Config
from appliance.deleting import traces
from appliance.deleting.report import NO_COPIES, Report
from appliance.errors import UserError
from appliance.store import lease, postgresql, records, versions
from appliance.store.database import HOME, Store, open_store
from appliance.store.keys import KeyRing, sync_folder, write_durably
from appliance.store.models import Deletion, Invitation, Session
from appliance.store.models import Person as PersonRow

BOX = "box"  # no store has this name in DIR/deleting, since theirs begin with "store-"
WAIT_S = 5.0
ON_THE_DISK = (
    "the disk: a card or an SSD may keep old blocks for a while; without the key, which is destroyed, they are noise"
)
AT_HOME = (
    "the household’s own store: what this person did there, and what bears their name, stays until it is deleted there"
)
MARTS = (
    "marts: each is a store of its own, in a folder of its own, with its own key; delete these folders where they lie"
)


def person(config: Config, home: Store, name: str, who: str, why: str = "") -> Report:
    """Deletes a person with their store. UserError of an unknown one, of the last one, and while their store is open.

    `who` does it: "" where it is the person.
    """
    finish(config, home)
    everybody = people.people(home)
    found = next((each for each in everybody if each.name.casefold() == name.strip().casefold()), None)
    if found is None:
        raise UserError(f"nobody called {name!r} lives here; see: inglenook people")
    if len(everybody) == 1:
        raise UserError(
            f"{found.name} is the last person of this box, and nobody could sign in any more; to delete everything: "
            "inglenook delete box"
        )
    folder = config.stores / found.store
    with _closed(folder):
        report = Report("a person", why, left=[AT_HOME, *_left(config)])
        _count(report, [folder, config.inbox / found.store])
        said = {"person": found.id, "name": found.name, "store": found.store, "who": who, "report": report.row()}
        write_durably(_marker(config, f"store-{found.store}"), json.dumps(said).encode())
        _finish_person(config, home, said)
    return report


def box(config: Config, why: str = "") -> Report:
    """Deletes every store, key and file of the box. UserError while the box runs."""
    with ExitStack() as held:
        for name in config.store_names():
            held.enter_context(_closed(config.stores / name))
        marker = _marker(config, BOX)
        if not marker.exists():
            write_durably(marker, json.dumps({"stores": config.store_names()}).encode())
        report = Report("the box", why, left=_left(config))
        _count(report, _own(config))
        _finish_box(config)
        report.left += [f"{path} is not the box’s own and stays" for path in sorted(config.data.glob("*"))]
    return report


def finish(config: Config, home: Store | None = None) -> None:
    """Finishes the deletions that a power cut stopped."""
    if _marker(config, BOX).exists():
        _finish_box(config)
        return
    for path in sorted(_marker(config, BOX).parent.glob("store-*.json")):
        said = json.loads(path.read_bytes())
        if home is not None:
            _finish_person(config, home, said)
        else:
            with open_store(config, HOME) as opened:
                _finish_person(config, opened, said)


# ---- a person ----


def _finish_person(config: Config, home: Store, said: dict[str, Any]) -> None:
    name = said["store"]
    destroy_keys(config.stores / name)
    if config.database_url:
        postgresql.drop(config.database_url, name)
    for folder in (config.stores / name, config.inbox / name):
        _remove(folder)
    _forget_person(home, said)
    traces.clear(home)
    _unlink(_marker(config, f"store-{name}"))


def _forget_person(home: Store, said: dict[str, Any]) -> None:
    number, name = said["person"], said["name"]
    with home.write() as connection:
        traces.overwrite(connection)
        connection.execute(delete(Session).where(Session.person_id == number))
        connection.execute(delete(Invitation).where(func.lower(Invitation.name) == name.lower()))
        if connection.execute(delete(PersonRow).where(PersonRow.id == number)).rowcount:
            row = {"at_us": versions.now_us(connection), "who": said["who"], "report": said["report"]}
            connection.execute(insert(Deletion).values(**row, highest_record=records.next_id(connection) - 1))


def destroy_keys(folder: Path) -> None:
    """Overwrites and removes what opens a store; from then on nothing does."""
    for name in ("keys.json", "tries.json"):
        _overwrite(folder / name)
    for scratch in folder.glob("keys.json.*"):
        _overwrite(scratch)


def _overwrite(path: Path) -> None:
    if not path.exists():
        return
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    _unlink(path)


# ---- the box ----


def _finish_box(config: Config) -> None:
    said = json.loads(_marker(config, BOX).read_bytes())
    for name in said["stores"]:
        destroy_keys(config.stores / name)
    _overwrite(KeyRing(config.data).box_file)
    for name in said["stores"] if config.database_url else ():
        postgresql.drop(config.database_url or "", name)
    for path in _own(config):
        _remove(path)
    _unlink(config.data / FILE)  # names the PostgreSQL, so it goes when that is done
    _remove(_marker(config, BOX).parent)


def _own(config: Config) -> list[Path]:
    """What a box makes in its folder, but for the marker and the configuration, which go last."""
    folders = [config.stores, config.data / "keys", config.inbox, config.spool, config.data / "run"]
    return [*folders, config.data / HOUSEHOLD_FILE, config.data / "past.json"]


# ---- files ----


@contextmanager
def _closed(folder: Path) -> Iterator[None]:
    """While nobody has the store open."""
    if not folder.exists():
        yield
        return
    with ExitStack() as held:
        try:
            held.enter_context(lease.alone(folder, WAIT_S))
        except UserError:
            raise UserError(
                f"the store {folder.name!r} is in use by another program, and nothing was deleted; if the box is "
                "running, delete a person on its page Keeping, or stop the box first"
            ) from None
        yield


def _marker(config: Config, name: str) -> Path:
    return config.data / DELETING / f"{name}.json"


def _left(config: Config) -> list[str]:
    return [MARTS, *NO_COPIES, traces.ON_THE_HOST if config.database_url else ON_THE_DISK]


def _count(report: Report, places: Iterable[Path]) -> None:
    for place in places:
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_file():
                report.files += 1
                report.bytes += path.stat().st_size


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if path.parent.exists():
        sync_folder(path.parent)


def _unlink(path: Path) -> None:
    path.unlink(missing_ok=True)
    if path.parent.exists():
        sync_folder(path.parent)
