"""Migrations of a store, by Alembic. Every store that was ever made stays readable: a released file here never changes.

On SQLite a migration runs with foreign keys off (Alembic's batch mode would delete the children of a table that it
makes anew) inside one BEGIN IMMEDIATE, and the foreign keys are checked before it is committed. On PostgreSQL it runs
as the store's own role, which makes no extensions.
"""

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import OperationalError

from appliance.errors import UserError
from appliance.store import postgresql, sqlcipher

VERSIONS = Path(__file__).parent / "versions"


def newest() -> str:
    """The revision that this version of Inglenook needs: its files are named by number."""
    return max(path.stem.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


class NewerStoreError(UserError):
    """A newer Inglenook wrote the store."""


def upgrade(engine: Engine, name: str = "home") -> str | None:
    """Brings a store to this version, in one transaction; the version that it had before, None where it is new.

    UserError of a newer store, and where it could not be done: the store is then as it was.
    """
    try:
        at = revision(engine)
        if at == newest():
            return at
        if at is not None and at > newest():
            raise NewerStoreError(
                f"the store {name!r} was written by a newer Inglenook: it is of version {at}, and Inglenook "
                f"{version('inglenook')}, which runs here, reads up to {newest()}; install the newer one again"
            )
        _run(engine)
    except OperationalError as error:
        if said := _reason(error):
            raise UserError(said) from None
        raise
    return at


def revision(engine: Engine) -> str | None:
    """The version of a store; None of one in which nothing is yet."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _reason(error: OperationalError) -> str:
    """What a person is told. A full disk stands before what Alembic says of the table that went with it."""
    told = list(_told(error))
    if any(sqlcipher.code(each) == sqlcipher.FULL or _sqlstate(each) == postgresql.FULL for each in told):
        return (
            "the disk is full: the store could not be brought to this version, and stays as it was; "
            "free some space and run: inglenook upgrade"
        )
    if any(_is_lost(each) for each in told):
        return (
            "the database server stopped, or ended the connection: the store could not be brought to this version, and "
            "stays as it was; see the server's log, then run: inglenook upgrade"
        )
    if any(sqlcipher.code(each) == sqlcipher.BUSY for each in told):
        return "the store is in use, and could not be brought to this version; try again in a moment"
    return ""


def _told(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__context__


def _is_lost(error: BaseException) -> bool:
    """Whether the server went, by the code that it ended with or by there being nobody at the other end."""
    return getattr(error, "connection_invalidated", False) or _sqlstate(error) in postgresql.STOPPED


def _sqlstate(error: BaseException) -> str:
    return getattr(error, "sqlstate", None) or ""


def _run(engine: Engine) -> None:
    from alembic import command  # costs 10 MB and 0.2 s, and is needed once a version
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    with engine.connect().execution_options(writes=True) as connection:
        sqlite = engine.dialect.name == "sqlite"
        if sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
        try:
            with connection.begin():
                config.attributes["connection"] = connection
                command.upgrade(config, newest())
                if sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise RuntimeError("a migration left rows behind whose parents are gone")
        finally:
            if sqlite:
                connection.connection.driver_connection.execute("PRAGMA foreign_keys = ON")  # type: ignore[union-attr]
