"""A folder of this machine that is watched: a share, what another program syncs, a USB stick that is plugged in.

What is new or changed in it is imported, and nothing in it is ever written or removed. A file is known by its path,
size and time of change; one that is being written is read once it has been still for a while.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from appliance.connectors import Fetched, Kept
from appliance.content import of_file
from appliance.errors import SourceError, UserError
from appliance.web import Web

TITLE = "Folder or USB stick"
HELP = "A folder that this box can read: a share of another machine, or where a USB stick appears."
RHYTHM_S = 900
STILL_S = 10
MOST_FILES = 20_000
UNFINISHED = (".part", ".crdownload", ".tmp", ".filepart")


@dataclass(frozen=True)
class Options:
    """`path`: the folder. `pattern`: which files in it and below, as in a shell (`*.csv`)."""

    path: str = field(default="", metadata={"title": "Folder", "help": "Such as /media or /mnt/nas/bank."})
    pattern: str = field(default="*", metadata={"title": "Which files", "help": "Such as *.csv; * is all."})

    def __post_init__(self) -> None:
        problems = []
        if not self.path.startswith("/"):
            problems.append(f"path={self.path!r}: write the folder from the root on, such as /mnt/nas/bank")
        if not self.pattern or self.pattern.startswith("/") or ".." in self.pattern.split("/"):
            problems.append(f"pattern={self.pattern!r}: write one such as *.csv")
        if problems:
            raise UserError(problems)


def fetch(options: Options, kept: Kept, web: Web) -> Iterator[Fetched]:
    """Every file that is new or has changed. SourceError where the folder is not there: it may come back."""
    del web
    folder = Path(options.path)
    seen = {path: list(state) for path, state in kept.get("files", {}).items()}
    for path, state in _files(folder, options.pattern):
        name = str(path.relative_to(folder))
        if seen.get(name) == state or time.time_ns() - state[1] < STILL_S * 10**9:
            continue
        try:
            with path.open("rb") as file:
                seen[name] = state
                yield Fetched(of_file(name, file), {"files": dict(seen)})
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror}; it is tried again later") from None


def _files(folder: Path, pattern: str) -> list[tuple[Path, list[int]]]:
    """The regular files, oldest first, with size and time of change; never through a link out of the folder."""
    if not folder.is_dir():
        raise SourceError(f"{folder} is not there: plug the stick in, or connect the share; it is tried again later")
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent) / name
            if (
                name.startswith(".")
                or path.suffix in UNFINISHED
                or path.is_symlink()
                or not _fits(path, folder, pattern)
            ):
                continue
            status = path.stat()
            found.append((path, [status.st_size, status.st_mtime_ns]))
            if len(found) > MOST_FILES:
                raise SourceError(
                    f"{folder} has more than {MOST_FILES:,} files; name a folder below it", permanent=True
                )
    return sorted(found, key=lambda each: (each[1][1], each[0]))


def _fits(path: Path, folder: Path, pattern: str) -> bool:
    return path.is_file() and path.relative_to(folder).match(pattern)
