"""The run around an importer: one file into one store, in one transaction, with its report.

read = stored + duplicate + rejected, always. Either the whole import is in the store, its original and its rejected
rows with it, or nothing of it.
"""

import gc
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields as options_of
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from appliance import importers
from appliance.config import options_from
from appliance.errors import UserError
from appliance.ingest.facts import Facts
from appliance.ingest.intervals import Intervals
from appliance.records import Readings, Record, Rejected, Source, Warned
from appliance.store import imports, originals, sources
from appliance.store.database import Store
from appliance.store.imports import Report
from appliance.store.records import moment

IMPORT_BYTES = 256 << 20
PROGRESS_ITEMS = 1000


class UnknownFormatError(UserError):
    """A file that no importer reads; it may be kept all the same, see `keep_refused`."""


Progress = Callable[[int], None]


def import_file(store: Store, path: Path, **said: Any) -> Report:
    """Imports a file of this machine; UserError where it cannot be read. See `import_bytes`."""
    try:
        if (size := path.stat().st_size) > IMPORT_BYTES:
            raise UserError(_too_large(shown(path), size))
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{shown(path)}: {error.strerror}") from None
    return import_bytes(store, data, shown(path), **said)


def shown(path: Path) -> str:
    r"""A file's name as text: what is no UTF-8 in it as \xe9."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def import_bytes(
    store: Store,
    data: bytes,
    file_name: str,
    *,
    source: str = "",
    format: str = "",
    options: Mapping[str, Any] | None = None,
    zone: str | None = None,
    progress: Progress | None = None,
    dry_run: bool = False,
) -> Report:
    """Imports a file's content.

    `source` and `format` stand over what the file says of itself, `options` over what was stated for its source before.
    `progress` is told how many items were read so far. UserError where the file is empty, too large or in no known
    format, and where the disk is full.
    """
    format = format or recognised(data, file_name)
    importer = importers.named(format)
    with _collector_paused(), store.write() as connection:
        said = _options(connection, importer, data, source, dict(options or {}), zone)
        run = _Run(connection, store, data, source)
        run.begin(file_name, format, said)
        run.take(importer.extract(data, options_from(importer.Options, said, format)), progress)
        report = run.finish()
        if dry_run and (transaction := connection.get_transaction()):
            transaction.rollback()
    return report


def retry(store: Store, import_id: int, options: Mapping[str, Any] | None = None) -> Report:
    """Reads an import's original again, with what a person states now; what was stored already is duplicate.

    What is stated is kept for the source, so that its next file needs no retry.
    """
    with store.read() as connection:
        before = imports.report(connection, import_id)
        if before is None or not before.original:
            raise UserError(f"there is no import {import_id} in the store {store.name!r}; see: inglenook imports")
        data = originals.read(connection, store.key, before.original)
    format = before.format or recognised(data, before.file)
    importer = importers.named(format)
    with store.write() as connection:
        said = _stated_for(connection, importer, before) | before.options | dict(options or {})
        run = _Run(connection, store, data, before.named_source)
        run.begin(before.file, format, said, retry_of=import_id)
        run.take(importer.extract(data, options_from(importer.Options, said, format)), None)
        report = run.finish()
        for name in {*run.sources, _first_source(importer, data)}:  # its next file is known by what it says untold
            sources.state(connection, name, said)
        imports.resolve(connection, import_id, report.id)
    return report


def keep_refused(store: Store, data: bytes, file_name: str, reason: str) -> Report:
    """Keeps a file that could not be read, as an import with its error, so that the inbox can let go of it."""
    with store.write() as connection:
        run = _Run(connection, store, data, "")
        run.begin(file_name, "", {})
        imports.finish(connection, run.import_id, error=reason)
        report = imports.report(connection, run.import_id)
    if report is None:
        raise RuntimeError("an import that was just written is gone")
    return report


def recognised(data: bytes, file_name: str) -> str:
    """The format of a file; UserError, with the next step, where it has none."""
    if not data:
        raise UnknownFormatError(f"{file_name}: the file is empty; save it again at the supplier's, and import that")
    if len(data) > IMPORT_BYTES:
        raise UserError(_too_large(file_name, len(data)))
    if found := importers.identified(data, file_name):
        return found
    if data.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        raise UnknownFormatError(f"{file_name}: this is a compressed archive; unpack it and import the files in it")
    known = "; ".join(f"{name} ({importers.named(name).TITLE})" for name in importers.names())
    raise UnknownFormatError(
        f"{file_name}: no format that this box knows. It knows: {known}. "
        "If it is one of these after all, say so with --as FORMAT"
    )


@contextmanager
def _collector_paused() -> Iterator[None]:
    """An import makes many small objects that live to its end; walking them again and again took a fifth of it."""
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def _too_large(file_name: str, size: int) -> str:
    return (
        f"{file_name}: {size >> 20} MB is more than one import takes ({IMPORT_BYTES >> 20} MB); ask the supplier for a "
        "shorter period a file, or split it"
    )


def _options(
    connection: Connection,
    importer: importers.Importer,
    data: bytes,
    source: str,
    said: dict[str, Any],
    zone: str | None,
) -> dict[str, Any]:
    known = {each.name for each in options_of(importer.Options)}
    if zone and "zone" in known:
        said.setdefault("zone", zone)
    stated = sources.options(connection, source or _first_source(importer, data))
    return {**{key: value for key, value in stated.items() if key in known}, **said}


def _first_source(importer: importers.Importer, data: bytes) -> str:
    """The first source that a file names when its importer is told nothing."""
    items = importer.extract(data, importer.Options())
    return next((item.name for item in items if isinstance(item, Source)), "")


def _stated_for(connection: Connection, importer: importers.Importer, report: Report) -> dict[str, Any]:
    """What a person stated for an import's sources since, by retrying another one of theirs."""
    known = {each.name for each in options_of(importer.Options)}
    stated = (sources.options(connection, name) for name in report.source.split(", "))
    return {key: value for said in stated for key, value in said.items() if key in known}


