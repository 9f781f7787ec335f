"""The run around an importer: one file into one store, in one transaction, with its report.

read = stored + duplicate + rejected, always. Either the whole import is in the store, its original and its rejected
rows with it, or nothing of it.
"""

import gc
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from dataclasses import fields as options_of
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from appliance import importers, tables
from appliance.config import options_from
from appliance.content import Content, InMemory, of_file
from appliance.errors import UserError
from appliance.ingest import archives
from appliance.ingest.run import Progress, Run
from appliance.records import Source
from appliance.store import imports, layouts, originals, sources, versions
from appliance.store.database import Store
from appliance.store.imports import Report

IMPORT_BYTES = 8 << 30
_NAMED = 5
TABLE = "table"
A_TABLE = "It looks like a table: say on the page Import what its columns are, and it is read, now and next time."


class UnknownFormatError(UserError):
    """A file that no importer reads; it may be kept all the same, see `keep_refused`.

    `can_be_named`: it may be in a known format without looking like it, and a person can say which. `is_table`: a
    person can say what its columns are.
    """

    def __init__(self, problem: str, *, can_be_named: bool = False, is_table: bool = False) -> None:
        super().__init__(problem)
        self.can_be_named, self.is_table = can_be_named, is_table


def import_file(store: Store, path: Path, **said: Any) -> Report:
    """Imports a file of this machine that is no archive; UserError where it cannot be read. See `import_content`."""
    with opened(path) as content:
        return import_content(store, content, **said)


@contextmanager
def opened(path: Path) -> Iterator[Content]:
    """A file of this machine as a content; UserError where it cannot be read."""
    try:
        with path.open("rb") as file:
            yield of_file(shown(path), file)
    except OSError as error:
        raise UserError(f"{shown(path)}: {error.strerror}") from None


@dataclass(slots=True)
class Outcome:
    """What became of a file: its import, or of an archive those of the files in it, and what could not be read."""

    reports: list[Report] = field(default_factory=list)
    problems: list[UserError] = field(default_factory=list)


def import_every(store: Store, content: Content, **said: Any) -> Outcome:
    """Imports a content, and of an archive each file in it that is in a known format. See `import_content`."""
    done, unknown = Outcome(), list[str]()
    if not archives.is_archive(content):
        try:
            done.reports.append(import_content(store, content, **said))
        except UserError as error:
            done.problems.append(error)
        return done
    try:
        for member in archives.members(content):
            try:
                done.reports.append(import_content(store, member, **said))
            except UnknownFormatError:
                unknown.append(member.name.removeprefix(f"{content.name}/"))
            except UserError as error:
                done.problems.append(error)
    except UserError as error:
        done.problems.append(error)
    if unknown or not (done.reports or done.problems):
        done.problems.append(_unknown(content.name, unknown))
    return done


def _unknown(archive: str, names: list[str]) -> UserError:
    if not names:
        return UnknownFormatError(f"{archive}: there is no file in this archive")
    some = ", ".join(names[:_NAMED])
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    files = "file in it is in no format" if len(names) == 1 else "files in it are in no format"
    return UnknownFormatError(f"{archive}: {len(names):,} {files} that this box knows, and not taken in: {some}{more}")


def shown(path: Path) -> str:
    r"""A file's name as text: what is no UTF-8 in it as \xe9."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def import_bytes(store: Store, data: bytes, file_name: str, **said: Any) -> Report:
    """Imports what is in memory; see `import_content`."""
    return import_content(store, InMemory(file_name, data), **said)


def import_content(
    store: Store,
    content: Content,
    *,
    source: str = "",
    format: str = "",
    options: Mapping[str, Any] | None = None,
    stated_zone: str | None = None,
    zone: str | None = None,
    progress: Progress | None = None,
    dry_run: bool = False,
) -> Report:
    """Imports a file's content.

    `source` and `format` stand over what the file says of itself, `options` over what was stated for its source before.
    `stated_zone` is one that a person names for this file's local times, where its format has any; `zone` is the
    household's, which is taken where nobody ever stated one.
    `progress` is told how many items were read so far. UserError where the file is empty, too large or in no known
    format, and where the disk is nearly full.
    """
    store.need_room()
    said = dict(options or {})
    if not format:
        format, source, said = _recognised(store, content, source, said)
    importer = importers.named(format)
    with _collector_paused():
        with store.read() as connection:
            said = _options(connection, importer, content, source, said, stated_zone, zone)
        items = importers.extracted(importer, content, options_from(importer.Options, said, format))
        run = Run(content, source, items, progress)
        run.gather()
        with store.write() as connection:
            report = run.store(connection, store.key, content.name, format, said)
            if dry_run and (transaction := connection.get_transaction()):
                transaction.rollback()
    return report


def _recognised(store: Store, content: Content, source: str, said: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """The format of a file, its source and its options: a table's are those that were confirmed for its heading."""
    if kept := _kept_layout(store, content):
        return TABLE, source or kept[1], {"layout": kept[0], **said}
    try:
        return recognised(content), source, said
    except UnknownFormatError as error:
        if error.can_be_named and tables.guessed(content.head(importers.HEAD_BYTES)):
            raise UnknownFormatError(f"{error} {A_TABLE}", can_be_named=True, is_table=True) from None
        raise


def _kept_layout(store: Store, content: Content) -> tuple[str, str] | None:
    """The layout and the source that a person said for tables of this heading, also of one that an importer knows."""
    with store.read() as connection:
        if not layouts.has_any(connection):
            return None
        guess = tables.guessed(content.head(importers.HEAD_BYTES))
        return layouts.kept(connection, guess.shape) if guess else None


