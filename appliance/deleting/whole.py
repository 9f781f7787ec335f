"""Deleting a person, or the box: the keys first, so that whatever happens after, nobody reads what they opened.

    1. DIR/deleting/NAME.json says what is to go: from here on there is no way back, and the next start finishes it
    2. keys.json is overwritten and removed: nothing opens the store any more
    3. the store's files, or its PostgreSQL schema and role; the inbox; the person's row, sessions and invitations
    4. DIR/deleting/NAME.json

Each step may be done twice.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, insert

from appliance import people
from appliance.config import DEFAULT, FILE, WIFI_UNWANTED, Config
from appliance.deleting import counting, traces
from appliance.deleting.places import own_places, remove
from appliance.deleting.report import NO_COPIES, ON_THE_DISK, Report
from appliance.errors import UserError
from appliance.store import lease, postgresql, records, versions
from appliance.store.database import HOME, Store, open_store
from appliance.store.destroying import BOX, destroy_all_keys, destroy_keys, marker, unlink
from appliance.store.keys import KeyRing, write_durably
from appliance.store.models import Deletion, Invitation, Session
from appliance.store.models import Person as PersonRow

WAIT_S = 5.0
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
    finished = finish(config, home)
    everybody = people.people(home)
    found = next((each for each in everybody if each.name.casefold() == name.strip().casefold()), None)
    for said in finished:
        if found is None and said["name"].casefold() == name.strip().casefold():
            return Report(**said["report"])
    if found is None:
        raise UserError(f"nobody called {name!r} lives here; see: inglenook people")
    if len(everybody) == 1:
        raise UserError(
            f"{found.name} is the last person of this box, and nobody could sign in any more; to delete everything: "
            "inglenook delete box"
        )
    folder = config.stores / found.store
    report = Report("a person", why)
    carved = counting.look_into(config, found.store, report)
    with _closed(folder):
        report.left = [AT_HOME, *([MARTS] if carved else []), *_left(config)]
        counting.count_files(report, [folder, config.inbox / found.store])
        said = {"person": found.id, "name": found.name, "store": found.store, "who": who, "report": report.row()}
        write_durably(marker(config.data, f"store-{found.store}"), json.dumps(said).encode())
        _finish_person(config, home, said)
    report.left = [AT_HOME, *carved, *_left(config)]  # folders are for whoever reads it now, and are not kept
    return report


def box(config: Config, why: str = "") -> Report:
    """Deletes every store, key and file of the box. UserError while the box runs."""
    report, carved = Report("the box", why), list[str]()
    begun = marker(config.data, BOX)
    for name in () if begun.exists() else config.store_names():
        carved += counting.look_into(config, name, report)
    with ExitStack() as held:
        for name in config.store_names():
            held.enter_context(_closed(config.stores / name))
        if not begun.exists():
            write_durably(begun, json.dumps({"stores": config.store_names()}).encode())
        report.left = [*carved, *_left(config)]
        counting.count_files(report, own_places(config))
        _finish_box(config)
        report.left += [f"{path} is not the box’s own and stays" for path in sorted(config.data.glob("*"))]
    return report


def reset(config: Config) -> list[str]:
    """The same while the box runs, whose keys are destroyed at once; what is not in the box's hands.

    Whoever has a store open is waited for. UserError where that takes too long: the next start does the rest.
    """
    write_durably(marker(config.data, BOX), json.dumps({"stores": config.store_names()}).encode())
    destroy_all_keys(KeyRing(config.data))
    with ExitStack() as held:
        try:
            for name in config.store_names():
                held.enter_context(lease.alone(config.stores / name))
        except UserError:
            raise UserError(
                "the keys are destroyed, and nothing opens any more what was kept here. Something was under way that "
                "did not end; take the box off its power and put it on again: that does the rest"
            ) from None
        _finish_box(config)
    return _left(config)


def finish(config: Config, home: Store | None = None) -> list[dict[str, Any]]:
    """Finishes the deletions that a power cut stopped; what was said of each person."""
    if marker(config.data, BOX).exists():
        _finish_box(config)
        return []
    finished = list[dict[str, Any]]()
    for path in sorted(marker(config.data, BOX).parent.glob("store-*.json")):
        said = json.loads(path.read_bytes())
        finished.append(said)
        if home is not None:
            _finish_person(config, home, said)
        else:
            with open_store(config, HOME) as opened:
                _finish_person(config, opened, said)
    return finished


# ---- a person ----


def _finish_person(config: Config, home: Store, said: dict[str, Any]) -> None:
    name = said["store"]
    destroy_keys(config.stores / name)
    _drop_schemas(config, [name])
    for folder in (config.stores / name, config.inbox / name):
        remove(folder)
    _forget_person(home, said)
    traces.clear(home)
    unlink(marker(config.data, f"store-{name}"))


def _forget_person(home: Store, said: dict[str, Any]) -> None:
    number, name = said["person"], said["name"]
    with home.write() as connection:
        traces.overwrite(connection)
        connection.execute(delete(Session).where(Session.person_id == number))
        connection.execute(delete(Invitation).where(func.lower(Invitation.name) == name.lower()))
        if connection.execute(delete(PersonRow).where(PersonRow.id == number)).rowcount:
            row = {"at_us": versions.now_us(connection), "who": said["who"], "report": said["report"]}
            connection.execute(insert(Deletion).values(**row, highest_record=records.next_id(connection) - 1))


# ---- the box ----


def _finish_box(config: Config) -> None:
    said = json.loads(marker(config.data, BOX).read_bytes())
    destroy_all_keys(KeyRing(config.data), said["stores"])
    _drop_schemas(config, said["stores"])
    for path in own_places(config):
        remove(path)
    unlink(config.data / FILE)  # names the PostgreSQL, so it goes when that is done
    if DEFAULT.exists():
        write_durably(config.data / FILE, DEFAULT.read_bytes())
    if config.run.exists():  # an appliance's, which has a service for it: the passphrase is root's
        write_durably(config.run / WIFI_UNWANTED, b"")
    remove(marker(config.data, BOX).parent)


def _drop_schemas(config: Config, stores: Iterable[str]) -> None:
    """UserError where the server does not do it, with what that leaves."""
    for name in stores if config.database_url else ():
        try:
            postgresql.drop(config.database_url or "", name)
        except UserError as error:
            raise UserError(
                f"{'; '.join(error.problems)}. The keys are destroyed, so that nobody opens the originals any more; "
                f"the schema {postgresql.schema_of(name)} is still on the server. Run the same command again"
            ) from None


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


def _left(config: Config) -> list[str]:
    return [MARTS, *NO_COPIES, traces.ON_THE_HOST if config.database_url else ON_THE_DISK]
