"""Blank home stores, made once and lent to one test after another: making one takes longer than most tests do."""

import shutil
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from appliance.config import Config
from appliance.store import migrations
from appliance.store.database import open_store
from appliance.store.models import Table

SCHEMA, HOME = "blank", "inglenook_home"


class Blank:
    """The folder of a box with a blank home store; with PostgreSQL its schema is kept aside under another name."""

    def __init__(self, folder: Path, url: str | None) -> None:
        self.folder, self.url = folder, url
        open_store(Config(folder, database_url=url), make=True).close()
        if url:
            self._run(lambda connection: connection.exec_driver_sql(f"ALTER SCHEMA {HOME} RENAME TO {SCHEMA}"))

    def lend(self, folder: Path) -> None:
        shutil.copytree(self.folder, folder)
        if self.url:
            self._run(lambda connection: connection.exec_driver_sql(f"ALTER SCHEMA {SCHEMA} RENAME TO {HOME}"))

    def take_back(self) -> None:
        if self.url:
            self._run(_emptied)

    def _run(self, job: object) -> None:
        engine = create_engine(self.url or "", poolclass=NullPool)
        with engine.begin() as connection:
            job(connection)  # type: ignore[operator]


def drop_stores(url: str) -> None:
    """Whatever stores a test has made, each by itself: a hundred in one transaction are more locks than it may hold."""
    with create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        _drop(connection)


def _emptied(connection: Connection) -> None:
    tables = ", ".join(f"{HOME}.{name}" for name in Table.metadata.tables)
    connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY")
    connection.exec_driver_sql(f"UPDATE {HOME}.alembic_version SET version_num = '{migrations.newest()}'")
    connection.exec_driver_sql(f"ALTER SCHEMA {HOME} RENAME TO {SCHEMA}")


def _drop(connection: Connection) -> None:
    """A role that owns the blank stays, and is the next home store's."""
    schemas = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'inglenook_')"
    for name in connection.exec_driver_sql(schemas).scalars().all():
        connection.exec_driver_sql(f'DROP SCHEMA "{name}" CASCADE')
    owners = "SELECT FROM pg_namespace WHERE nspowner = pg_roles.oid"
    roles = f"SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'inglenook_') AND NOT EXISTS ({owners})"
    for name in connection.exec_driver_sql(roles).scalars().all():
        connection.exec_driver_sql(f'DROP OWNED BY "{name}"')
        connection.exec_driver_sql(f'DROP ROLE "{name}"')
