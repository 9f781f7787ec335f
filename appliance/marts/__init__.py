"""Marts: stores of their own, carved off another by a selection, to be carried or given away.

A mart lies in a folder that is a box's of its own: own keys, a `home` store as an encrypted file, whatever database the
main store uses. So `inglenook --data FOLDER records` reads it, anywhere. It is brought up to the main store until it is
frozen; a folder that is away (a stick that is not plugged in) is tried later. Nothing of the main store but what is
selected comes into it.
"""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from appliance.config import Config, load, write_household
from appliance.deleting import counting, traces, unnamed
from appliance.deleting.places import own_places
from appliance.deleting.places import remove as remove_place
from appliance.deleting.report import NO_COPIES, ON_THE_DISK, Report
from appliance.derive import events, steps
from appliance.errors import UserError
from appliance.marts import facts, readings
from appliance.marts.archived import AllInPlace
from appliance.marts.facts import Brought as Brought
from appliance.marts.files import Files
from appliance.marts.matching import unmatched
from appliance.marts.selection import COLUMNS, RECORD, Selection
from appliance.store import declared
from appliance.store.database import Store, open_store, store_file
from appliance.store.destroying import destroy_all_keys
from appliance.store.keys import KeyRing
from appliance.store.models import DeclaredKind, Deletion, Mart, RecordRow, Setting
from appliance.store.records import at_text

NAME_LETTERS = 80
IDENTITY = "mart"  # the setting of a mart's store that says whose mart it is
CURRENT, FROZEN, AWAY, UNFINISHED = "kept up to date", "frozen", "away", "not finished"


