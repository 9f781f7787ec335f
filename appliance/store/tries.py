"""Wrong passphrases, counted on the disk, so that neither a restart nor many processes make guessing faster.

    DIR/stores/NAME/tries.json = {"wrong": how many in a row, "at": seconds since 1970 of the last one}

After a wrong one the next is not even tried for 1 s, then 2 s, 4 s, to a minute; a right one forgives all. Nobody is
locked out for longer than that, whatever the clock says.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import TypeVar

from appliance.errors import UserError

LONGEST_S = 60
Found = TypeVar("Found")


class WrongPassphraseError(UserError):
    """It is not the store's."""


class TooSoonError(UserError):
    """A passphrase came before the wait after a wrong one was over."""


def guarded(path: Path, attempt: Callable[[], Found | None]) -> Found | None:
    """What the attempt gives; None counts as a wrong try. TooSoonError where it has to wait first.

    Each try is counted before it is made, and one process at a time makes one: to kill it in between gains nothing.
    """
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        wrong = _need_patience(number)
        _write(number, wrong + 1)
        found = attempt()
        if found is not None:
            _write(number, 0)
        return found
    finally:
        os.close(number)


def _need_patience(number: int) -> int:
    """How many tries were wrong so far, where the wait after the last one is over."""
    wrong, at = _read(number)
    pause_s = min(LONGEST_S, 2 ** min(wrong - 1, 10)) if wrong else 0
    now = _now()
    if now < at:  # the clock was set back: the wait begins anew, and is no longer than it was
        _write(number, wrong)
        at = now
    if (left_s := at + pause_s - now) > 0:
        seconds = ceil(left_s)
        raise TooSoonError(
            f"the passphrase was wrong {wrong} time{'' if wrong == 1 else 's'} in a row: wait {seconds} "
            f"second{'' if seconds == 1 else 's'}, then try again"
        )
    return wrong


def _now() -> float:
    return time.time()


def _read(number: int) -> tuple[int, float]:
    """What was counted; nothing where a power cut left a file that says none."""
    try:
        said = json.loads(os.pread(number, 4096, 0))
        return max(0, int(said["wrong"])), float(said["at"])
    except (ValueError, KeyError, TypeError):
        return 0, 0.0


def _write(number: int, wrong: int) -> None:
    content = json.dumps({"wrong": wrong, "at": _now() if wrong else 0}).encode()
    os.pwrite(number, content.ljust(60), 0)  # always as long, so that no rest of the one before stays behind it
    os.fdatasync(number)
