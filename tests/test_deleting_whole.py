"""Deleting a person or the box: keys first, nothing left, and finished wherever it was stopped."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, select

from appliance import marts, people
from appliance.config import Config, load, write_household
from appliance.deleting import traces, whole
from appliance.errors import UserError
from appliance.ingest import importing
from appliance.marts.selection import Selection
from appliance.people import Household
from appliance.store import destroying, postgresql
from appliance.store.database import Store, open_store
from appliance.store.keys import KeyRing
from appliance.store.models import Deletion, Invitation, Session
from services import setup
from tests.statements import ofx
from tests.test_archiving import ROWS

PASSWORD = "a hearth of words"


@pytest.fixture
def house(config: Config, store: Store) -> Store:
    """The home store of Ann and Bob; Bob has a statement, a file in his inbox and a session."""
    return _peopled(config, store)


@pytest.fixture
def own(tmp_path: Path, database_url: str | None) -> Iterator[Config]:
    """The same in a database that no other test uses, with every store closed."""
    url = make_url(database_url).set(database="whole") if database_url else None
    if database_url:
        _run(database_url, "CREATE DATABASE whole")
    config = Config(tmp_path / "box", database_url=url.render_as_string() if url else None)
    with open_store(config, make=True) as home:
        _peopled(config, home)
    yield config
    if database_url:
        _run(database_url, "DROP DATABASE whole WITH (FORCE)")


def _run(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def _peopled(config: Config, store: Store) -> Store:
    people.claim(config, store, Household("Home Farm", "UTC", "EUR"), "Ann", PASSWORD)
    people.add(config, store, "Bob", PASSWORD)
    with open_store(config, "bob") as bob:
        importing.import_bytes(bob, ofx(ROWS), "2019.ofx")
    (config.inbox / "bob").mkdir(parents=True)
    (config.inbox / "bob" / "next.ofx").write_bytes(ofx(ROWS))
    people.sign_in(store, "Bob", PASSWORD)
    people.invite(store, "Bob")
    return store


def _schemas(config: Config) -> set[str]:
    if not config.database_url:
        return set()
    engine = create_engine(config.database_url)
    with engine.connect() as connection:
        names = set(connection.exec_driver_sql("SELECT nspname FROM pg_namespace").scalars())
        names |= set(connection.exec_driver_sql("SELECT rolname FROM pg_roles").scalars())
    engine.dispose()
    return {name for name in names if name.startswith("inglenook_bob")}


def _need_gone(config: Config, home: Store) -> None:
    assert [person.name for person in people.people(home)] == ["Ann"]
    assert not (config.stores / "bob").exists()
    assert not (config.inbox / "bob").exists()
    assert KeyRing(config.data).store_names() == ["ann", "home"]
    assert _schemas(config) == set()
    with home.read() as connection:
        assert connection.execute(select(Session.person_id)).first() is None
        assert connection.execute(select(Invitation.id)).first() is None
        [report] = connection.execute(select(Deletion.report)).scalars()
    assert "Bob" not in json.dumps(report)
    assert report["files"] > 1
    assert not list((config.data / "deleting").glob("*"))


def test_a_person_goes_with_store_inbox_and_sessions(config: Config, house: Store) -> None:
    report = whole.person(config, house, "bob", "Ann", "moved out")
    assert (report.deleted, report.why) == ("a person", "moved out")
    _need_gone(config, house)
    assert people.sign_in(house, "Bob", PASSWORD) is None


def test_a_deleted_person_s_marts_are_named_once_and_a_locked_store_is_said(
    config: Config, house: Store, tmp_path: Path
) -> None:
    with open_store(config, "bob") as bob:
        marts.make(config, bob, "tax", tmp_path / "stick", Selection(kinds=("money",)), frozen=False)
    report = whole.person(config, house, "Bob", "Ann")
    assert (report.facts, report.versions, report.imports) == (len(ROWS), len(ROWS), 1)
    assert any(str(tmp_path / "stick") in said for said in report.left)
    with house.read() as connection:
        kept = json.dumps(connection.execute(select(Deletion.report)).scalar_one())
    assert str(tmp_path) not in kept
    assert whole.MARTS in kept
    people.add(config, house, "Eve", PASSWORD)
    ring = KeyRing(config.data)
    ring.prove_kit("eve", ring.make_kit("eve"))
    ring.lock("eve", ring.open("eve"), "five words that fit badly")
    assert any(
        "'eve' could not be looked into (it is locked)" in said for said in whole.person(config, house, "Eve", "").left
    )


def test_what_was_begun_is_said_by_whatever_wants_the_store(
    config: Config, house: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(whole, "remove", _cut)
        patched.setattr(postgresql, "drop", _cut)
        with pytest.raises(PowerCutError):
            whole.person(config, house, "Bob", "Ann")
    for wanting in (lambda: open_store(config, "bob"), lambda: KeyRing(config.data).facts("bob")):
        with pytest.raises(UserError, match="begun and is not finished; run: inglenook delete person 'Bob'"):
            wanting()


def test_a_server_that_is_down_is_said_with_the_way_on(own: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: str) -> None:
        raise UserError("PostgreSQL cannot be used")

    if own.database_url:
        with monkeypatch.context() as patched:
            patched.setattr(postgresql, "drop", down)
            with pytest.raises(
                UserError, match=r"keys are destroyed.*still on the server\. Run the same command again"
            ):
                whole.box(own)
        with pytest.raises(UserError, match="begun and is not finished; run: inglenook delete box"):
            open_store(own)
    whole.box(own)


STEPS: list[tuple[Any, str, str]] = [  # what is cut before it runs, and what happens next
    (whole, "destroy_keys", "setup"),
    (whole, "remove", "command"),
    (whole, "_forget_person", "setup"),
    (traces, "clear", "command"),
    (whole, "unlink", "setup"),
]


class PowerCutError(Exception):
    """The box stops here."""


def _cut(*arguments: Any) -> None:
    raise PowerCutError


@pytest.mark.parametrize(("owner", "step", "again"), STEPS)
def test_a_person_whose_deletion_was_cut_is_gone_at_the_next_start(
    config: Config, house: Store, monkeypatch: pytest.MonkeyPatch, owner: Any, step: str, again: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, _cut)
        with pytest.raises(PowerCutError):
            whole.person(config, house, "Bob", "Ann")
    if again == "setup":
        if config.database_url:
            (config.data / "inglenook.toml").write_text(f"[database]\nurl = {json.dumps(config.database_url)}\n")
        setup.make(config.data)
    else:
        assert whole.person(config, house, "Bob", "Ann").facts == len(ROWS)
    _need_gone(config, house)


def test_the_keys_go_first(config: Config, house: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole, "remove", _cut)
    monkeypatch.setattr(postgresql, "drop", _cut)
    with pytest.raises(PowerCutError):
        whole.person(config, house, "Bob", "Ann")
    assert not (config.stores / "bob" / "keys.json").exists()
    if not config.database_url:
        assert (config.stores / "bob" / "store.db").exists()


def test_an_overwritten_key_is_on_no_block_of_its_file(config: Config, house: Store, tmp_path: Path) -> None:
    path = config.stores / "bob" / "keys.json"
    other_name = tmp_path / "same-blocks"
    other_name.hardlink_to(path)
    content = path.read_bytes()
    whole.person(config, house, "Bob", "Ann")
    assert other_name.read_bytes() != content
    assert b"wraps" not in other_name.read_bytes()


def test_the_last_person_and_one_whose_store_is_open_stay(
    config: Config, house: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "WAIT_S", 0.0)
    with open_store(config, "bob"), pytest.raises(UserError, match="stop the box first"):
        whole.person(config, house, "Bob", "Ann")
    with pytest.raises(UserError, match="nobody called"):
        whole.person(config, house, "Eve", "Ann")
    whole.person(config, house, "Bob", "Ann")
    with pytest.raises(UserError, match="inglenook delete box"):
        whole.person(config, house, "Ann", "Ann")


def test_the_box_goes_but_for_what_is_not_its_own(own: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    write_household(own.data, zone="UTC")
    (own.data / "mine.txt").write_text("mine")
    with open_store(own, "bob") as bob:
        marts.make(own, bob, "tax", own.data.with_name("stick"), Selection(kinds=("money",)), frozen=False)
    monkeypatch.setattr(whole, "WAIT_S", 0.0)
    with open_store(own), pytest.raises(UserError, match="in use by another program"):
        whole.box(own)
    report = whole.box(own)
    assert report.files > 3
    assert (report.facts, report.imports, report.originals) == (len(ROWS), 1, 1)
    assert any(str(own.data.with_name("stick")) in said for said in report.left)
    assert [path.name for path in own.data.iterdir()] == ["mine.txt"]
    assert any("mine.txt" in said for said in report.left)
    assert _schemas(own) == set()


@pytest.mark.parametrize(("owner", "step"), [(destroying, "overwrite"), (whole, "own_places"), (whole, "remove")])
def test_a_box_whose_deletion_was_cut_is_gone_after_the_same_command(
    own: Config, monkeypatch: pytest.MonkeyPatch, owner: Any, step: str
) -> None:
    real: Any = getattr(owner, step)
    count = 0

    def cut(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count > 1:
            raise PowerCutError
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(owner, step, cut)
        with pytest.raises(PowerCutError):
            whole.box(own)
    whole.box(Config(own.data, database_url=own.database_url))
    assert list(own.data.iterdir()) == []
    assert _schemas(own) == set()
    assert load(own.data).store_names() == []