@dataclass(frozen=True, slots=True)
class Carved:
    """A mart as its main store knows it. Times are ISO instants in UTC, `refreshed` is "" before the first time."""

    name: str
    folder: Path
    selection: Selection
    identity: str
    is_frozen: bool
    made: str
    refreshed: str

    @property
    def config(self) -> Config:
        return load(self.folder)

    @property
    def state(self) -> str:
        if not store_file(Config(self.folder), "home").exists():
            return AWAY if self.refreshed else UNFINISHED
        return FROZEN if self.is_frozen else CURRENT if self.refreshed else UNFINISHED


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did: to facts, and to how many months of readings; in `left` what is missing in it, and why."""

    name: str
    facts: Brought
    months: int
    left: tuple[str, ...] = ()


def every(store: Store) -> list[Carved]:
    """The marts of a store, by name."""
    with store.read() as connection:
        return sorted(map(_carved, connection.execute(select(Mart.__table__))), key=lambda each: each.name)


def needed(store: Store, name: str) -> Carved:
    """The mart of that name; UserError where there is none."""
    for each in every(store):
        if each.name == name:
            return each
    raise UserError(f"there is no mart {name!r} of the store {store.name!r}; see: inglenook mart list")


def _carved(row: Row[tuple[object, ...]]) -> Carved:
    return Carved(
        name=row.name,
        folder=Path(row.folder),
        selection=Selection.from_row(row.selection),
        identity=row.selection["identity"],
        is_frozen=row.frozen,
        made=at_text(row.made_us),
        refreshed=at_text(row.refreshed_us) if row.refreshed_us else "",
    )


# ---- making ----


def make(config: Config, store: Store, name: str, folder: Path, selection: Selection, *, frozen: bool) -> Refreshed:
    """Carves a mart off a store, into a new or empty folder. UserError with all that is wrong; nothing is left then.

    What of the selection matches nothing is said, and matches what comes later.
    """
    folder = folder.expanduser().absolute()
    if problems := [*_problems(config, store, name, folder), *_selection_problems(store, selection)]:
        raise UserError(problems)
    mart = {
        "name": name,
        "folder": str(folder),
        "selection": selection.row() | {"identity": secrets.token_hex(16)},
        "frozen": frozen,
        "made_us": time.time_ns() // 1000,
        "refreshed_us": 0,
    }
    with store.write() as connection:
        connection.execute(insert(Mart).values(mart))
    was_there = folder.exists()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_household(folder, zone=selection.zone)
        done = refresh(config, store, name)
        return replace(done, left=(*unmatched(store, selection), *done.left))
    except (UserError, OSError) as error:
        _unmake(store, name, folder, keep=was_there)
        if isinstance(error, OSError):
            raise UserError(f"{error.filename or folder}: {error.strerror}; name another folder") from None
        raise


def _unmake(store: Store, name: str, folder: Path, *, keep: bool) -> None:
    with store.write() as connection:
        connection.execute(delete(Mart).where(Mart.name == name))
    with suppress(OSError):  # what it lies on may be gone, or full
        _destroy(folder)
    if keep and not folder.exists():
        folder.mkdir(mode=0o700)


def _problems(config: Config, store: Store, name: str, folder: Path) -> Iterator[str]:
    if not 0 < len(name) <= NAME_LETTERS or name != name.strip() or not name.isprintable():
        yield f"a mart's name has between 1 and {NAME_LETTERS} letters"
    if any(each.name == name for each in every(store)):
        yield f"there is a mart {name!r} already; name another, or remove that one: inglenook mart remove {name}"
    if folder.is_relative_to(config.data):
        yield f"--to {folder}: it lies in the box's own folder; name one outside, such as one on a stick"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        yield f"--to {folder}: it is not empty; name a new folder, so that nothing in it is overwritten"


def _selection_problems(store: Store, selection: Selection) -> Iterator[str]:
    if not selection.has_facts and not selection.readings:
        yield "say what the mart holds: --kind KIND (such as money), --source NAME or --readings ROLE=STEP"
    if selection.first_day and selection.last_day and selection.last_day < selection.first_day:
        yield "--from lies after --to-day; give the earlier day first"
    if selection.with_originals and (selection.fields or selection.granularity != RECORD):
        yield "--with-originals takes whole files, with every field in them: leave it out, or --field and --granularity"
    allowed = [step for step in steps.NAMES if step != "month"]
    for role, step in selection.readings.items():
        if step not in allowed:
            yield f"--readings {role}={step}: write one of {', '.join(allowed)} behind the ="
    with store.read() as connection:
        every_kind = declared.every(connection)
    known = {*COLUMNS, *(name for kind in every_kind.values() for name in kind.fields)}
    for unknown in sorted(set(selection.fields) - known):
        yield f"--field {unknown}: no kind has it; there are {', '.join(COLUMNS)}, and what inglenook kinds lists"


# ---- keeping up to date ----


def refresh(config: Config, store: Store, name: str) -> Refreshed:
    """Brings a mart up to its store; done again, it changes nothing. UserError where it is frozen, away or not it."""
    mart = needed(store, name)
    if mart.is_frozen and mart.refreshed:
        raise UserError(f"the mart {name!r} is frozen as it was at {mart.refreshed}; make another one for today's data")
    archives, begun_us = AllInPlace(store, config.stores / store.name), time.time_ns() // 1000
    with _opened(mart) as own:
        if mart.selection.granularity != RECORD:
            events.refresh(store)  # so that sums count an event once
        with _of_main(store, mart) as main, own.write() as connection:
            _need_own(connection, mart)
            traces.overwrite(connection)
            clears = _was_deleted_from(main, mart)
            files = Files(main, store.key, connection, own.key)
            brought = facts.refresh(main, connection, mart.selection, store.name, files.import_of, archives)
            _declare(main, connection)
            if mart.selection.with_originals:
                files.follow()
        months = readings.refresh(store, own, mart.selection)
        if brought.deleted or clears:
            _clear(own)
    with store.write() as connection:
        connection.execute(update(Mart).where(Mart.name == name).values(refreshed_us=begun_us))
    return Refreshed(name, brought, months, tuple(archives.left))


def _of_main(store: Store, mart: Carved) -> AbstractContextManager[Connection]:
    """What is read of the main store, in one transaction; one that writes where archives are looked into for sums."""
    return store.read() if mart.selection.granularity == RECORD else store.write()


def _clear(own: Store) -> None:
    """Leaves no word of what was deleted, the name of its source included."""
    with own.write() as connection:
        traces.overwrite(connection)
        unnamed.drop(connection)
    traces.clear(own)


def _was_deleted_from(main: Connection, mart: Carved) -> bool:
    """Whether something was deleted for good since the last refresh."""
    refreshed_us = main.execute(select(Mart.refreshed_us).where(Mart.name == mart.name)).scalar_one()
    return refreshed_us < (main.execute(select(func.max(Deletion.at_us))).scalar_one() or 0)


def refresh_all(config: Config, store: Store) -> Iterator[Refreshed | UserError]:
    """Brings every mart of a store up to it that is not frozen; for one that cannot be, what is wrong."""
    for mart in every(store):
        if not (mart.is_frozen and mart.refreshed):
            try:
                yield refresh(config, store, mart.name)
            except UserError as error:
                yield error


@contextmanager
def _opened(mart: Carved) -> Iterator[Store]:
    if mart.state == AWAY:
        raise UserError(
            f"the mart {mart.name!r} is away: it is not in {mart.folder}. Plug in what it lies on and run: inglenook "
            f"mart refresh {mart.name}; or forget it: inglenook mart remove {mart.name}"
        )
    with open_store(replace(mart.config, database_url=None), make=not mart.refreshed) as own:
        yield own


def _need_own(connection: Connection, mart: Carved) -> None:
    """A folder in whose place another one lies by now is left alone."""
    said = connection.execute(select(Setting.value).where(Setting.name == IDENTITY)).scalar_one_or_none()
    if said is None and not mart.refreshed:
        connection.execute(insert(Setting).values(name=IDENTITY, value=json.dumps(_identity(mart))))
    elif said is None or json.loads(said) != _identity(mart):
        raise UserError(
            f"{mart.folder} holds another store than the mart {mart.name!r}; put the right folder back, or forget the "
            f"mart: inglenook mart remove {mart.name}"
        )


def _identity(mart: Carved) -> dict[str, str]:
    return {"name": mart.name, "identity": mart.identity}


def _declare(main: Connection, mart: Connection) -> None:
    """The owner's own kinds that the mart has facts of are declared in it too."""
    used = set(mart.execute(select(RecordRow.kind).distinct()).scalars())
    own, known = _own_kinds(main), _own_kinds(mart)
    for name, declaration in own.items():
        if name in used and known.get(name) != declaration:
            mart.execute(delete(DeclaredKind).where(DeclaredKind.name == name))
            mart.execute(insert(DeclaredKind).values(name=name, declaration=declaration))


