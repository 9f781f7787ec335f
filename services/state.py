"""What the collector tells of itself, over a socket in the data folder: how each meter is read, what it writes.

It is asked, and writes no file of it: a state that is written each time it changes would wear the card out.
"""

import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.shared import is_shared

log = logging.getLogger(__name__)

SOCKET = "collector.sock"
ANSWER_S = 2.0
ANSWER_BYTES = 1 << 20
_SECTOR_BYTES = 512
_SECTORS_WRITTEN = 6  # in a block device's `stat`, from 0 on


class Written:
    """Bytes written today (UTC) to the disk that holds a folder, as the kernel counts them for its block device."""

    def __init__(self, folder: Path) -> None:
        device = folder.stat().st_dev
        self._counter = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
        self._day, self._at_midnight = _today(), self._now()

    def look(self) -> None:
        """Called often: the first look of a day is its beginning."""
        if _today() != self._day:
            self._day, self._at_midnight = _today(), self._now()

    def today(self) -> int | None:
        """Since midnight, or since this process began; None where the disk is not to be asked."""
        now = self._now()
        return None if now is None or self._at_midnight is None else now - self._at_midnight

    def _now(self) -> int | None:
        try:
            return int(self._counter.read_text().split()[_SECTORS_WRITTEN]) * _SECTOR_BYTES
        except (OSError, ValueError, IndexError):
            return None


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


@contextmanager
def telling(folder: Path, state: Callable[[], dict[str, Any]]) -> Iterator[None]:
    """Tells the state to whoever connects to the socket in this folder, while this lasts.

    That may this user alone, and where the folder is shared, its group.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _short(folder) as short:
        (folder / SOCKET).unlink(missing_ok=True)
        listening.bind(f"{short}/{SOCKET}")
    (folder / SOCKET).chmod(0o660 if is_shared(folder) else 0o600)
    listening.listen(4)
    teller = threading.Thread(target=_tell, args=(listening, state), name="state", daemon=True)
    teller.start()
    try:
        yield
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        (folder / SOCKET).unlink(missing_ok=True)


def ask(folder: Path) -> dict[str, Any] | None:
    """What the collector tells; None where none runs."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(ANSWER_S)
        try:
            with _short(folder) as short:
                asking.connect(f"{short}/{SOCKET}")
            answer = b""
            while len(answer) < ANSWER_BYTES and (piece := asking.recv(65_536)):
                answer += piece
            said: dict[str, Any] = json.loads(answer)
        except (OSError, ValueError):
            return None
    return said


def _tell(listening: socket.socket, state: Callable[[], dict[str, Any]]) -> None:
    while True:
        try:
            asking, _ = listening.accept()
        except OSError:
            return  # it was closed
        with asking:
            asking.settimeout(ANSWER_S)
            with suppress(OSError):  # who asked has gone
                asking.sendall(json.dumps(state()).encode())


@contextmanager
def _short(folder: Path) -> Iterator[str]:
    """A name of the folder that fits the 108 bytes of a socket's address, however deep it lies."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)
