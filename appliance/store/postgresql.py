"""A store as a PostgreSQL schema with a role of its own: how it is made and opened.

`database.url` is the operator's connection. It makes a store's role and schema, once; from then on the store is opened,
migrated, read and written as that role, which owns its schema and may do nothing elsewhere, so that no connection of
one store reads another's. The role's password derives from the store's key, and the server sees its SCRAM verifier
alone. A schema that the operator's role still owns (version 0.1.0 made it, or a dump was restored) is handed over when
it is opened.

What the operator of the server sees to:

    CREATE ROLE inglenook LOGIN CREATEROLE; CREATE DATABASE inglenook OWNER inglenook;      once
    local inglenook inglenook peer                    in pg_hba.conf, above its other lines: the operator's role
    local inglenook all       scram-sha-256           and each store's (`host` and an address where it is not local)

Every household has a database of its own on the server, into which its own stores' roles may connect and no others; who
else should (a backup's role) is let in by GRANT CONNECT. Roles are the whole server's, so their names end in a digest
of the database's. Within a database every store's role sees the names of roles and schemas and the numbers of rows, and
no content. Whoever has the operator's connection reads all stores of its database, as whoever has the host does.
"""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    ExceptionContext,
    NullPool,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from appliance.errors import UserError
from appliance.store.keys import KeyRing

NOT_LET_IN = ("no password supplied", "authentication failed", "no pg_hba.conf entry")  # such have no SQLSTATE
FULL, NOT_ALLOWED, DAMAGED = "53100", "42501", ("XX001", "XX002")  # SQLSTATEs
STOPPED = ("57P01", "57P02", "57P03")  # by whoever runs the server, by its crash, or not up again yet

# Hundreds of stores share the server's connections (100 by default), and one with its password takes 6 ms to make: a
# store keeps one, which the server ends when nobody has used it for so long.
IDLE_SECONDS = 10

OPTIONS = f"-csearch_path={{schema}} -cidle_session_timeout={IDLE_SECONDS}s"

OWNER = "SELECT current_user, (SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = :schema)"
HAS_ROLE = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)"
OWNERS = "SELECT DISTINCT pg_get_userbyid(nspowner) FROM pg_namespace WHERE starts_with(nspname, 'inglenook_')"
MAY_CLOSE = "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = :schema"


def schema_of(name: str) -> str:
    """The schema of the store of that name."""
    return f"inglenook_{name.replace('-', '_')}"


def role_of(url: str, name: str) -> str:
    """The role of the store of that name: at most 59 characters, of which PostgreSQL keeps 63."""
    return f"{schema_of(name)}_{_digest(_parsed(url).database or '')}"


def _digest(database: str) -> str:
    return sha256(database.encode()).hexdigest()[:8]


def engine(url: str, name: str, secret: str) -> Engine:
    """An engine on the store's schema as its role, both made where they are absent; `secret` is its password."""
    role, schema = role_of(url, name), schema_of(name)
    made = create_engine(
        _parsed(url).set(username=role, password=secret),
        connect_args={"options": OPTIONS.format(schema=schema)},
        pool_size=1,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    try:
        if not _lets_in(made):
            _set_up(url, name, secret)
            _enter(made, role, name)
    except BaseException:
        made.dispose()
        raise
    event.listen(made, "begin", _begin)
    event.listen(made, "handle_error", _say_damage)
    return made


def _say_damage(context: ExceptionContext) -> None:
    if getattr(context.original_exception, "sqlstate", None) in DAMAGED:
        raise UserError(
            f"database.url: PostgreSQL says that its files are damaged: {str(context.original_exception).strip()}; "
            "put the database back from a backup"
        )


def _lets_in(engine: Engine) -> bool:
    """Whether the role is there, with this password and its schema."""
    try:
        with engine.connect() as connection:
            return connection.exec_driver_sql("SELECT current_schema()").scalar() is not None
    except DatabaseError:
        return False  # a connection that fails has no code that says why


def _enter(engine: Engine, role: str, name: str) -> None:
    try:
        engine.connect().close()
    except OperationalError as error:
        raise UserError(_way_in(engine.url, role, name, error)) from None


def _way_in(url: URL, role: str, name: str, error: OperationalError) -> str:
    said = f"database.url: PostgreSQL does not let in {role}, the role of the store {name!r}: {str(error.orig).strip()}"
    if getattr(getattr(error.orig, "pgconn", None), "used_password", False):
        return f"{said}; its password derives from the store's key: if it is wrong, put back the store's keys.json"
    return f"{said}; write in its pg_hba.conf, above its other lines: local {url.database} all scram-sha-256"


def _operator(url: str) -> Engine:
    return create_engine(_parsed(url), poolclass=NullPool, hide_parameters=True)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "postgresql":
            raise ArgumentError(f"{parsed.drivername} is another database")
        if not (database := parsed.database or parsed.username):
            raise ArgumentError("it names no database")
    except ArgumentError as error:
        raise UserError(f"database.url: {error}; write postgresql://USER@HOST/DATABASE") from None
    return parsed.set(drivername="postgresql+psycopg", database=database)


@contextmanager
def _as_operator(url: str) -> Iterator[Connection]:
    """A transaction of the operator's connection."""
    try:
        with _operator(url).begin() as connection:
            yield connection
    except DatabaseError as error:
        said = f"database.url: PostgreSQL cannot be used: {str(error.orig).strip()}"
        if getattr(error.orig, "sqlstate", None) == NOT_ALLOWED:
            said += _rights(_parsed(url))
        elif any(words in said for words in NOT_LET_IN):
            said += _let_in(_parsed(url))
        raise UserError(said) from None


def _let_in(url: URL) -> str:
    role = url.username or getpass.getuser()
    return (
        "; the operator comes in as the system user, so write in its pg_hba.conf, above its other lines: "
        f"local {url.database} {role} peer (or put the password into database.url), and have the server read it again"
    )


def _rights(url: URL) -> str:
    role = f'"{url.username}"' if url.username else "(the role of database.url)"
    return (
        "; each store has a role and a schema of its own, so a superuser of the server must say once: "
        f'ALTER ROLE {role} CREATEROLE; GRANT CREATE ON DATABASE "{url.database}" TO {role}'
    )


def _set_up(url: str, name: str, secret: str) -> None:
    """Makes the store's role and schema, or hands an operator's schema over to the role; all of it or nothing."""
    schema, role = schema_of(name), role_of(url, name)
    with _as_operator(url) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:schema))"), {"schema": schema})
        operator, owner = connection.execute(text(OWNER), {"schema": schema}).one()
        if owner == role:
            _close_database(connection, role)
            return  # another process has just made it, or the server does not let its role in
        if owner not in (None, operator):
            raise UserError(
                f"database.url: the schema {schema} belongs to {owner}, and the role of this store is {role}; if the "
                f'database was renamed, say to PostgreSQL: ALTER ROLE "{owner}" RENAME TO "{role}"'
            )
        _make_role(connection, role, secret)
        _close_database(connection, role)
        if owner is None:
            connection.exec_driver_sql(f'CREATE SCHEMA "{schema}" AUTHORIZATION "{role}"')
        else:
            _hand_over(connection, schema, role)


