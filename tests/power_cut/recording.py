"""Recording what a process does to the files of a folder, by a library of ours that is preloaded into it."""

import json
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

INSTALL = "a C compiler is not installed; as root: apt-get install --no-install-recommends gcc libc6-dev"
ROOT = Path(__file__).parent.parent.parent
SOURCE = Path(__file__).with_name("recorder.c")
_HEAD = struct.Struct("=IIQQQ")


class What(IntEnum):
    """What an entry says, by recorder.c's numbers."""

    CREATE = 1
    FOLDER = 2
    WRITE = 3
    RESIZE = 4
    SYNC = 5
    LINK = 6
    RENAME = 7
    UNLINK = 8
    MARK = 9


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one file. `at`: where `data` was written, or the size; `data` of RENAME is the name before."""

    what: What
    path: str
    inode: int
    at: int
    data: bytes

    @property
    def mark(self) -> dict[str, Any]:
        """What a MARK says was acknowledged."""
        said: dict[str, Any] = json.loads(self.data)
        return said

    def __str__(self) -> str:
        if self.what is What.MARK:
            return f"MARK {self.data.decode()}"
        return f"{self.what.name} {self.path} at {self.at}, {len(self.data)} bytes"


def has_compiler() -> bool:
    """Whether recorder.c can be compiled here."""
    return shutil.which("cc") is not None and Path("/usr/include/unistd.h").exists()


def record(command: Sequence[str], folder: Path, scratch: Path) -> list[Entry]:
    """Runs a command to its good end; what it did to the files under `folder`, which is there and empty."""
    library, log = scratch / "recorder.so", scratch / "recorded"
    compiling = ["cc", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-pthread", "-o", str(library), str(SOURCE)]
    subprocess.run(compiling, check=True)
    preloaded = {"LD_PRELOAD": str(library), "POWER_CUT_FOLDER": str(folder), "POWER_CUT_LOG": str(log)}
    subprocess.run(command, cwd=ROOT, env=os.environ | preloaded, check=True, timeout=120)
    return list(_entries(log.read_bytes()))


def _entries(log: bytes) -> Iterator[Entry]:
    at = 0
    while at < len(log):
        what, path_length, inode, place, length = _HEAD.unpack_from(log, at)
        path_at = at + _HEAD.size
        data_at = path_at + path_length
        at = data_at + length
        yield Entry(What(what), log[path_at:data_at].decode(), inode, place, log[data_at:at])
