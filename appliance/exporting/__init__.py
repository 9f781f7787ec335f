"""Export: a whole store as open files that need no Inglenook to be read, and that `appliance.returning` reads again.

DIR/README.txt                    what is here, for a person who has never seen the box
DIR/manifest.json                 counts, and each file's length and SHA-256
DIR/records/KIND.jsonl            a version of a fact a line, with its lineage
DIR/readings/SOURCE/ROLE.csv      a reading a line, see `readings`
DIR/originals/SHA256              the files as they came
DIR/TABLE.jsonl                   all else that the store keeps, a row a line, see `rows`; absent where there is none

Everything has an order of its own, so that equal stores give equal bytes; only the manifest says when and whose.
"""

import hashlib
import json
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from appliance.errors import UserError
from appliance.exporting import readings, rows
from appliance.exporting.names import Names
from appliance.ingest.folders import MANIFEST as MANIFEST
from appliance.ingest.folders import README
from appliance.ingest.folders import RECORDS as RECORDS
from appliance.store import archives, originals
from appliance.store.database import Store
from appliance.store.models import Archive, ImportRow, RecordRow

FORMAT = "inglenook 2"
NUMBERS = {"archives": "id", "archived_facts": "archive_id", "summaries": "archive_id"}  # which archive a row is of
ORIGINALS, ARCHIVES = "originals", "archives"

READ_ME = """This folder holds everything that one store of an Inglenook box held: a person's or a household's own data.
It is made of text files that any computer reads; nothing of it needs the box. manifest.json says whose it is, and of
when. A box takes the whole folder back into an empty store: inglenook --data NEWFOLDER import THISFOLDER

records/         facts, a JSON object a line, a file a kind. "fact" is the number of the fact and "id" that of the
                 version: a fact that was corrected has several. It was believed from "since" until "until"; one without
                 "until" stands today. "at" is UTC or a bare date, "amount" an exact decimal in "unit". "original" and
                 "span" ([first byte, length]) say which bytes of which file in originals/ a fact comes from.
changes.jsonl    who added, corrected or withdrew facts, when and why: "begun_by" and "ended_by" name these.
readings/        meter readings, a folder a source and a file a role, as comma-separated values for any spreadsheet: the
                 instant or the start of the interval in UTC, the interval's seconds (0 for an instant), value, unit,
                 the source's quality word, and the number of its lineage. A file named "earlier" has those which a
                 later file stated otherwise, or which were taken back. series.jsonl lists them all.
lineages.jsonl   where readings come from: the import and the bytes, or the link, meter, device and its start.
gaps.jsonl       when nothing was heard of a meter, from when to when, and why. thinnings.jsonl: of which series old
                 readings are fewer than were taken.
originals/       every imported file as it came, and every photo or paper that was attached to a fact, named by its
                 SHA-256; originals.jsonl lists them. A fact names its own in "fields", such as "photo".
imports.jsonl    each import: what was read, stored, met again and rejected; "undone" where it was taken back.
rejects.jsonl    each row that could not be read, and why.
sightings.jsonl  facts that a later file held again: the import, the bytes, and why it was taken for the same.
sources.jsonl    where data comes from, and what was stated for each source. feeds.jsonl: what is fetched from where,
                 without its passwords. notices.jsonl: what the box had to say; mailers.jsonl: by which mail server it
                 sends that.
archives/        facts that were moved out of the daily store: archives.jsonl lists the archives, summaries.jsonl what
                 each month of them comes to, and archived_facts.jsonl by what each fact is known again.
links.jsonl      facts that tell of one event, as a person said. verifications.jsonl: what others confirmed of facts.
deletions.jsonl  what was deleted for good, and how much it was; forgotten.jsonl: digests of facts that no file brings
                 back.
reference_sets.jsonl, reference_rows.jsonl   tables that facts are joined with, and their rows.
declared_kinds.jsonl, policies.jsonl, settings.jsonl, marts.jsonl   kinds of one's own, how long facts are kept, what
                 the household said, and subsidiary stores.
manifest.json    each file's length and SHA-256: sha256sum tells whether one was changed.

Keys, passwords and sign-ins are not here. Nothing here is encrypted: keep it where you keep your papers.
"""


def export(store: Store, store_folder: Path, folder: Path, without: Collection[int] = ()) -> dict[str, Any]:
    """Writes the store, whose archives lie in `store_folder`, into an empty or new folder; the manifest.

    `without` are the numbers of archives that are left out, as the manifest then says. UserError where the folder holds
    something, where the disk takes no more, and where an archive is damaged: nothing of the export is left then.
    """
    try:
        with _empty(folder):
            return _export(store, store_folder, folder, without)
    except OSError as error:
        raise UserError(f"{error.filename or folder}: {error.strerror}; name another folder") from None


