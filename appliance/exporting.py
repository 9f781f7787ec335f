"""Export: a whole store as open files that need no Inglenook to be read.

DIR/README.txt                    what is here, for a person who has never seen the box
DIR/manifest.json                 counts, and each file's length and SHA-256
DIR/records/KIND.jsonl            a record a line, with its lineage
DIR/readings/SOURCE/ROLE.csv      a reading a line
DIR/originals/SHA256              the files as they came
DIR/imports.jsonl                 what was imported when, and what was rejected
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Connection

from appliance.energy import decimal
from appliance.errors import UserError
from appliance.store import imports, originals, records, sources, timeline
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.records import Stored
from appliance.store.timeline import Query

LONGEST_NAME = 200  # bytes; a file system takes 255, and an ending comes behind it

README = """This folder holds what the store {store!r} of an Inglenook box held on {at}.

records/    facts, a JSON object a line, a file a kind. "at" is UTC or a bare date, "amount" an exact decimal in "unit".
            "original" and "span" say which bytes of which file in originals/ a fact comes from.
readings/   meter readings, a folder a source and a file a role, as comma-separated values: the instant or the start
            of the interval in UTC, the interval's seconds (0 for an instant), value, unit, the source's quality word.
            Where a later file stated another value, the later one; the earlier is in its original.
originals/  every imported file as it came, named by its SHA-256.
imports.jsonl  each import: what was read, stored, met again and rejected, and why.
sightings.jsonl  records that a later file held again: the import, the bytes, and why it was taken for the same.
sources.jsonl  where data comes from, and what was stated for each source.
manifest.json  each file's length and SHA-256: sha256sum tells whether one was changed.

Nothing here is encrypted. Keep it where you keep your papers.
"""


def export(store: Store, folder: Path) -> dict[str, Any]:
    """Writes the store into an empty or new folder; the manifest. UserError where the folder holds something, and
    where the disk takes no more."""
    try:
        return _export(store, folder)
    except OSError as error:
        raise UserError(f"{error.filename or folder}: {error.strerror}; name another folder") from None


def _export(store: Store, folder: Path) -> dict[str, Any]:
    _make_empty(folder)
    with store.read() as connection:
        counts = {
            "records": sum(_records(connection, folder / "records")),
            "readings": sum(_readings(connection, folder / "readings")),
            "originals": sum(_originals(connection, store, folder / "originals")),
            "imports": _imports(connection, folder / "imports.jsonl"),
        }
        _lines(folder / "sightings.jsonl", records.every_sighting(connection))
        _lines(folder / "sources.jsonl", map(_source, sources.every(connection)))
    at = datetime.now(UTC).isoformat(timespec="seconds")
    (folder / "README.txt").write_text(README.format(store=store.name, at=at), encoding="utf-8")
    manifest = {"format": "inglenook 1", "store": store.name, "at": at, **counts, "files": _digests(folder)}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
    return manifest


def _make_empty(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise UserError(f"{folder} is not empty; name a new folder, so that nothing in it is overwritten")


def _records(connection: Connection, folder: Path) -> Iterator[int]:
    folder.mkdir()
    for kind in timeline.facets(connection).kinds:
        with (folder / f"{_file_name(kind)}.jsonl").open("w", encoding="utf-8") as file:
            yield _write_lines(file, map(_record, timeline.matching(connection, Query(kind=kind))))


def _record(stored: Stored) -> dict[str, Any]:
    row = {name: value for name, value in asdict(stored).items() if name not in ("first", "length")}
    amount = None if stored.amount is None else format(stored.amount, "f")
    return {**row, "amount": amount, "span": [stored.first, stored.length]}


def _readings(connection: Connection, folder: Path) -> Iterator[int]:
    folder.mkdir()
    for series in series_store.every(connection):
        path = folder / _file_name(series.source) / f"{_file_name(series.role)}.csv"
        path.parent.mkdir(exist_ok=True)
        columns, qualities = series_store.read_with_quality(connection, series)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["at", "seconds", "value", "unit", "quality"])
            rows = zip(
                columns.at_ms.tolist(), columns.seconds.tolist(), columns.values.tolist(), qualities, strict=True
            )
            for at_ms, seconds, value, quality in rows:
                at = records.at_text(at_ms * 1000)
                writer.writerow([at, seconds, format(decimal(value, series.exponent), "f"), series.unit, quality])
        yield len(columns)


def _originals(connection: Connection, store: Store, folder: Path) -> Iterator[int]:
    folder.mkdir()
    for sha256, _ in originals.all_of(connection):
        with (folder / sha256).open("wb") as file:
            for part in originals.parts(connection, store.key, sha256):
                file.write(part)
        yield 1


def _imports(connection: Connection, path: Path) -> int:
    every = imports.recent(connection, limit=imports.count(connection))
    with path.open("w", encoding="utf-8") as file:
        return _write_lines(file, (asdict(imports.report(connection, each.id) or each) for each in reversed(every)))


def _source(each: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    name, title, stated = each
    return {"source": name, "title": title, "stated": stated}


def _lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        _write_lines(file, rows)


def _write_lines(file: TextIO, rows: Iterable[dict[str, Any]]) -> int:
    count = 0
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count


def _file_name(name: str) -> str:
    """A name as a file's; what a file system cannot have in one is written as its code, and what is too long cut."""
    plain = re.sub(r"[^\w. @+-]|^\.", lambda found: f"%{ord(found[0]):02X}", name) or "unnamed"
    if len(plain.encode()) <= LONGEST_NAME:
        return plain
    kept = plain.encode()[: LONGEST_NAME - 17].decode(errors="ignore")
    return f"{kept}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _digests(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        str(path.relative_to(folder)): {"bytes": path.stat().st_size, "sha256": _digest(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
