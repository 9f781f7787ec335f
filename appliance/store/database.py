"""Opening a store's database: an SQLCipher file by default, a PostgreSQL schema where one is configured.

A transaction is read-only (`Store.read`) or writes (`Store.write`, which takes SQLite's write lock at its beginning, so
that it never fails half-way for want of it). Either sees one state of the store throughout.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlcipher3.dbapi2
from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.orm import configure_mappers
from sqlalchemy.pool import QueuePool

from appliance.config import Config
from appliance.errors import UserError
from appliance.naming import slug
from appliance.store import migrations
from appliance.store.keys import KeyRing, StoreKey

HOME = "home"
CACHE_KIB = 8_192  # a cache a connection, and the dashboard has eight: 32 MB each was 100 MB more
BUSY_MS = 30_000
SQLITE_BUSY, SQLITE_CORRUPT, SQLITE_FULL, SQLITE_NOTADB = 5, 11, 13, 26
POSTGRESQL_FULL = "53100"


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
            if _code(error.orig) == SQLITE_BUSY:
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
            _need_no_schema(config, keys, name)
        make_keys(keys, name)
    key = keys.open(name)
    engine = _postgresql(config.database_url, name) if config.database_url else _sqlcipher(config, name, key)
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


def _sqlcipher(config: Config, name: str, key: StoreKey) -> Engine:
    path, secret = store_file(config, name), key.derived("database").hex()

    def connect() -> Any:
        connection = sqlcipher3.dbapi2.connect(str(path), isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, secret)
        except sqlcipher3.dbapi2.DatabaseError as error:
            connection.close()
            if _code(error) == SQLITE_NOTADB:
                raise UserError(
                    f"{path}: this is not a store that the key beside it opens; put back store.db and keys.json "
                    "from one backup"
                ) from None
            raise
        return connection

    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        creator=connect,
        module=sqlcipher3.dbapi2,
        poolclass=QueuePool,
        pool_size=4,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", lambda context: _say_damage(path, context))
    return engine


def _say_damage(path: Path, context: ExceptionContext) -> None:
    """A page that its key does not prove is damage, and none of this program's."""
    if _code(context.original_exception) in (SQLITE_CORRUPT, SQLITE_NOTADB):
        raise UserError(f"{path}: the store is damaged; put it back from a backup (inglenook check looks for more)")


def _code(error: BaseException | None) -> int:
    """SQLite's primary result code, 0 for what is no error of SQLite's."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _prepare(connection: Any, secret: str) -> None:
    for pragma in (
        "cipher_log_level = NONE",  # it would write to stderr, beside what is said to a person
        f"key = \"x'{secret}'\"",
        f"busy_timeout = {BUSY_MS}",
        "temp_store = MEMORY",  # what SQLite sorts would lie in clear in a temporary file
        f"cache_size = -{CACHE_KIB}",
        "journal_mode = WAL",
        "synchronous = FULL",  # in simulated power cuts NORMAL lost acknowledged commits
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.create_function("any_lower", 1, str.lower, deterministic=True)


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _schema(name: str) -> str:
    return f"inglenook_{name.replace('-', '_')}"


def _postgresql(url: str, name: str) -> Engine:
    schema = _schema(name)
    engine = _postgresql_engine(url, schema)
    with _postgresql_answers(engine), engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:schema))"), {"schema": schema})
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    event.listen(engine, "begin", _begin_on_postgresql)
    return engine


def _postgresql_engine(url: str, schema: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "postgresql":
            raise ArgumentError(f"{parsed.drivername} is another database")
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, connect_args={"options": f"-csearch_path={schema}"}, hide_parameters=True)
    except ArgumentError as error:
        raise UserError(f"database.url: {error}; write postgresql://USER@HOST/DATABASE") from None


@contextmanager
def _postgresql_answers(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        engine.dispose()
        raise UserError(f"database.url: PostgreSQL cannot be used: {str(error.orig).strip()}") from None


def _need_no_schema(config: Config, keys: KeyRing, name: str) -> None:
    """A schema without its keys has lost them: new ones would not open its originals."""
    engine = _postgresql_engine(config.database_url or "", _schema(name))
    with _postgresql_answers(engine):
        there = inspect(engine).has_table("alembic_version", schema=_schema(name))
    engine.dispose()
    if there and name not in keys.store_names():  # else another process has just made both
        raise UserError(
            f"{keys.store_file(name)}: the keys of the store {name!r} are missing, and its schema {_schema(name)} is "
            "in the database; put the file back from a backup"
        )


def _begin_on_postgresql(connection: Connection) -> None:
    """One writer at a time, as SQLite has it: two imports of one file must not both find its rows new."""
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext(current_schema()))")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _is_full(error: OperationalError) -> bool:
    return _code(error.orig) == SQLITE_FULL or getattr(error.orig, "sqlstate", "") == POSTGRESQL_FULL
