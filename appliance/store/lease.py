"""Who has a store open: each `Store` shares a lock on it, and what changes its key needs the lock alone.

The lock is flock(2)'s on DIR/stores/NAME/lock, so it ends with the process that holds it, however that ends.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import UserError

WAIT_S = 30.0
LOOK_S = 0.05


def share(folder: Path) -> int:
    """Says that the store of this folder is open, until the descriptor is closed. UserError while its key changes."""
    number = _lock_file(folder)
    try:
        fcntl.flock(number, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise UserError(
            f"the store {folder.name!r} is getting a new key at this moment; try again when that is done"
        ) from None
    return number


@contextmanager
def alone(folder: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """While nobody has the store open; UserError where somebody still has it after `wait_s`."""
    number = _lock_file(folder)
    try:
        _wait_for(number, folder.name, wait_s)
        yield
    finally:
        os.close(number)


def is_free(folder: Path) -> bool:
    """Whether nobody has the store open at this moment."""
    number = _lock_file(folder)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(number)
    return True


def _wait_for(number: int, store: str, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise UserError(
                    f"the store {store!r} is in use by another program, so its key stays as it is: if the box is "
                    "running, change the key on its page Keys, or stop the box first"
                ) from None
            time.sleep(LOOK_S)
        else:
            return


def _lock_file(folder: Path) -> int:
    return os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
