"""Opening stores, their transactions and their migrations, on both databases."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from appliance.config import Config
from appliance.errors import UserError
from appliance.store import database, migrations
from appliance.store.database import Store, open_store, store_file
from appliance.store.keys import KeyRing
from appliance.store.models import RecordRow, Setting, Table
from appliance.store.models.searching import is_compared


def _say(connection: Connection, name: str) -> None:
    connection.execute(insert(Setting).values(name=name, value="x"))


def _said(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(Setting.name).order_by(Setting.name)).scalars())


# ---- transactions ----


def test_what_was_written_is_there_when_a_store_is_opened_again(config: Config, store: Store) -> None:
    with store.write() as connection:
        _say(connection, "a")
    with open_store(config) as again:
        assert _said(again) == ["a"]


def test_a_store_that_the_disk_has_lost_is_said_and_no_empty_one_put_in_its_place(tmp_path: Path) -> None:
    config = Config(tmp_path / "box")
    open_store(config, make=True).close()
    file = store_file(config, "home")
    file.unlink()
    for make in (False, True):
        with pytest.raises(UserError, match=r"store\.db is missing.* bring the box back from its backup"):
            open_store(config, make=make)
    assert not file.exists()


def test_a_store_whose_making_a_power_cut_ended_is_made_to_its_end(tmp_path: Path) -> None:
    config = Config(tmp_path / "box")
    database._begin(config.stores / "home")
    database.make_keys(KeyRing(config.data), "home")
    open_store(config, make=True).close()
    assert sorted(path.name for path in (config.stores / "home").iterdir()) == ["keys.json", "lock", "store.db"]


def test_a_write_that_raises_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as connection:
            _say(connection, "a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert _said(store) == []


def test_a_read_sees_one_state_throughout(store: Store) -> None:
    with store.read() as reading:
        assert reading.execute(select(func.count()).select_from(Setting)).scalar_one() == 0
        with store.write() as writing:
            _say(writing, "a")
        assert reading.execute(select(func.count()).select_from(Setting)).scalar_one() == 0
    assert _said(store) == ["a"]


def test_a_second_writer_waits_for_the_first(store: Store) -> None:
    with store.write() as first, store.engine.connect() as second:
        _say(first, "a")
        second.exec_driver_sql("PRAGMA busy_timeout = 1" if store.is_sqlite else "SET lock_timeout = '1ms'")
        second.commit()
        second.execution_options(writes=True)
        with pytest.raises(DBAPIError):
            second.begin()
    assert _said(store) == ["a"]


def test_an_acknowledged_write_is_synced_and_nothing_sorted_lies_in_a_file_in_clear(tmp_path: Path) -> None:
    wanted = {"synchronous": 2, "journal_mode": "wal", "temp_store": 2, "foreign_keys": 1}
    with open_store(Config(tmp_path), make=True) as store, store.read() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in wanted}
    assert found == wanted


def test_a_record_needs_its_source_and_its_import(store: Store) -> None:
    columns = dict.fromkeys(("kind", "zone", "title", "party", "account", "unit", "memo", "provenance"), "")
    numbers = dict.fromkeys(("at_us", "first", "length", "source_id", "import_id"), 7)
    row = {**columns, **numbers, "supplier_id": "", "fields": {}, "fingerprint": b"", "decision": ""}
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(insert(RecordRow).values(**row))


def test_a_store_that_nobody_made_is_not_made_by_asking(config: Config) -> None:
    with pytest.raises(UserError, match=r"there is no store 'ada'.*none yet"):
        open_store(config, "ada")
    assert not config.stores.exists()


@pytest.mark.parametrize("name", ["Ada", "../ada", "a b", "", "ünal"])
def test_a_name_that_is_no_store_s_makes_none(config: Config, name: str) -> None:
    with pytest.raises(UserError, match="no name of a store"):
        open_store(config, name, make=True)
    assert not config.stores.exists()


def test_stores_of_one_box_hold_their_own_rows_alone(config: Config, store: Store) -> None:
    with open_store(config, "ada-2", make=True) as ada, ada.write() as connection:
        _say(connection, "hers")
    assert _said(store) == []


def test_a_file_that_is_no_store_is_said_with_its_path(tmp_path: Path) -> None:
    config = Config(tmp_path)
    open_store(config, make=True).close()
    store_file(config, "home").write_bytes(b"no database" * 1000)
    with pytest.raises(UserError) as raised:
        open_store(config)
    assert str(store_file(config, "home")) in raised.value.problems[0]


@pytest.mark.parametrize("url", ["mysql://x/y", "no url", "sqlite:///x", "postgresql+psycopg://u@/d?host=/nowhere"])
def test_a_database_that_cannot_be_used_is_said(tmp_path: Path, url: str) -> None:
    with pytest.raises(UserError, match=r"database\.url"):
        open_store(Config(tmp_path, database_url=url), make=True)
    assert not list(tmp_path.rglob("keys.json"))


def test_a_password_in_the_database_s_url_is_not_shown(tmp_path: Path) -> None:
    url = "postgresql://u:hush-hush@/d?host=/nowhere"
    with pytest.raises(UserError) as raised:
        open_store(Config(tmp_path, database_url=url), make=True)
    assert "hush-hush" not in str(raised.value)


# ---- migrations ----


def test_a_new_store_is_what_the_models_say(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": is_compared})
        assert compare_metadata(context, Table.metadata) == []


def test_upgrading_twice_does_nothing_the_second_time(store: Store) -> None:
    with store.write() as connection:
        _say(connection, "a")
    assert migrations.upgrade(store.engine) == migrations.newest()
    assert _said(store) == ["a"]


def test_a_migration_that_fails_leaves_the_store_as_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    monkeypatch.setattr("alembic.command.upgrade", _half_an_upgrade)
    with pytest.raises(RuntimeError):
        migrations.upgrade(store.engine)
    with store.read() as connection:
        assert not connection.dialect.has_table(connection, "half")
        if store.is_sqlite:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


def _half_an_upgrade(config: object, to: str) -> None:
    connection: Connection = config.attributes["connection"]  # type: ignore[attr-defined]
    connection.execute(text("CREATE TABLE half (x INTEGER)"))
    raise RuntimeError


def test_a_store_of_a_newer_version_is_refused_and_left_alone(config: Config, store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UserError, match="newer Inglenook"):
        open_store(config)
    with store.read() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "9999"


def _fill(store: Store) -> None:
    with store.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        for number in range(3):
            connection.execute(insert(Setting).values(name=f"{number}", value="x" * 10_000))


def test_a_full_store_says_so_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with open_store(Config(tmp_path), make=True) as store:
        with pytest.raises(UserError, match="the disk is full: nothing of this was stored"):
            _fill(store)
        assert _said(store) == []
    with open_store(Config(tmp_path)) as store:
        with store.write() as connection:
            _say(connection, "a")
            connection.execute(update(Setting).values(value="y" * 100_000))
        assert _said(store) == ["a"]