def _own_kinds(connection: Connection) -> dict[str, dict[str, Any]]:
    rows = connection.execute(select(DeclaredKind.name, DeclaredKind.declaration))
    return {row.name: row.declaration for row in rows}


# ---- removing ----


def remove(store: Store, name: str, *, delete_folder: bool = False) -> Report | None:
    """Forgets a mart; its folder stays and is used on its own, unless it is deleted: its key first, then its files.

    What was deleted.
    """
    mart = needed(store, name)
    report = _deleted(mart) if delete_folder else None
    with store.write() as connection:
        connection.execute(delete(Mart).where(Mart.name == name))
    return report


def _deleted(mart: Carved) -> Report:
    report = Report("a mart", left=[ON_THE_DISK, NO_COPIES[0]])
    with _opened(mart) as own, own.write() as connection:
        _need_own(connection, mart)
        counting.count(connection, report)
    counting.count_files(report, own_places(Config(mart.folder)))
    _destroy(mart.folder)
    report.left += [f"{path} is not the mart’s own and stays" for path in sorted(mart.folder.glob("*"))]
    return report


def _destroy(folder: Path) -> None:
    """What a box keeps in its folder, the keys first; what somebody put beside it stays."""
    if not folder.is_dir():
        return
    destroy_all_keys(KeyRing(folder))
    for place in own_places(Config(folder)):
        remove_place(place)
    if not any(folder.iterdir()):
        folder.rmdir()
