"""Reading a file that is here in another way: as a table whose columns a person names, or as the format that it is in.

The last word stands. Once the file is read in the new way, what only the ways before brought is taken back, as an undo
does: nothing is deleted. What a person says of a table holds for the next one of its heading too.
"""

from collections.abc import Mapping

from sqlalchemy import select

from appliance import importers, tables
from appliance.errors import UserError
from appliance.ingest import importing, undoing
from appliance.store import imports, layouts, originals
from appliance.store.database import Store
from appliance.store.imports import Report
from appliance.store.models import ImportRow
from appliance.tables import Guess, Layout

WHY = "its file is read in another way now"
NO_TABLE = "This file is no table: its rows have no columns in common."


def guess_of(store: Store, report: Report) -> Guess | None:
    """What the file of an import looks like as a table; None where it is none, or is here no more."""
    if not report.original:
        return None
    content = originals.Kept(report.file, store.read, store.key, report.original)
    return tables.guessed(content.head(importers.HEAD_BYTES))


def known_as(store: Store, report: Report) -> str:
    """The format that the file of an import is in by its content, though a person may have it read as a table."""
    content = originals.Kept(report.file, store.read, store.key, report.original)
    return importers.identified(content.head(importers.HEAD_BYTES), report.file) or ""


def as_table(store: Store, import_id: int, who: str, layout: Layout, source: str, zone: str) -> Report:
    """Reads an import's file by a layout, now and whenever one of its heading comes. UserError where it cannot be."""
    guess = _needed_guess(store, _needed(store, import_id))
    options = {"layout": layout.text(), **({"zone": zone} if zone else {})}
    report = importing.retry(store, import_id, options, format=importing.TABLE, source=source)
    with store.write() as connection:
        layouts.keep(connection, guess.shape, layout.text(), source)
    return _instead(store, report, who)


def again(store: Store, import_id: int, who: str, said: Mapping[str, str]) -> Report:
    """Reads an import's file again with what a person states now: of a table, what mends its layout.

    A table whose layout was mended elsewhere since is read by that one.
    """
    before = _needed(store, import_id)
    if before.format != importing.TABLE or "layout" in said or not before.original:
        return importing.retry(store, import_id, said)
    guess = _needed_guess(store, before)
    with store.read() as connection:
        kept = layouts.kept(connection, guess.shape) or (str(before.options.get("layout", "")), before.named_source)
    layout = tables.mended(
        tables.layout_from(kept[0]), guess.header, {name: text for name, text in said.items() if name != "zone"}
    )
    zone = said.get("zone", str(before.options.get("zone", "")))
    return as_table(store, import_id, who, layout, kept[1], zone)


def as_known(store: Store, import_id: int, who: str) -> Report:
    """Reads a file that was read as a table as the format that it is in, and the next of its heading too."""
    before = _needed(store, import_id)
    guess, format = _needed_guess(store, before), known_as(store, before)
    if not format:
        raise UserError(f"import {import_id}: its file is in no format that this box knows; it stays a table")
    report = importing.retry(store, import_id, format=format, source="")
    with store.write() as connection:
        layouts.forget(connection, guess.shape)
    return _instead(store, report, who)


def _needed(store: Store, import_id: int) -> Report:
    with store.read() as connection:
        report = imports.report(connection, import_id, limit=0)
    if report is None:
        raise UserError(f"there is no import {import_id} in the store {store.name!r}; see: inglenook imports")
    return report


def _needed_guess(store: Store, report: Report) -> Guess:
    guess = guess_of(store, report)
    if guess is None:
        raise UserError(NO_TABLE)
    return guess


def _instead(store: Store, report: Report, who: str) -> Report:
    """Takes back the imports of the same file that read it in another way."""
    stands = (ImportRow.error == "") & ImportRow.undone_us.is_(None) & (ImportRow.id != report.id)
    with store.read() as connection:
        of_file = select(ImportRow.id).where(ImportRow.sha256 == report.original, stands).order_by(ImportRow.id)
        ways = {each: imports.read_in(connection, each) for each in connection.execute(of_file).scalars()}
        own = imports.read_in(connection, report.id)
    for each, way in ways.items():
        if way != own:
            undoing.undo(store, each, who, WHY)
    with store.write() as connection:  # what those had read of rows that were rejected before
        imports.resolve(connection, report)
    return report
