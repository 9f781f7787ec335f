"""Opening a store's database: an SQLCipher file by default, a PostgreSQL schema where one is configured.

A transaction is read-only (`Store.read`) or writes (`Store.write`, which takes SQLite's write lock at its beginning, so
that it never fails half-way for want of it). Either sees one state of the store throughout.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import configure_mappers

from appliance.config import Config
from appliance.errors import NotNowError, UserError
from appliance.naming import slug
from appliance.store import lease, migrations, postgresql, room, rotation, sqlcipher
from appliance.store.destroying import need_not_begun
from appliance.store.keys import HOME as HOME
from appliance.store.keys import KeyRing, StoreKey
from appliance.store.migrations import NewerStoreError as NewerStoreError

BEGUN = "begun"


class Store:
    """One owner's database, open. Thread-safe: each transaction has a connection of its own.

    `lease` is what it shares with all who have it open, see `lease`: until it is closed and its last transaction is
    over, the store's key stays as it is. `came_from` is the version that opening brought it from, None of a new one.
    """

    def __init__(self, name: str, engine: Engine, key: StoreKey, lease: int, came_from: str | None) -> None:
        self.name, self.engine, self.key, self.came_from = name, engine, key, came_from
        self._lease, self._lock = lease, threading.Lock()
        self._running, self._closed = 0, False

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
            with self._in_use(), self.engine.connect() as connection:
                connection.execution_options(writes=writes)
                with connection.begin():
                    yield connection
        except OperationalError as error:
            if _is_full(error):
                raise NotNowError(
                    f"the disk is full: nothing of this was stored in {self.name!r}, nothing stored before is harmed; "
                    "free some space and try again"
                ) from None
            if sqlcipher.code(error.orig) == sqlcipher.BUSY:
                raise NotNowError(
                    f"the store {self.name!r} is busy with another import; try again in a moment"
                ) from None
            raise

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise NotNowError(f"the store {self.name!r} was closed a moment ago; try again")
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                self._let_go()

    def need_room(self) -> None:
        """NotNowError where what can wait has to leave the rest of the disk to the meters."""
        if self.is_sqlite and (why := room.lacking(Path(self.engine.url.database or ".").parent)):
            raise NotNowError(why)

    def close(self) -> None:
        """Begins no transaction any more; one that runs comes to its end."""
        with self._lock:
            self._closed = True
            self._let_go()

    def _let_go(self) -> None:
        if self._closed and not self._running and self._lease >= 0:
            self.engine.dispose()
            os.close(self._lease)
            self._lease = -1

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_store(config: Config, name: str = HOME, *, make: bool = False, passphrase: str | None = None) -> Store:
    """The store of that name, migrated to this version; UserError where there is none and `make` asks for none.

    LockedError where it opens by a passphrase and none was said, NewerStoreError where a newer Inglenook wrote it.
    """
    keys = KeyRing(config.data)
    need_not_begun(config.data, name)
    if name not in keys.store_names():
        if not make:
            known = ", ".join(keys.store_names()) or "none yet"
            raise UserError(f"there is no store {name!r} in {config.data}; there are: {known}")
        if name != slug(name):
            raise UserError(f"{name!r} is no name of a store; {slug(name)!r} would be")
        if config.database_url:
            postgresql.need_no_schema(config.database_url, keys, name)
        _begin(keys.folder(name))
        make_keys(keys, name)
    elif not config.database_url and not (keys.folder(name) / BEGUN).exists():
        _need_file(store_file(config, name), name)
    _end_change(config, keys, name, passphrase)
    held = lease.share(keys.folder(name))
    try:
        key = keys.open(name, passphrase)
        engine = engine_of(config, name, key)
        store = Store(name, engine, key, held, _upgrade(engine, name))
        (keys.folder(name) / BEGUN).unlink(missing_ok=True)
        return store
    except BaseException:
        os.close(held)
        raise


def _begin(folder: Path) -> None:
    """What lies beside the keys until the database is whole: only then is one that is not there begun again."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / BEGUN).touch(mode=0o600)


def _need_file(file: Path, name: str) -> None:
    """UserError where a store that was there is gone: an empty one in its place would be taken for it."""
    if not file.exists():
        raise UserError(
            f"{file} is missing, though the keys of the store {name!r} are there: the disk has lost it. Put the file "
            "back, or bring the box back from its backup"
        )


def _end_change(config: Config, keys: KeyRing, name: str, passphrase: str | None) -> None:
    """Where a change of its key was begun and stopped half-way, it is brought to its end."""
    if not keys.is_changing(name):
        return
    with lease.alone(keys.folder(name)):
        if keys.is_changing(name):
            rotation.finish(keys, name, partial(engine_of, config, name), passphrase)


def change_key(config: Config, name: str, passphrase: str | None = None) -> list[str]:
    """Another key for a store, with which everything in it is encrypted anew; the words of its new recovery kit.

    `passphrase` is a locked store's. UserError where the store is in use elsewhere, or the disk has no room for it.
    """
    keys = KeyRing(config.data)
    open_store(config, name, passphrase=passphrase).close()  # what was begun before is at its end, and all is well
    with lease.alone(keys.folder(name)):
        if not config.database_url:
            rotation.need_room(store_file(config, name))
        if not keys.is_changing(name):  # another process may have begun, and been killed, a moment ago
            keys.begin_change(name, passphrase)
        rotation.finish(keys, name, partial(engine_of, config, name), passphrase)
        return keys.make_kit(name, keys.open(name, passphrase))


def _upgrade(engine: Engine, name: str) -> str | None:
    try:
        configure_mappers()  # here, and not in the first page that somebody asks for
        return migrations.upgrade(engine, name)
    except BaseException:
        engine.dispose()
        raise


def engine_of(config: Config, name: str, key: StoreKey) -> Engine:
    """The store's database as it is, which may be of another version than this."""
    secret = key.derived("database").hex()
    if config.database_url:
        return postgresql.engine(config.database_url, name, secret)
    return sqlcipher.engine(store_file(config, name), secret)


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
