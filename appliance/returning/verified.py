"""Whether a folder is an export as it was written: every file proven by the manifest before anything of it is used."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import UserError
from appliance.exporting import ARCHIVES, FORMAT, MANIFEST, ORIGINALS, RECORDS, digest, rows
from appliance.exporting.readings import FOLDER as READINGS
from appliance.exporting.readings import LINEAGES
from appliance.ingest.folders import README
from appliance.ingest.importing import IMPORT_BYTES
from appliance.returning.lines import LINE_BYTES

SHOWN = 20
ANOTHER_COPY = "take it from another copy of the export; nothing was imported"

_TABLES = (*rows.BEFORE_FACTS, rows.ARCHIVES, *rows.OF_ARCHIVES, *rows.AFTER_FACTS, rows.SERIES, *rows.AFTER_SERIES)
_ONES = {README, LINEAGES, *(each.file for each in _TABLES)}
_MANY = re.compile(
    rf"{RECORDS}/[^/]+\.jsonl|{READINGS}/[^/]+/[^/]+\.csv|{ORIGINALS}/[0-9a-f]{{64}}|{ARCHIVES}/[0-9]+\.jsonl"
)


@dataclass(frozen=True, slots=True)
class Verified:
    """An export's folder, and the names of its files with their SHA-256: each is there, and as the manifest says."""

    folder: Path
    files: dict[str, str]

    def matching(self, folder: str) -> list[str]:
        """The files of one of its folders."""
        return sorted(name for name in self.files if name.startswith(f"{folder}/"))


def verified(folder: Path) -> Verified:
    """The export in a folder. UserError that names each file which is not as it was written."""
    said = _manifest(folder / MANIFEST)
    if problems := [*_strange(said), *_different(folder, said)]:
        more = [f"{folder}: and {len(problems) - SHOWN} more files"] if len(problems) > SHOWN else []
        raise UserError([f"{folder}/{problem}; {ANOTHER_COPY}" for problem in problems[:SHOWN]] + more)
    return Verified(folder, {name: each["sha256"] for name, each in said.items()})


def _manifest(path: Path) -> dict[str, dict[str, Any]]:
    problem = f"{path}: this is not the manifest of an export; {ANOTHER_COPY}"
    try:
        if path.is_symlink() or path.stat().st_size > LINE_BYTES:
            raise UserError(problem)
        said = json.loads(path.read_bytes())
        format, files = said["format"], said["files"]
        entries = [(each["bytes"], each["sha256"]) for each in files.values()]
    except FileNotFoundError:
        raise UserError(f"{path}: it is missing; {ANOTHER_COPY}") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(problem) from None
    if format == "inglenook 1":
        raise UserError(
            f"{path.parent}: an older Inglenook wrote this export; its originals hold everything, so import these: "
            f"inglenook import {path.parent / ORIGINALS}"
        )
    if format != FORMAT:
        raise UserError(f"{path}: a newer Inglenook wrote this export ({str(format)[:40]}); install that one")
    if not all(isinstance(size, int) and isinstance(sha256, str) for size, sha256 in entries):
        raise UserError(problem)
    return dict(files)


def _strange(said: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Names that no export has: one with .. leads out of the folder."""
    for name in said:
        parts = name.split("/")
        known = name in _ONES or _MANY.fullmatch(name)
        if not known or {".", ".."} & set(parts) or "\\" in name:
            yield f"{MANIFEST}: it names {name!r}, which is no file of an export"
        elif name.startswith(f"{ORIGINALS}/") and said[name]["bytes"] > IMPORT_BYTES:
            yield f"{name}: it is larger than any original ({IMPORT_BYTES >> 30} GB)"


def _different(folder: Path, said: dict[str, dict[str, Any]]) -> Iterator[str]:
    there = dict(_entries(folder))
    for name in sorted({*said, *there} - {MANIFEST}):
        if name not in there:
            yield f"{name}: it is missing"
        elif not there[name]:
            yield f"{name}: it is a link or no file, and an export has none"
        elif name not in said:
            yield f"{name}: it is no part of this export; move it away, or"
        elif (folder / name).stat().st_size != said[name]["bytes"] or digest(folder / name) != said[name]["sha256"]:
            yield f"{name}: it was altered"


def _entries(folder: Path, inside: str = "") -> Iterator[tuple[str, bool]]:
    """What lies in a folder and those below, and whether each is a file that lies there itself; links lead nowhere."""
    with os.scandir(folder) as entries:
        for each in entries:
            name = f"{inside}{each.name}"
            if each.is_dir(follow_symlinks=False):
                yield from _entries(folder / each.name, f"{name}/")
            else:
                yield name, each.is_file(follow_symlinks=False)
