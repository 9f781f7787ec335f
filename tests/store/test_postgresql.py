"""What a store on PostgreSQL adds: a role of its own, made once, and let in by its password."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from appliance.config import Config
from appliance.errors import UserError
from appliance.store import migrations, postgresql
from appliance.store.database import HOME, Store, make_keys, open_store
from appliance.store.keys import KeyRing
from tests.blank import drop_stores

SAY = text("INSERT INTO settings (name, value) VALUES ('whose', :whose)")


@pytest.fixture
def url(guarded_postgresql_url: str) -> Iterator[str]:
    """A database of a server that lets the operator in by its socket and a store by its password."""
    yield guarded_postgresql_url
    drop_stores(guarded_postgresql_url)


@pytest.fixture
def config(url: str, tmp_path: Path) -> Config:
    return Config(tmp_path / "box", database_url=url)


def _run(url: str, *statements: str) -> list[Any]:
    """What the operator says to the server, each on its own, and the rows of the last."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            done = connection.exec_driver_sql(statement)
        return list(done) if done.returns_rows else []


def _as(url: str, role: str, database: str = "") -> str:
    parsed = make_url(url).set(username=role)
    return (parsed.set(database=database) if database else parsed).render_as_string(hide_password=False)


def _say(store: Store, whose: str) -> None:
    with store.write() as connection:
        connection.execute(SAY, {"whose": whose})


def _said(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(text("SELECT value FROM settings")).scalars())


def _refused(engine: Engine, statement: str) -> None:
    with engine.connect().execution_options(writes=True) as connection, pytest.raises(ProgrammingError) as raised:
        connection.exec_driver_sql(statement)
    assert isinstance(raised.value.orig, InsufficientPrivilege), statement


# ---- a store's role ----


ELSEWHERE = (
    "SELECT * FROM inglenook_ada.settings",
    "INSERT INTO inglenook_ada.settings VALUES ('a', 'b')",
    "DROP TABLE inglenook_ada.settings",
    "CREATE TABLE inglenook_ada.mine (x int)",
    "ALTER SCHEMA inglenook_ada OWNER TO CURRENT_USER",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "CREATE ROLE another",
    "ALTER ROLE CURRENT_USER CREATEROLE",
    "CREATE SCHEMA another",
    "COPY settings TO PROGRAM 'cat'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT rolpassword FROM pg_authid",
)


def test_a_store_s_connection_reaches_nothing_but_its_own(config: Config) -> None:
    with open_store(config, "ada", make=True) as ada, open_store(config, make=True) as home:
        _say(ada, "hers")
        for statement in ELSEWHERE:
            _refused(home.engine, statement)
            _refused(home.engine, f"RESET ROLE; RESET SESSION AUTHORIZATION; {statement}")
        assert _said(ada) == ["hers"]
        assert _said(home) == []


def test_a_store_s_role_takes_no_other_password(config: Config, url: str) -> None:
    with open_store(config, make=True) as home, open_store(config, "ada", make=True) as ada:
        theirs = ada.key.derived("database").hex()
        assert _said(home) == []
    role = postgresql.role_of(url, HOME)
    for password in ("", "postgres", theirs):
        engine = create_engine(make_url(url).set(username=role, password=password), poolclass=NullPool)
        with pytest.raises(OperationalError):
            engine.connect()
    with pytest.raises(UserError, match=rf"does not let in {role}.*password.*put back the store's keys\.json"):
        postgresql.engine(url, HOME, theirs)
    with open_store(config) as home:
        assert _said(home) == []


def test_a_password_is_changed_with_the_transaction_or_not_at_all(config: Config, url: str) -> None:
    with open_store(config, make=True) as home:
        secret = home.key.derived("database").hex()
        with pytest.raises(DatabaseError):
            _change_password_and_fail(home, "another")
    postgresql.engine(url, HOME, secret).dispose()
    with open_store(config) as home, home.write() as connection:
        postgresql.set_password(connection, "another")
    postgresql.engine(url, HOME, "another").dispose()
    with pytest.raises(UserError, match="does not let in"):
        open_store(config)


def _change_password_and_fail(store: Store, password: str) -> None:
    with store.write() as connection:
        postgresql.set_password(connection, password)
        connection.exec_driver_sql("SELECT nothing")


def test_opening_a_store_again_needs_nothing_of_the_operator(config: Config, url: str) -> None:
    open_store(config, make=True).close()
    operator_shut_out = _as(url, "nobody")
    with open_store(Config(config.data, database_url=operator_shut_out)) as home:
        assert _said(home) == []


def test_a_dropped_store_leaves_nothing_and_its_name_is_free(config: Config, url: str) -> None:
    with open_store(config, "ada", make=True) as ada:
        _say(ada, "hers")
    KeyRing(config.data).store_file("ada").unlink()
    for _ in range(2):
        postgresql.drop(url, "ada")
    assert _run(url, "SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'inglenook_ada')") == []
    with open_store(config, "ada", make=True) as ada:
        assert _said(ada) == []


