"""A host of many households: a hundred stores on one PostgreSQL, made by one version and brought to the next."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from appliance.cli import main
from appliance.config import FILE, Config, load
from appliance.store import migrations, postgresql
from appliance.store.database import open_store
from tests.postgresql import GUARDED, cluster

NAMES = ["home", *(f"person-{number}" for number in range(1, 100))]
UNABLE = NAMES[50]
SAY = text("INSERT INTO settings (name, value) VALUES ('whose', :whose)")


@pytest.fixture
def hosted(postgresql_programs: Path, tmp_path: Path) -> Iterator[Config]:
    """A hundred stores of the first released version, each with a fact of its own.

    The server is theirs, and goes with them: to drop their 20,000 files one by one takes longer than to start another.
    """
    data = tmp_path / "box"
    data.mkdir()
    with cluster(postgresql_programs, GUARDED) as url:
        (data / FILE).write_text(f'[database]\nurl = "{url}"\n')
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(migrations, "newest", lambda: "0001")
            for name in NAMES:
                _made(load(data), name)
        yield load(data)


def _made(config: Config, name: str) -> None:
    with open_store(config, name, make=True) as store, store.write() as connection:
        connection.execute(SAY, {"whose": name})


def _upgrade(config: Config) -> tuple[int, dict[str, dict[str, str]], str]:
    """How the command ended, what became of each store, and what it said beside."""
    result = CliRunner().invoke(main, ["--data", str(config.data), "--json", "upgrade"])
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return result.exit_code, {row["store"]: row for row in rows}, result.stderr


def _operator_says(url: str | None, statement: str) -> None:
    with create_engine(url or "", poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(statement)


def test_a_hundred_stores_are_made_upgraded_past_one_that_fails_and_read_by_their_own_roles(hosted: Config) -> None:
    in_the_way = f"{postgresql.schema_of(UNABLE)}.changes"
    _operator_says(hosted.database_url, f"CREATE TABLE {in_the_way} (x int)")
    code, rows, said = _upgrade(hosted)
    assert (code, len(rows)) == (2, 100)
    assert "problems" in rows.pop(UNABLE)
    assert UNABLE in said
    assert {(row["from"], row["to"]) for row in rows.values()} == {("0001", migrations.newest())}

    _operator_says(hosted.database_url, f"DROP TABLE {in_the_way}")
    code, rows, said = _upgrade(hosted)
    assert (code, said) == (0, "")
    assert [name for name, row in rows.items() if row["from"] == "0001"] == [UNABLE]
    assert sorted(rows) == sorted(NAMES)

    for name, other in zip(NAMES, NAMES[1:] + NAMES[:1], strict=True):
        _reads_its_own_and_not_anothers(hosted, name, other)


def _reads_its_own_and_not_anothers(config: Config, name: str, other: str) -> None:
    with open_store(config, name) as store:
        with store.read() as connection:
            assert connection.execute(text("SELECT current_user, value FROM settings")).all() == [
                (postgresql.role_of(config.database_url or "", name), name)
            ]
        with pytest.raises(ProgrammingError) as raised, store.read() as connection:
            connection.exec_driver_sql(f"SELECT * FROM {postgresql.schema_of(other)}.settings")
        assert isinstance(raised.value.orig, InsufficientPrivilege)