def retry(
    store: Store,
    import_id: int,
    options: Mapping[str, Any] | None = None,
    *,
    format: str = "",
    source: str | None = None,
    dry_run: bool = False,
) -> Report:
    """Reads an import's original again, with what a person states now; what was stored already is duplicate.

    What is stated is kept for the source, so that its next file needs no retry. `format` and `source` stand over those
    of the import, an empty `source` too: then the file names its own.
    """
    with store.read() as connection:
        before = imports.report(connection, import_id, limit=0)
        if before is None:
            raise UserError(f"there is no import {import_id} in the store {store.name!r}; see: inglenook imports")
        if not before.original and before.error:
            raise UserError(f"import {import_id} kept no file: {before.error}")
        if not before.original:
            raise UserError(f"the file of import {import_id} was deleted for good with its facts: import it anew")
        is_whole = not originals.blanked(connection, before.original)
    content = originals.Kept(before.file, store.read, store.key, before.original)
    format = format or before.format or recognised(content)
    source = before.named_source if source is None else source
    store.need_room()
    importer = importers.named(format)
    known = {each.name for each in options_of(importer.Options)}
    stated_then = {key: value for key, value in before.options.items() if key in known}
    with _collector_paused():
        with store.read() as connection:
            said = _stated_for(connection, importer, before) | stated_then | dict(options or {})
        items = importers.extracted(importer, content, options_from(importer.Options, said, format))
        run = Run(content, source, items)
        if not is_whole:
            run.warnings.append(
                "Rows of this file were deleted for good, and are blank in it: they are not read again."
            )
        run.gather()
        first = _first_source(importer, content)
        with store.write() as connection:
            report = run.store(connection, store.key, before.file, format, said, retry_of=import_id)
            if report.stored or report.duplicate:  # what helped to read this file is kept for the source's next one
                for name in {*run.sources, first}:
                    sources.state(connection, name, said)
            imports.resolve(connection, report)
            if dry_run and (transaction := connection.get_transaction()):
                transaction.rollback()
    return report


def read_again(store: Store, report: Report) -> Run:
    """What an import's original says, read as it was then; nothing is stored."""
    content = originals.Kept(report.file, store.read, store.key, report.original)
    importer = importers.named(report.format)
    options = options_from(importer.Options, report.options, report.format)
    run = Run(content, report.named_source, importers.extracted(importer, content, options))
    run.gather(None)
    return run


def keep_refused(store: Store, content: Content, reason: str) -> Report:
    """Keeps a file that could not be read, as an import with its error, so that the inbox can let go of it."""
    run = Run(content, "")
    run.gather()
    with store.write() as connection:
        report = run.store(connection, store.key, content.name, "", {})
        imports.finish(connection, report.id, error=reason)
        return imports.needed(connection, report.id)


def say_refused(store: Store, file_name: str, reason: str) -> Report:
    """Keeps, of a file that could not be read and is not kept, that it came and why it was not."""
    with store.write() as connection:
        columns: dict[str, Any] = {
            "format": "",
            "sha256": None,
            "named_source": "",
            "options": {},
            "retry_of": None,
            "error": reason,
        }
        import_id = imports.begin(connection, at_us=versions.now_us(connection), file=file_name, **columns)
        return imports.needed(connection, import_id)


def recognised(content: Content) -> str:
    """The format of a file; UserError, with the next step, where it has none."""
    if not content.size:
        raise UnknownFormatError(f"{content.name}: the file is empty; save it again at the supplier's, and import that")
    need_importable(content.name, content.size)
    head = content.head(importers.HEAD_BYTES)
    if found := importers.identified(head, content.name):
        return found
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b")):
        raise UnknownFormatError(f"{content.name}: this is a compressed archive; unpack it and import the files in it")
    known = "; ".join(f"{name} ({importers.named(name).TITLE})" for name in importers.names())
    raise UnknownFormatError(
        f"{content.name}: no format that this box knows. It knows: {known}. Ask the supplier for one of these",
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
            f"{file_name}: {size >> 30} GB is more than one import takes ({IMPORT_BYTES >> 30} GB); ask the supplier "
            "for a shorter period a file, or split it"
        )


def _options(
    connection: Connection,
    importer: importers.Importer,
    content: Content,
    source: str,
    said: dict[str, Any],
    stated_zone: str | None,
    zone: str | None,
) -> dict[str, Any]:
    known = {each.name for each in options_of(importer.Options)}
    if stated_zone and "zone" in known:
        said.setdefault("zone", stated_zone)
    stated = sources.options(connection, source or _first_source(importer, content))
    of_household = {"zone": zone} if zone and "zone" in known else {}
    return {**of_household, **{key: value for key, value in stated.items() if key in known}, **said}


def _first_source(importer: importers.Importer, content: Content) -> str:
    """The first source that a file names when its importer is told nothing."""
    items = importers.extracted(importer, content, importer.Options())
    return next((item.name for item in items if isinstance(item, Source)), "")


def _stated_for(connection: Connection, importer: importers.Importer, report: Report) -> dict[str, Any]:
    """What a person stated for an import's sources since, by retrying another one of theirs."""
    known = {each.name for each in options_of(importer.Options)}
    own = sources.named_in(report.source, sources.names(connection))
    stated = (sources.options(connection, name) for name in own)
    return {key: value for said in stated for key, value in said.items() if key in known}