def test_a_role_whose_schema_was_dropped_is_the_new_store_s(config: Config, url: str) -> None:
    open_store(config, "ada", make=True).close()
    KeyRing(config.data).store_file("ada").unlink()
    _run(url, "DROP SCHEMA inglenook_ada CASCADE")
    with open_store(config, "ada", make=True) as ada:
        assert _said(ada) == []


def test_the_longest_name_of_a_store_fits(config: Config, url: str) -> None:
    for last in "ab":
        with open_store(config, "x" * 39 + last, make=True) as store:
            _say(store, last)
            assert _said(store) == [last]


def test_two_households_on_one_server_have_databases_of_their_own(url: str, tmp_path: Path) -> None:
    _run(url, "CREATE DATABASE anna", "CREATE DATABASE bert")
    for name in ("anna", "bert"):
        with open_store(Config(tmp_path / name, database_url=_as(url, "postgres", name)), make=True) as home:
            _say(home, name)
    for name in ("anna", "bert"):
        with open_store(Config(tmp_path / name, database_url=_as(url, "postgres", name))) as home:
            assert _said(home) == [name]
            secret = home.key.derived("database").hex()
    role = postgresql.role_of(_as(url, "postgres", "bert"), HOME)
    theirs = make_url(url).set(username=role, password=secret)
    create_engine(theirs.set(database="bert"), poolclass=NullPool).connect().close()
    with pytest.raises(OperationalError, match="permission denied for database"):
        create_engine(theirs.set(database="anna"), poolclass=NullPool).connect()
    _run(url, "DROP DATABASE anna WITH (FORCE)", "DROP DATABASE bert WITH (FORCE)")


def test_an_idle_store_holds_one_connection_and_outlives_its_end(config: Config, url: str) -> None:
    held = f"SELECT pid FROM pg_stat_activity WHERE usename = '{postgresql.role_of(url, HOME)}'"
    with open_store(config, make=True) as home:
        with home.read(), home.read(), home.read():
            assert len(_run(url, held)) == 3
        assert "Connections in pool: 1 " in home.engine.pool.status()
        for (pid,) in _run(url, held):
            _run(url, f"SELECT pg_terminate_backend({pid}, 5000)")  # as the server does after IDLE_SECONDS
        assert _said(home) == []
        with home.read() as connection:
            shown = connection.exec_driver_sql("SHOW idle_session_timeout").scalar_one()
    assert shown == f"{postgresql.IDLE_SECONDS}s"


def test_damage_that_the_server_finds_is_said_with_the_way_on(config: Config) -> None:
    found = "DO $$ BEGIN RAISE 'invalid page in block 0' USING ERRCODE = 'data_corrupted'; END $$"
    with open_store(config, make=True) as home:
        with pytest.raises(UserError, match=r"damaged: invalid page(?s:.*)from a backup"), home.read() as reading:
            reading.exec_driver_sql(found)
        assert _said(home) == []


# ---- the operator's part ----


def _released(config: Config, url: str) -> None:
    """A home store as version 0.1.0 made it: the operator's role owns it, and there is no other."""
    make_keys(KeyRing(config.data), HOME)
    engine = create_engine(url, poolclass=NullPool, connect_args={"options": "-csearch_path=inglenook_home"})
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE SCHEMA inglenook_home")
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(SAY, {"whose": "the household's"})


@pytest.fixture
def operator(url: str) -> Iterator[str]:
    """The URL of an operator that is no superuser, with a database of its own."""
    roles = ("operator LOGIN CREATEROLE", "unable LOGIN")
    _run(url, *(f"CREATE ROLE {role}" for role in roles), "CREATE DATABASE hosted OWNER operator")
    yield _as(url, "operator", "hosted")
    drop_stores(_as(url, "postgres", "hosted"))
    _run(url, "DROP DATABASE hosted WITH (FORCE)", "DROP ROLE operator", "DROP ROLE unable")


@pytest.mark.parametrize("who", ["postgres", "operator"])
def test_a_store_of_the_first_version_is_handed_over_to_its_role(config: Config, operator: str, who: str) -> None:
    url = _as(operator, who)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "newest", lambda: "0001")
        _released(config, url)
    config = Config(config.data, database_url=url)
    with open_store(config) as home:
        assert _said(home) == ["the household's"]
        assert migrations.revision(home.engine) == migrations.newest()
        with home.write() as connection:
            connection.exec_driver_sql("INSERT INTO people (name, store, password_hash) VALUES ('a', 'b', 'c')")
    owners = _run(url, "SELECT DISTINCT relowner::regrole::text FROM pg_class JOIN pg_namespace n "
                       "ON n.oid = relnamespace WHERE nspname = 'inglenook_home'")  # fmt: skip
    assert owners == [(postgresql.role_of(url, HOME),)]