class _Run:
    """One import under way: what it has read so far, and where it goes."""

    def __init__(self, connection: Connection, store: Store, data: bytes, source: str) -> None:
        self.connection, self.store, self.data = connection, store, data
        self.forced_source = Source(source) if source else None
        self.source = self.forced_source or Source("unnamed")
        self.sources: dict[str, Source] = {}
        self.facts = Facts(connection)
        self.intervals: dict[tuple[str, str], Intervals] = {}
        self.rejects: list[Rejected] = []
        self.warnings: list[str] = []
        self.import_id = 0
        self.counts: dict[str, int] = defaultdict(int)

    def begin(self, file_name: str, format: str, said: dict[str, Any], retry_of: int | None = None) -> None:
        self.original = originals.keep(self.connection, self.store.key, self.data)
        self.import_id = imports.begin(
            self.connection,
            at_us=moment(datetime.now(UTC))[0],
            file=file_name,
            format=format,
            sha256=self.original,
            named_source=self.forced_source.name if self.forced_source else "",
            options=said,
            retry_of=retry_of,
        )

    def take(self, items: Any, progress: Progress | None) -> None:
        for number, item in enumerate(items, 1):
            self._take(item)
            if progress and number % PROGRESS_ITEMS == 0:
                progress(number)

    def _take(self, item: object) -> None:
        if isinstance(item, Record):
            self._note_source()
            self.facts.add(item, self.source)
        elif isinstance(item, Readings):
            self._note_source()
            key = (self.source.name, item.role)
            self.intervals.setdefault(key, Intervals(self.source, item.role)).add(item)
        elif isinstance(item, Rejected):
            self.rejects.append(item)
        elif isinstance(item, Source):
            self.source = self.forced_source or item
            self._note_source()
        elif isinstance(item, Warned):
            self.warnings.append(item.message)

    def _note_source(self) -> None:
        self.sources.setdefault(self.source.name, self.source)

    def finish(self) -> Report:
        for source in self.sources.values():
            sources.id_of(self.connection, source)
        stored, duplicate, refused = self.facts.store(self.import_id, self.original)
        self._count(stored, duplicate, len(refused) + len(self.rejects))
        self.rejects += refused
        for series in self.intervals.values():
            stored, duplicate, block_rejects, rejected = series.store(self.connection, self.import_id)
            self._count(stored, duplicate, rejected)
            self.rejects += block_rejects
        imports.add_rejects(self.connection, self.import_id, self.rejects)
        imports.finish(
            self.connection,
            self.import_id,
            source=", ".join(self.sources),
            warnings=self.warnings,
            read=sum(self.counts.values()),
            **self.counts,
        )
        report = imports.report(self.connection, self.import_id)
        if report is None:
            raise RuntimeError("an import that was just written is gone")
        return report

    def _count(self, stored: int, duplicate: int, rejected: int) -> None:
        self.counts["stored"] += stored
        self.counts["duplicate"] += duplicate
        self.counts["rejected"] += rejected
