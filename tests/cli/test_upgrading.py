"""`inglenook upgrade`, and what every command says of a store that it cannot bring to its version."""

import pytest
from sqlalchemy import text

from appliance.config import FILE, load
from appliance.store import migrations
from appliance.store.database import engine_of, open_store
from appliance.store.keys import KeyRing
from tests.cli.conftest import Box, Said

NEWEST = migrations.newest()
NAMES = ("ada", "bea", "home")


@pytest.fixture
def three(box: Box, database_url: str | None) -> Box:
    """A box with three stores of the first released version."""
    box.data.mkdir()
    if database_url:
        (box.data / FILE).write_text(f'[database]\nurl = "{database_url}"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "newest", lambda: "0001")
        for name in NAMES:
            open_store(load(box.data), name, make=True).close()
    return box


def _in(box: Box, name: str, statement: str) -> None:
    """Changes a store behind the program's back."""
    engine = engine_of(load(box.data), name, KeyRing(box.data).open(name))
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text(statement))
    engine.dispose()


def test_every_store_is_brought_with_progress_and_the_second_time_nothing_is_done(three: Box) -> None:
    said = three.run("upgrade")
    assert said.err.splitlines() == [f"{n} of 3: {name}: 0001 -> {NEWEST}" for n, name in enumerate(NAMES, 1)]
    assert (said.code, "ada, bea, home" in said.out) == (0, True)
    said = three.run("upgrade")
    assert said.err.splitlines() == [f"{n} of 3: {name}: {NEWEST} already" for n, name in enumerate(NAMES, 1)]
    assert said.code == 0


def test_each_store_is_one_json_object(three: Box) -> None:
    said = three.run("--json", "upgrade")
    assert (said.code, said.err) == (0, "")
    assert [(row["store"], row["from"], row["to"]) for row in said.rows] == [(name, "0001", NEWEST) for name in NAMES]


def test_one_that_fails_is_said_and_stops_no_other_and_is_done_when_it_is_run_again(three: Box) -> None:
    _in(three, "bea", "CREATE TABLE changes (x INTEGER)")
    said = three.run("upgrade")
    assert said.code == 2
    assert "1 of 3: ada: 0001 ->" in said.err
    assert "2 of 3: bea: failed" in said.err
    assert "3 of 3: home: 0001 ->" in said.err
    assert "inglenook: bea: " in said.err
    _in(three, "bea", "DROP TABLE changes")
    said = three.run("--json", "upgrade")
    assert (said.code, [row["from"] for row in said.rows]) == (0, [NEWEST, "0001", NEWEST])


def test_a_store_whose_keys_are_damaged_stops_no_other(three: Box) -> None:
    KeyRing(three.data).store_file("ada").write_text("nothing")
    said = three.run("--json", "upgrade")
    assert said.code == 2
    assert [sorted(row) for row in said.rows] == [["problems", "store"]] + 2 * [["from", "store", "to", "version"]]
    assert "inglenook: ada: " in said.err
    assert "Traceback" not in said.err


def test_a_locked_store_waits_for_its_next_unlock(three: Box) -> None:
    keys = KeyRing(three.data)
    keys.prove_kit("bea", keys.make_kit("bea"))
    keys.lock("bea", keys.open("bea"), "correct horse battery staple")
    said = three.run("upgrade")
    assert said.code == 0
    assert "2 of 3: bea: is locked, and is brought to this version at its next unlock" in said.err
    assert three.json("upgrade")[1] == {"store": "bea", "locked": True}
    with open_store(load(three.data), "bea", passphrase="correct horse battery staple") as bea:
        assert (bea.came_from, migrations.revision(bea.engine)) == ("0001", NEWEST)


@pytest.mark.parametrize("command", ["records", "upgrade", "check"])
def test_a_store_of_a_newer_version_is_refused_with_the_way_on(three: Box, command: str) -> None:
    three.json("upgrade")
    _in(three, "home", "UPDATE alembic_version SET version_num = '9999'")
    _say_the_way_on(
        three.run(command), "the store 'home' was written by a newer Inglenook", "install the newer one again"
    )
    _in(three, "home", f"UPDATE alembic_version SET version_num = '{NEWEST}'")
    assert three.run("records").code == 0


@pytest.mark.parametrize("database_url", [None], ids=["sqlcipher"])  # PostgreSQL's pages are its server's to check
@pytest.mark.parametrize("command", ["records", "upgrade", "check"])
def test_a_damaged_page_is_said_by_whatever_meets_it(three: Box, command: str) -> None:
    three.json("upgrade")
    path = three.data / "stores" / "home" / "store.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4196] + bytes(len(whole) - 4196))  # all pages but the first, which a store opens with
    _say_the_way_on(three.run(command), str(path), "damaged", "backup")
    path.write_bytes(whole)
    assert three.run(command).code == 0


def _say_the_way_on(said: Said, *words: str) -> None:
    assert (said.code, "Traceback" in said.err) == (2, False)
    assert [word for word in words if word not in said.err] == []