def _export(store: Store, store_folder: Path, folder: Path, without: Collection[int]) -> dict[str, Any]:
    with store.read() as connection:
        _need_archives(connection, store, without)
        counts = _records(connection, folder)
        counts["readings"] = _readings(connection, folder)
        _originals(connection, store, folder / ORIGINALS)
        _archives(connection, store, store_folder, folder / ARCHIVES, without)
        for carried in (*rows.BEFORE_FACTS, rows.ARCHIVES, *rows.OF_ARCHIVES, *rows.AFTER_FACTS, *rows.AFTER_SERIES):
            every = rows.every(connection, carried)
            if number := NUMBERS.get(carried.name):
                every = (row for row in every if row[number] not in without)
            counts[carried.name] = _lines(folder / carried.file, every)
    (folder / README).write_text(READ_ME, encoding="utf-8")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    left_out = {"without_archives": sorted(without)} if without else {}
    manifest = {"format": FORMAT, "store": store.name, "at": at, **counts, **left_out, "files": _digests(folder)}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8")
    return manifest


@contextmanager
def _empty(folder: Path) -> Iterator[None]:
    """Makes a folder, or takes an empty one; and empties it where the block raises: it holds data in clear."""
    made = not folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise UserError(f"{folder} is not empty; name a new folder, so that nothing in it is overwritten")
    try:
        yield
    except BaseException:
        for each in folder.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        if made:
            folder.rmdir()
        raise


def _need_archives(connection: Connection, store: Store, numbers: Collection[int]) -> None:
    kept = set(connection.execute(select(Archive.id).where(Archive.attached_us.is_(None))).scalars())
    if missing := sorted(set(numbers) - kept):
        raise UserError(
            f"the store {store.name!r} has no archive {number} to leave out; see: inglenook archive"
            for number in missing
        )


def _records(connection: Connection, folder: Path) -> dict[str, int]:
    """Every version of every fact, by kind and time; how many facts stand, and how many versions there are."""
    kinds = sorted(connection.execute(select(RecordRow.kind).distinct()).scalars())
    sources, names, versions = rows.source_names(connection), Names(), 0
    (folder / RECORDS).mkdir()
    for kind in kinds:
        found = select(RecordRow.__table__, ImportRow.sha256.label("original"))
        found = found.outerjoin(ImportRow, ImportRow.id == RecordRow.import_id).where(RecordRow.kind == kind)
        ordered = rows.streamed(connection, found.order_by(RecordRow.at_us, RecordRow.id))
        said = (rows.encoded(RecordRow, each, sources) | {"original": each.original} for each in ordered)
        versions += _lines(folder / names.give(RECORDS, kind, ending=".jsonl"), said)
    standing = connection.execute(select(func.count()).where(RecordRow.until_us.is_(None))).scalar_one()
    return {"records": standing, "versions": versions}


def _readings(connection: Connection, folder: Path) -> int:
    numbered = readings.numbers(connection)
    written = dict(readings.write(connection, folder, numbered))
    series = rows.every(connection, rows.SERIES)
    named = (each | {"file": written[each["id"]].file, "earlier": written[each["id"]].earlier} for each in series)
    _lines(folder / rows.SERIES.file, named)
    _lines(folder / readings.LINEAGES, (readings.lineage_row(*each) for each in numbered.items()))
    return sum(each.standing for each in written.values())


def _originals(connection: Connection, store: Store, folder: Path) -> None:
    folder.mkdir()
    for sha256, _ in originals.all_of(connection):
        with (folder / sha256).open("wb") as file:
            for part in originals.parts(connection, store.key, sha256):
                file.write(part)


def _archives(connection: Connection, store: Store, store_folder: Path, folder: Path, without: Collection[int]) -> None:
    """What lies in each archive, in clear. UserError names every one that is damaged, and the way on."""
    sources, problems, damaged = rows.source_names(connection), list[str](), list[int]()
    kept = select(Archive.id).where(Archive.attached_us.is_(None), Archive.id.not_in(without)).order_by(Archive.id)
    for number in connection.execute(kept).scalars().all():
        folder.mkdir(exist_ok=True)
        try:
            lines = archives.read(store_folder, number, store.key)
            _lines(folder / f"{number}.jsonl", (rows.archived(line, sources) for line in lines))
        except UserError as error:
            problems, damaged = [*problems, *error.problems], [*damaged, number]
    if damaged:
        options = " ".join(f"--without-archive {number}" for number in [*without, *damaged])
        raise UserError([*problems, f"nothing was exported; to export all else: inglenook export DIR {options}"])


def _lines(path: Path, said: Iterable[dict[str, Any]]) -> int:
    """Writes JSON objects, one a line; how many. There is no file where there is none."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in said:
            file.write(_line(row))
            count += 1
    if not count:
        path.unlink()
    return count


def _line(row: dict[str, Any]) -> str:
    line = json.dumps(row, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:  # half a character, of a file's name that is no UTF-8
        line = json.dumps(row)
    return line + "\n"


def _digests(folder: Path) -> dict[str, dict[str, Any]]:
    return {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": digest(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def digest(path: Path) -> str:
    """A file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
