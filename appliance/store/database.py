"""Opening a store's database: an SQLCipher file by default, a PostgreSQL schema where one is configured.

A transaction is read-only (`Store.read`) or writes (`Store.write`, which takes SQLite's write lock at its beginning, so
that it never fails half-way for want of it). Either sees one state of the store throughout.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import configure_mappers

from appliance.config import Config
from appliance.errors import UserError
from appliance.naming import slug
from appliance.store import migrations, postgresql, sqlcipher
from appliance.store.keys import KeyRing, StoreKey

HOME = "home"


class Store:
    """One owner's database, open. Thread-safe: each transaction has a connection of its own."""

    def __init__(self, name: str, engine: Engine, key: StoreKey) -> None:
        self.name, self.engine, self.key = name, engine, key

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed, durably, when the block ends, and undone when it raises."""
        with self._transaction(writes=True) as connection:
            yield connection

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                connection.execution_options(writes=writes)
                with connection.begin():
                    yield connection
        except OperationalError as error:
            if _is_full(error):
                raise UserError(
                    f"the disk is full: nothing of this was stored in {self.name!r}, nothing stored before is harmed; "
                    "free some space and try again"
                ) from None
            if sqlcipher.code(error.orig) == sqlcipher.BUSY:
                raise UserError(f"the store {self.name!r} is busy with another import; try again in a moment") from None
            raise

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_store(config: Config, name: str = HOME, *, make: bool = False) -> Store:
    """The store of that name, migrated to this version; UserError where there is none and `make` asks for none."""
    keys = KeyRing(config.data)
    if name not in keys.store_names():
        if not make:
            known = ", ".join(keys.store_names()) or "none yet"
            raise UserError(f"there is no store {name!r} in {config.data}; there are: {known}")
        if name != slug(name):
            raise UserError(f"{name!r} is no name of a store; {slug(name)!r} would be")
        if config.database_url:
            postgresql.need_no_schema(config.database_url, keys, name)
        make_keys(keys, name)
    key = keys.open(name)
    engine = (
        postgresql.engine(config.database_url, name)
        if config.database_url
        else sqlcipher.engine(store_file(config, name), key.derived("database").hex())
    )
    try:
        migrations.upgrade(engine)
        configure_mappers()  # here, and not in the first page that somebody asks for
    except BaseException:
        engine.dispose()
        raise
    return Store(name, engine, key)


def make_keys(keys: KeyRing, name: str) -> None:
    """The keys of a new store; where another process makes them at the same moment, that one's."""
    try:
        keys.make(name)
    except FileExistsError:
        keys.open(name)


def store_file(config: Config, name: str) -> Path:
    """Where a store's SQLCipher file lies."""
    return config.stores / name / "store.db"


def _is_full(error: OperationalError) -> bool:
    return sqlcipher.code(error.orig) == sqlcipher.FULL or getattr(error.orig, "sqlstate", "") == postgresql.FULL
