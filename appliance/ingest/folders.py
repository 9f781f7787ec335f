"""Folders that are more than their files: an export is imported as a whole, and no file of it alone."""

import os
from collections.abc import Iterator
from pathlib import Path

MANIFEST, README, RECORDS, IMPORTS = "manifest.json", "README.txt", "records", "imports.jsonl"
_SAID = {MANIFEST: b'"format": "inglenook ', README: b"one store of an inglenook box"}
_HEAD_BYTES = 4096


def is_export(path: Path) -> bool:
    """Whether a folder is an export, though perhaps one of which something was altered or is missing."""
    try:
        if not path.is_dir():
            return False
        return any(said in _head(path / name).lower() for name, said in _SAID.items()) or _has_its_parts(path)
    except OSError:
        return False


def exports(path: Path) -> Iterator[Path]:
    """The exports in a folder, itself too; none of their own folders is looked at."""
    for parent, folders, _ in os.walk(path):
        if is_export(Path(parent)):
            folders.clear()
            yield Path(parent)


def _has_its_parts(path: Path) -> bool:
    return (path / RECORDS).is_dir() and (path / IMPORTS).is_file()


def _head(path: Path) -> bytes:
    try:
        if not path.is_file():  # a pipe would be waited for
            return b""
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""
