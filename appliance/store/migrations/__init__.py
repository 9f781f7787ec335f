"""Migrations of a store, by Alembic. Every store that was ever made stays readable: a released file here never changes.

On SQLite a migration runs with foreign keys off (Alembic's batch mode would delete the children of a table that it
makes anew) inside one BEGIN IMMEDIATE, and the foreign keys are checked before it is committed.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from appliance.errors import UserError

VERSIONS = Path(__file__).parent / "versions"


def newest() -> str:
    """The revision that this version of Inglenook needs: its files are named by number."""
    return max(path.stem.partition("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


def upgrade(engine: Engine) -> bool:
    """Brings a store to this version, in one transaction; whether anything was to do. UserError of a newer store."""
    with engine.connect() as connection:
        at = _revision(connection)
    if at == newest():
        return False
    if at is not None and at > newest():
        raise UserError(
            f"this store was written by a newer Inglenook (its version {at}, this one reads up to {newest()}); "
            "install that version again: inglenook upgrade says which one runs"
        )
    _run(engine)
    return True


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


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
                command.upgrade(config, "head")
                if sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                    raise RuntimeError("a migration left rows behind whose parents are gone")
        finally:
            if sqlite:
                connection.connection.driver_connection.execute("PRAGMA foreign_keys = ON")  # type: ignore[union-attr]
