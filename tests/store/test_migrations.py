"""What may go wrong while a store is brought to this version, and how a person goes on."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text

from appliance.config import Config
from appliance.errors import UserError
from appliance.store import migrations
from appliance.store.database import HOME, engine_of, open_store, store_file
from appliance.store.keys import KeyRing
from tests import disks, postgresql
from tests.blank import drop_stores

DISK_BYTES, SERVER_BYTES = 16 << 20, 256 << 20
PAYMENTS = 2000


def first_released(config: Config, name: str = HOME) -> None:
    """A store as the first released version made it, with payments in it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "newest", lambda: "0001")
        with open_store(config, name, make=True) as store, store.write() as connection:
            connection.exec_driver_sql("INSERT INTO sources VALUES (1, 'bank', 'Bank', '{}')")
            connection.exec_driver_sql(
                "INSERT INTO imports VALUES (1, 1, 'a.ofx', 'ofx', NULL, 'bank', '', '{}', 1, 1, 0, 0, '[]', '', NULL)"
            )
            connection.execute(
                text(
                    "INSERT INTO records VALUES (:id, 'money.transaction', 1, '', 'Shop', 'Shop', 'A', -1, 'EUR', "
                    ":memo, 'our', '', '{}', 1, 1, 0, 1, :fingerprint, '')"
                ),
                [{"id": id, "memo": "x" * 1000, "fingerprint": b"%d" % id} for id in range(1, PAYMENTS + 1)],
            )


def _found(config: Config) -> tuple[str | None, int, int]:
    """The store's version, payments and damaged places, as whoever opens it without migrating finds it."""
    engine = engine_of(config, HOME, KeyRing(config.data).open(HOME))
    try:
        at = migrations.revision(engine)
        with engine.connect() as connection:
            payments = connection.exec_driver_sql("SELECT count(*) FROM records").scalar_one()
            checks = ("cipher_integrity_check", "integrity_check", "foreign_key_check")
            rows = [row for check in checks for row in connection.exec_driver_sql(f"PRAGMA {check}")]
            return at, payments, sum(row[0] != "ok" for row in rows)
    finally:
        engine.dispose()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    with disks.mounted(tmp_path / "disk", DISK_BYTES) as folder:
        yield folder


def test_a_disk_that_fills_during_a_migration_leaves_the_store_as_it_was(disk: Path) -> None:
    config = Config(disk / "box")
    first_released(config)
    before = ("0001", PAYMENTS, 0)
    assert _found(config) == before
    size = store_file(config, HOME).stat().st_size
    for free in (64 << 10, size // 4, size // 2, size, size * 5 // 4):
        disks.leave_free(disk, free)
        with pytest.raises(UserError, match=r"the disk is full.*stays as it was.*free some space"):
            open_store(config)
        assert _found(config) == before, free
    disks.make_room(disk)
    open_store(config).close()
    assert _found(config) == (migrations.newest(), PAYMENTS, 0)


def test_a_disk_without_any_room_is_said_and_the_store_is_there_again_when_it_has_some(disk: Path) -> None:
    config = Config(disk / "box")
    first_released(config)
    open_store(config).close()
    disks.leave_free(disk, 0)
    with pytest.raises(UserError, match=r"store\.db: the disk is full, or fails.*free some space"):
        open_store(config)
    disks.make_room(disk)
    assert _found(config) == (migrations.newest(), PAYMENTS, 0)


def test_a_disk_of_postgresql_that_fills_during_a_migration_leaves_the_store_as_it_was(
    tmp_path: Path, postgresql_programs: Path
) -> None:
    short = Path(tempfile.mkdtemp(dir="/tmp"))  # a socket's path has at most 107 bytes
    with disks.mounted(short, SERVER_BYTES):
        short.chmod(0o755)
        with postgresql.cluster(postgresql_programs, within=short) as url:
            config = Config(tmp_path / "box", database_url=url)
            first_released(config)
            said = []
            for free in (1 << 20, 2 << 20, 3 << 20):
                disks.leave_free(short, free)
                with pytest.raises(UserError, match=r"stays as it was.*inglenook upgrade") as raised:
                    open_store(config)
                said.append(str(raised.value))
            assert any("the disk is full" in each for each in said), said
            disks.make_room(short)
            open_store(config).close()
            with open_store(config) as store, store.read() as connection:
                assert connection.exec_driver_sql("SELECT count(*) FROM records").scalar_one() == PAYMENTS
    short.rmdir()


def test_a_server_that_stops_during_a_migration_leaves_the_store_as_it_was(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(tmp_path / "box", database_url=postgresql_url)
    first_released(config)
    whole = command.upgrade

    def stopped(said: Any, revision: str) -> None:
        whole(said, revision)
        said.attributes["connection"].exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", stopped)
        with pytest.raises(UserError, match=r"the database server stopped.*log, then run: inglenook upgrade"):
            open_store(config)
    with open_store(config) as store, store.read() as connection:
        assert store.came_from == "0001"
        assert connection.exec_driver_sql("SELECT count(*) FROM records").scalar_one() == PAYMENTS
    drop_stores(postgresql_url)


def test_a_store_that_another_program_writes_is_not_migrated_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(tmp_path)
    first_released(config)
    engine = engine_of(config, HOME, KeyRing(config.data).open(HOME))
    monkeypatch.setattr("appliance.store.sqlcipher.BUSY_MS", 1)
    with engine.connect().execution_options(writes=True) as old_program:
        old_program.exec_driver_sql("INSERT INTO settings VALUES ('a', 'b')")
        with pytest.raises(UserError, match=r"in use.*try again"):
            open_store(config)
        old_program.commit()
    engine.dispose()
    open_store(config).close()
    assert _found(config) == (migrations.newest(), PAYMENTS, 0)
