"""The inbox: a folder a store, into which a person (or a share, or a USB stick) drops files to be imported.

A file is taken once it has stopped growing, and is removed when it is in the store, where its original is kept
encrypted. One in no known format is kept there too, with the reason. One that cannot be taken stays where it is.
"""

import logging
import os
import time
from pathlib import Path

from appliance.config import Config
from appliance.errors import UserError
from appliance.ingest import importing
from appliance.store.database import Store, open_store
from appliance.store.keys import KeyRing

log = logging.getLogger(__name__)

UNFINISHED = (".part", ".crdownload", ".tmp", ".filepart")
AGAIN_S = 600

_State = tuple[int, int]  # size and time of change


class Inbox:
    """What lay in the inbox at the last look."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._growing: dict[Path, _State] = {}
        self._left: dict[Path, tuple[_State, float]] = {}

    def look(self) -> None:
        """Imports every file that has not changed since the last look."""
        growing: dict[Path, _State] = {}
        for name in KeyRing(self.config.data).store_names():
            folder = self.config.inbox / name
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            ready = [path for path in _files(folder) if self._is_ready(path, growing)]
            if ready:
                with open_store(self.config, name) as store:
                    for path in ready:
                        self._take(store, path)
        self._growing = growing

    def _is_ready(self, path: Path, growing: dict[Path, _State]) -> bool:
        try:
            found = path.stat()
        except OSError:
            return False
        state = (found.st_size, found.st_mtime_ns)
        growing[path] = state
        left, until = self._left.get(path, (None, 0.0))
        return self._growing.get(path) == state and not (left == state and time.monotonic() < until)

    def _take(self, store: Store, path: Path) -> None:
        try:
            self._import(store, path)
        except (UserError, OSError) as error:
            log.warning("%s stays in the inbox: %s", path, error)
            found = path.stat()
            self._left[path] = ((found.st_size, found.st_mtime_ns), time.monotonic() + AGAIN_S)
        else:
            self._left.pop(path, None)

    def _import(self, store: Store, path: Path) -> None:
        if path.stat().st_size > importing.IMPORT_BYTES:
            importing.import_file(store, path)  # says why it cannot
        data = path.read_bytes()
        try:
            report = importing.import_bytes(store, data, path.name)
        except importing.UnknownFormatError as error:
            report = importing.keep_refused(store, data, path.name, str(error))
        path.unlink()
        log.info(
            "inbox of %s: import %d, %d stored, %d rejected", store.name, report.id, report.stored, report.rejected
        )


def _files(folder: Path) -> list[Path]:
    """Regular files that nobody is still writing, in folders too; never through a link out of the inbox."""
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = (Path(parent) / name for name in names if not name.startswith("."))
        found += [path for path in paths if path.is_file() and not path.is_symlink() and path.suffix not in UNFINISHED]
    return sorted(found)