def _make_role(connection: Connection, role: str, secret: str) -> None:
    """A role that stayed behind when its schema was dropped takes the new store's password."""
    verb = "ALTER" if connection.execute(text(HAS_ROLE), {"role": role}).scalar_one() else "CREATE"
    password = _verifier(connection, role, secret)
    connection.exec_driver_sql(f"{verb} ROLE \"{role}\" LOGIN NOINHERIT PASSWORD '{password}'")
    connection.exec_driver_sql(f'GRANT "{role}" TO CURRENT_USER')  # who is no superuser may not make it an owner else


def _close_database(connection: Connection, role: str) -> None:
    """Lets the stores' roles into this database, and nobody who is not named: a store of another household would see
    the names of schemas here, and how many rows there are."""
    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('inglenook'))")  # one at a time
    if not connection.exec_driver_sql(MAY_CLOSE).scalar_one():
        return
    database = connection.exec_driver_sql("SELECT quote_ident(current_database())").scalar_one()
    for each in {role, *connection.exec_driver_sql(OWNERS).scalars()}:
        connection.exec_driver_sql(f'GRANT CONNECT ON DATABASE {database} TO "{each}"')
    connection.exec_driver_sql(f"REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM PUBLIC")


def _hand_over(connection: Connection, schema: str, role: str) -> None:
    connection.exec_driver_sql(f'ALTER SCHEMA "{schema}" OWNER TO "{role}"')
    for table in connection.execute(text(TABLES), {"schema": schema}).scalars().all():
        connection.exec_driver_sql(f'ALTER TABLE "{schema}"."{table}" OWNER TO "{role}"')  # and its sequence


def _verifier(connection: Connection, role: str, secret: str) -> str:
    """What the server keeps of a password (RFC 5803): the password itself would come into its log."""
    driver = connection.connection.driver_connection
    verifier: bytes = driver.pgconn.encrypt_password(secret.encode(), role.encode(), b"scram-sha-256")  # type: ignore[union-attr]
    return verifier.decode("ascii")


def set_password(connection: Connection, secret: str) -> None:
    """Gives the store's role, whose connection this is, another password when the transaction is committed.

    Connections that are open stay; an engine of the password before makes no new ones.
    """
    role = connection.exec_driver_sql("SELECT current_user").scalar_one()
    connection.exec_driver_sql(f"ALTER ROLE CURRENT_USER PASSWORD '{_verifier(connection, role, secret)}'")


def drop(url: str, name: str) -> None:
    """Removes the store's schema with all that is in it, and its role. Does nothing where they are absent."""
    with _as_operator(url) as connection:
        connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{schema_of(name)}" CASCADE')
        role = role_of(url, name)
        if connection.execute(text(HAS_ROLE), {"role": role}).scalar_one():
            connection.exec_driver_sql(f'DROP OWNED BY "{role}"; DROP ROLE "{role}"')  # what it was granted, and itself


def need_no_schema(url: str, keys: KeyRing, name: str) -> None:
    """A schema without its keys has lost them: new ones would not open its originals."""
    with _as_operator(url) as connection:
        there = inspect(connection).has_table("alembic_version", schema=schema_of(name))
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
