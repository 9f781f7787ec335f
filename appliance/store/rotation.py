"""Another key for a store: everything that the old one protects is sealed with the new one.

    1. keys.json gets the next key beside the present one
    2. every original is sealed with it, a file a transaction, and what feeds hold sealed
    3. the database gets it: SQLCipher's pages in one transaction, PostgreSQL's role its password
    4. every archive file gets it, which means its header: each has a key of its own, that the store's key opens
    5. keys.json has it as the store's key, with those before it wrapped by it; the recovery kit is gone

Each step can be stopped at any moment and done again, so whoever opens the store next ends what was begun. What was
sealed to the public key before (the spool, files that wait) is opened with the earlier keys, which is all they are for:
who has the old key reads the copies of the store that were made before, and nothing that is sealed from then on.
"""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from appliance.errors import UserError
from appliance.store import archives, feeds, mailers, originals, postgresql, room, sqlcipher
from appliance.store.keys import KeyRing, StoreKey

SPARE_BYTES = 32 << 20


def need_room(file: Path) -> None:
    """NotNowError where the disk has no room for the database once more, which it takes while it gets its key."""
    size = file.stat().st_size if file.exists() else 0
    room.need(file.parent, size + size // 10 + SPARE_BYTES, f"changing the key of {file}")


def finish(ring: KeyRing, store: str, open_engine: Callable[[StoreKey], Engine], passphrase: str | None) -> None:
    """Brings a change of a store's key that was begun to its end, from wherever it is."""
    before = ring.open(store, passphrase)
    after = ring.next_key(store, before)
    reencrypt(open_engine, before, after)
    archives.rewrap(ring.folder(store), before, after)
    ring.end_change(store, before)


def reencrypt(open_engine: Callable[[StoreKey], Engine], before: StoreKey, after: StoreKey) -> None:
    """Steps 2 and 3. UserError where the disk or the server does not take it; the next who opens the store goes on."""
    engine = _engine(open_engine, before, after)
    try:
        originals.reseal(engine, before, after)
        feeds.reseal(engine, before, after)
        mailers.reseal(engine, before, after)
        _change_database_key(engine, after)
        _need_opens(open_engine(after))
    except (UserError, OperationalError) as error:
        why = f" ({error.orig})" if isinstance(error, OperationalError) else ""
        raise UserError(
            f"the database did not take its new key{why}, and nothing of it is lost: see that the disk has room, and "
            "open the store again, which ends what was begun"
        ) from None
    finally:
        engine.dispose()


def _change_database_key(engine: Engine, after: StoreKey) -> None:
    secret = after.derived("database").hex()
    if engine.dialect.name == "sqlite":
        sqlcipher.rekey(engine, secret)
    else:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            postgresql.set_password(connection, secret)


def _engine(open_engine: Callable[[StoreKey], Engine], before: StoreKey, after: StoreKey) -> Engine:
    """The database, by whichever of the keys opens it by now."""
    try:
        _need_opens(open_engine(after))
    except UserError:
        return open_engine(before)
    return open_engine(after)


def _need_opens(engine: Engine) -> None:
    try:
        engine.connect().close()
    finally:
        engine.dispose()
