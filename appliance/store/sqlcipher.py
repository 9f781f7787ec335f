"""A store as an SQLCipher file: how it is opened, and what its errors mean."""

from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2
from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.pool import QueuePool

from appliance.errors import UserError

CACHE_KIB = 8_192  # a cache a connection, and the dashboard has eight: 32 MB each was 100 MB more
BUSY_MS = 30_000
BUSY, IOERR, CORRUPT, FULL, NOTADB = 5, 10, 11, 13, 26


def engine(path: Path, secret: str) -> Engine:
    """An engine on the file; `secret` is its key in hex."""

    def connect() -> Any:
        connection = sqlcipher3.dbapi2.connect(str(path), isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, secret)
        except sqlcipher3.dbapi2.DatabaseError as error:
            connection.close()
            if code(error) == NOTADB:
                raise UserError(
                    f"{path}: this is not a store that the key beside it opens; put back store.db and keys.json "
                    "from one backup"
                ) from None
            raise
        return connection

    made = create_engine(
        f"sqlite+pysqlite:///{path}",
        creator=connect,
        module=sqlcipher3.dbapi2,
        poolclass=QueuePool,
        pool_size=4,
        hide_parameters=True,
    )
    event.listen(made, "begin", _begin)
    event.listen(made, "handle_error", lambda context: _say_damage(path, context))
    return made


def rekey(engine: Engine, secret: str) -> None:
    """Encrypts every page with another key, in one transaction of the WAL: killed at any moment, one of the two opens
    the whole file. SQLCipher says that all went well where the disk did not take it, too: see whether the key opens it.
    """
    with engine.connect() as connection:
        _run(connection.connection.driver_connection, f"rekey = \"x'{secret}'\"")
    engine.dispose()


def _run(connection: Any, *pragmas: str) -> None:
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _say_damage(path: Path, context: ExceptionContext) -> None:
    """A page that its key does not prove is damage, and none of this program's."""
    if code(context.original_exception) in (CORRUPT, NOTADB):
        raise UserError(f"{path}: the store is damaged; put it back from a backup (inglenook check looks for more)")
    if code(context.original_exception) == IOERR:  # opening needs 36 kB for what readers share: without them it is this
        raise UserError(
            f"{path}: the disk is full, or fails (disk I/O error); free some space and try again, and where there is "
            "enough put the store back from a backup on another disk"
        )


def code(error: BaseException | None) -> int:
    """SQLite's primary result code, 0 for what is no error of SQLite's."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _prepare(connection: Any, secret: str) -> None:
    _run(
        connection,
        "cipher_log_level = NONE",  # it would write to stderr, beside what is said to a person
        f"key = \"x'{secret}'\"",
        f"busy_timeout = {BUSY_MS}",
        "temp_store = MEMORY",  # what SQLite sorts would lie in clear in a temporary file
        f"cache_size = -{CACHE_KIB}",
        "journal_mode = WAL",
        "synchronous = FULL",  # in simulated power cuts NORMAL lost acknowledged commits
        "foreign_keys = ON",
    )


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")