def test_an_operator_that_is_no_superuser_makes_and_drops_stores(operator: str, tmp_path: Path) -> None:
    config = Config(tmp_path / "box", database_url=operator)
    with open_store(config, make=True) as home, open_store(config, "ada", make=True) as ada:
        _say(ada, "hers")
        _refused(home.engine, "SELECT * FROM inglenook_ada.settings")
        _refused(home.engine, "SET ROLE operator")
    postgresql.drop(operator, "ada")
    assert _run(operator, "SELECT nspname FROM pg_namespace WHERE nspname = 'inglenook_ada'") == []


def test_an_operator_that_may_not_make_roles_is_told_what_to_say(operator: str, tmp_path: Path) -> None:
    url = _as(operator, "unable")
    with pytest.raises(UserError) as raised:
        open_store(Config(tmp_path / "box", database_url=url), make=True)
    _, _, statements = str(raised.value).partition("must say once: ")
    assert statements.startswith('ALTER ROLE "unable" CREATEROLE')
    _run(_as(operator, "postgres"), *statements.split("; "))
    with open_store(Config(tmp_path / "box", database_url=url)) as home:
        assert _said(home) == []
    drop_stores(_as(operator, "postgres"))
    _run(_as(operator, "postgres"), "DROP OWNED BY unable")


def test_a_server_that_does_not_ask_for_the_password_is_said_with_the_line_that_it_needs(
    config: Config, url: str
) -> None:
    _run(url, "CREATE DATABASE forgotten")
    with pytest.raises(UserError, match=r"does not let in .*pg_hba\.conf.*: local forgotten all scram-sha-256"):
        open_store(Config(config.data, database_url=_as(url, "postgres", "forgotten")), make=True)
    drop_stores(_as(url, "postgres", "forgotten"))
    _run(url, "DROP DATABASE forgotten")


def test_a_renamed_database_is_said_with_the_way_on(url: str, tmp_path: Path) -> None:
    _run(url, "CREATE DATABASE before")
    with open_store(Config(tmp_path, database_url=_as(url, "postgres", "before")), make=True) as home:
        _say(home, "still here")
    _run(url, "ALTER DATABASE before RENAME TO after")
    config = Config(tmp_path, database_url=_as(url, "postgres", "after"))
    with pytest.raises(UserError) as raised:
        open_store(config)
    _run(url, str(raised.value).partition("say to PostgreSQL: ")[2])
    with open_store(config) as home:
        assert _said(home) == ["still here"]
    drop_stores(_as(url, "postgres", "after"))
    _run(url, "DROP DATABASE after WITH (FORCE)")


def test_stores_from_before_their_database_was_closed_are_let_in(config: Config, url: str) -> None:
    open_store(config, make=True).close()
    role = postgresql.role_of(url, HOME)
    _run(
        url,
        f'REVOKE CONNECT ON DATABASE postgres FROM "{role}"',
        "GRANT CONNECT, TEMPORARY ON DATABASE postgres TO PUBLIC",
    )
    open_store(config, "ada", make=True).close()
    with open_store(config) as home:
        assert _said(home) == []
    assert _run(url, "SELECT has_database_privilege('public', 'postgres', 'CONNECT')") == [(False,)]
    _run(url, f'REVOKE CONNECT ON DATABASE postgres FROM "{role}"')
    with open_store(config) as home:
        assert _said(home) == []


def test_an_operator_who_is_not_let_in_is_told_the_line_that_it_needs(config: Config, url: str) -> None:
    for name in ("nobody", "sam"):
        with pytest.raises(
            UserError, match=rf"no password supplied.*above its other lines: local postgres {name} peer"
        ):
            open_store(Config(config.data, database_url=_as(url, name)), make=True)


def test_a_url_without_a_database_is_its_user_s(url: str, config: Config) -> None:
    open_store(config, make=True).close()
    short = url.replace("/postgres?", "/?")
    assert short != url
    with open_store(Config(config.data, database_url=short)) as home:
        assert _said(home) == []


def test_a_password_comes_into_no_message_and_into_no_log_of_the_server(config: Config, url: str) -> None:
    _run(url, "ALTER DATABASE postgres SET log_statement = 'all'")
    with open_store(config, make=True) as home:
        secret = home.key.derived("database").hex()
        assert secret not in repr(home.engine) + str(home.engine.url)
        with pytest.raises(DatabaseError) as raised:
            _change_password_and_fail(home, secret)
        assert secret not in str(raised.value)
    _run(url, "ALTER DATABASE postgres RESET log_statement")
    log = (Path(str(make_url(url).query["host"])) / "log").read_text()
    assert f'CREATE ROLE "{postgresql.role_of(url, HOME)}"' in log
    assert "ALTER ROLE CURRENT_USER PASSWORD 'SCRAM-SHA-256$" in log
    assert secret not in log
