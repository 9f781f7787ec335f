"""What a database keeps of rows that were deleted: overwritten as they go, and cleared away after."""

from typing import Any

from sqlalchemy import Connection

from appliance.errors import UserError
from appliance.store.database import Store
from appliance.store.models import Table

ON_THE_HOST = (
    "the host’s disk: PostgreSQL keeps deleted rows in its write-ahead log and in free space until it uses that again; "
    "whoever runs the server sees to its archives and backups"
)


def overwrite(connection: Connection) -> None:
    """Has SQLite overwrite with zeros what this connection deletes from now on."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def clear(store: Store) -> list[str]:
    """Leaves nothing of what was deleted in the database's files; what is beyond it.

    UserError where it cannot be done now. SQLite moves rows between pages and leaves their old places as they are, so
    the whole file is written anew.
    """
    with store.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        try:
            if store.is_sqlite:
                _clear_sqlite(driver)
                return []
            _clear_postgresql(driver)
            return [ON_THE_HOST]
        except store.engine.dialect.loaded_dbapi.Error as error:
            raise UserError(
                f"the database’s file may still hold words of it in free pages ({error}); free some space, close what "
                "else uses this store, and run: inglenook retention run"
            ) from None


def _clear_sqlite(driver: Any) -> None:
    driver.execute("PRAGMA temp_store = FILE").fetchall()  # encrypted by SQLCipher, and too large for memory
    try:
        driver.execute("VACUUM")
    finally:
        driver.execute("PRAGMA temp_store = MEMORY").fetchall()
    [(busy, _, _)] = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if busy:
        raise UserError(
            "the store’s write-ahead log is being read by another program and may still hold words of it; close that, "
            "and run: inglenook retention run"
        )


def _clear_postgresql(driver: Any) -> None:
    driver.autocommit = True
    try:
        driver.execute(f"VACUUM {', '.join(Table.metadata.tables)}")
    finally:
        driver.autocommit = False
