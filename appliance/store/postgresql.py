"""A store as a PostgreSQL schema: how it is made and opened."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError

from appliance.errors import UserError
from appliance.store.keys import KeyRing

FULL = "53100"


def schema_of(name: str) -> str:
    """The schema of the store of that name."""
    return f"inglenook_{name.replace('-', '_')}"


def engine(url: str, name: str) -> Engine:
    """An engine on the store's schema, which is made where it is absent."""
    schema = schema_of(name)
    made = _engine(url, schema)
    with _answers(made), made.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:schema))"), {"schema": schema})
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    event.listen(made, "begin", _begin)
    return made


def _engine(url: str, schema: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "postgresql":
            raise ArgumentError(f"{parsed.drivername} is another database")
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, connect_args={"options": f"-csearch_path={schema}"}, hide_parameters=True)
    except ArgumentError as error:
        raise UserError(f"database.url: {error}; write postgresql://USER@HOST/DATABASE") from None


@contextmanager
def _answers(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        engine.dispose()
        raise UserError(f"database.url: PostgreSQL cannot be used: {str(error.orig).strip()}") from None


def need_no_schema(url: str, keys: KeyRing, name: str) -> None:
    """A schema without its keys has lost them: new ones would not open its originals."""
    engine = _engine(url, schema_of(name))
    with _answers(engine):
        there = inspect(engine).has_table("alembic_version", schema=schema_of(name))
    engine.dispose()
    if there and name not in keys.store_names():  # else another process has just made both
        raise UserError(
            f"{keys.store_file(name)}: the keys of the store {name!r} are missing, and its schema {schema_of(name)} is "
            "in the database; put the file back from a backup"
        )


def _begin(connection: Connection) -> None:
    """One writer at a time, as SQLite has it: two imports of one file must not both find its rows new."""
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext(current_schema()))")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
