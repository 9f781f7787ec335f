"""The run around an importer: one file into one store, in one transaction, with its report.

read = stored + duplicate + rejected, always. Either the whole import is in the store, its original and its rejected
rows with it, or nothing of it.
"""

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields as options_of
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from appliance import importers
from appliance.config import options_from
from appliance.errors import UserError
from appliance.ingest.run import Progress, Run
from appliance.records import Source
from appliance.store import imports, originals, sources
from appliance.store.database import Store
from appliance.store.imports import Report
from appliance.store.keys import StoreKey

IMPORT_BYTES = 256 << 20


class UnknownFormatError(UserError):
    """A file that no importer reads; it may be kept all the same, see `keep_refused`.

    `can_be_named`: it may be in a known format without looking like it, and a person can say which.
    """

    def __init__(self, problem: str, *, can_be_named: bool = False) -> None:
        super().__init__(problem)
        self.can_be_named = can_be_named


def import_file(store: Store, path: Path, **said: Any) -> Report:
    """Imports a file of this machine; UserError where it cannot be read. See `import_bytes`."""
    try:
        need_importable(shown(path), path.stat().st_size)
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
    with _collector_paused():
        with store.read() as connection:
            said = _options(connection, importer, data, source, dict(options or {}), zone)
        run = Run(data, source)
        run.take(importer.extract(data, options_from(importer.Options, said, format)), progress)
        with store.write() as connection:
            report = run.store(connection, store.key, file_name, format, said)
            if dry_run and (transaction := connection.get_transaction()):
                transaction.rollback()
    return report


def retry(store: Store, import_id: int, options: Mapping[str, Any] | None = None) -> Report:
    """Reads an import's original again, with what a person states now; what was stored already is duplicate.

    What is stated is kept for the source, so that its next file needs no retry.
    """
    with store.read() as connection:
        before = imports.report(connection, import_id)
        if before is None:
            raise UserError(f"there is no import {import_id} in the store {store.name!r}; see: inglenook imports")
        if not before.original:
            raise UserError(f"the file of import {import_id} was deleted for good with its facts: import it anew")
        data = originals.read(connection, store.key, before.original)
        is_whole = not originals.blanked(connection, before.original)
    format = before.format or recognised(data, before.file)
    importer = importers.named(format)
    with _collector_paused():
        with store.read() as connection:
            said = _stated_for(connection, importer, before) | before.options | dict(options or {})
        run = Run(data, before.named_source)
        if not is_whole:
            run.warnings.append(
                "Rows of this file were deleted for good, and are blank in it: they are not read again."
            )
        run.take(importer.extract(data, options_from(importer.Options, said, format)), None)
        named = {*run.sources, _first_source(importer, data)}
        with store.write() as connection:
            report = run.store(connection, store.key, before.file, format, said, retry_of=import_id)
            if report.stored or report.duplicate:  # what helped to read this file is kept for the source's next one
                for name in named:
                    sources.state(connection, name, said)
            imports.resolve(connection, report)
    return report


def read_again(connection: Connection, key: StoreKey, report: Report) -> Run:
    """What an import's original says, read as it was then; nothing is stored."""
    data = originals.read(connection, key, report.original)
    importer = importers.named(report.format)
    run = Run(data, report.named_source)
    run.take(importer.extract(data, options_from(importer.Options, report.options, report.format)), None)
    return run


def keep_refused(store: Store, data: bytes, file_name: str, reason: str) -> Report:
    """Keeps a file that could not be read, as an import with its error, so that the inbox can let go of it."""
    with store.write() as connection:
        report = Run(data, "").store(connection, store.key, file_name, "", {})
        imports.finish(connection, report.id, error=reason)
        return imports.needed(connection, report.id)


def recognised(data: bytes, file_name: str) -> str:
    """The format of a file; UserError, with the next step, where it has none."""
    if not data:
        raise UnknownFormatError(f"{file_name}: the file is empty; save it again at the supplier's, and import that")
    need_importable(file_name, len(data))
    if found := importers.identified(data, file_name):
        return found
    if data.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        raise UnknownFormatError(f"{file_name}: this is a compressed archive; unpack it and import the files in it")
    known = "; ".join(f"{name} ({importers.named(name).TITLE})" for name in importers.names())
    raise UnknownFormatError(
        f"{file_name}: no format that this box knows. It knows: {known}. Ask the supplier for one of these",
        can_be_named=True,
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


def need_importable(file_name: str, size: int) -> None:
    """UserError where a file is larger than one import takes."""
    if size > IMPORT_BYTES:
        raise UserError(
            f"{file_name}: {size >> 20} MB is more than one import takes ({IMPORT_BYTES >> 20} MB); ask the supplier "
            "for a shorter period a file, or split it"
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
    own = sources.named_in(report.source, sources.names(connection))
    stated = (sources.options(connection, name) for name in own)
    return {key: value for said in stated for key, value in said.items() if key in known}
