"""Imports as a store keeps them: what was read, stored, met again and rejected, and why."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.orm import aliased

from appliance.records import Rejected
from appliance.store.models import ImportRow, Reject
from appliance.store.records import at_text


@dataclass(frozen=True, slots=True)
class RejectRow:
    """A row that could not be read; `resolved_by` is the import that read it after all."""

    id: int
    place: str
    line: int
    first: int
    length: int
    reason: str
    resolved_by: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """One import: read = stored + duplicate + rejected. `error` says why the file could not be read at all.

    `undone` says when it was taken back, "" while it stands.
    """

    id: int
    at: str
    file: str
    format: str
    source: str
    named_source: str
    read: int
    stored: int
    duplicate: int
    rejected: int
    warnings: list[str]
    error: str
    retry_of: int | None
    original: str
    options: dict[str, Any]
    undone: str = ""
    rejects: list[RejectRow] = field(default_factory=list)


def begin(connection: Connection, **columns: Any) -> int:
    """A new import's row, with counts of nothing yet; its number."""
    empty = {"read": 0, "stored": 0, "duplicate": 0, "rejected": 0, "warnings": [], "error": "", "source": ""}
    return connection.execute(insert(ImportRow).values(**{**empty, **columns}).returning(ImportRow.id)).scalar_one()


def finish(connection: Connection, import_id: int, **columns: Any) -> None:
    """The counts, once they are known."""
    connection.execute(update(ImportRow).where(ImportRow.id == import_id).values(**columns))


def add_rejects(connection: Connection, import_id: int, rejects: Sequence[Rejected]) -> None:
    """Keeps the rows that could not be read."""
    if rejects:
        connection.execute(
            insert(Reject),
            [
                {
                    "import_id": import_id,
                    "first": each.span.first,
                    "length": each.span.length,
                    "line": each.line,
                    "place": each.where,
                    "reason": each.reason,
                    "resolved_by": None,
                }
                for each in rejects
            ],
        )


def resolve(connection: Connection, done: Report) -> None:
    """Marks the rejects of earlier imports of a file that a later one read: those in no row that it rejected too."""
    again = aliased(Reject)
    inside = (again.first <= Reject.first) & (Reject.first < again.first + again.length)
    still = select(again.id).where(again.import_id == done.id, inside).exists()
    earlier = select(ImportRow.id).where(ImportRow.sha256 == done.original, ImportRow.id < done.id)
    open_ones = update(Reject).where(Reject.import_id.in_(earlier), Reject.resolved_by.is_(None))
    connection.execute(open_ones.where(~still).values(resolved_by=done.id))


def recent(connection: Connection, limit: int = 50) -> list[Report]:
    """The newest imports, newest first, without their rejects."""
    found = select(ImportRow.__table__).order_by(ImportRow.id.desc()).limit(limit)
    return [_report(each, []) for each in connection.execute(found)]


def report(connection: Connection, import_id: int, limit: int | None = None) -> Report | None:
    """One import with its rejects, of which `limit` may say how many at most."""
    found = connection.execute(select(ImportRow.__table__).where(ImportRow.id == import_id)).one_or_none()
    return _report(found, _rejects(connection, import_id, limit)) if found else None


def needed(connection: Connection, import_id: int) -> Report:
    """An import that is known to be there."""
    found = report(connection, import_id)
    if found is None:
        raise RuntimeError(f"import {import_id} is gone")
    return found


def way_of_reading(sha256: str | None, format: str, named_source: str, options: Mapping[str, Any]) -> str:
    """What tells one reading of a file from another: the file, and all that was said of it."""
    return json.dumps([sha256, format, named_source, options], sort_keys=True, default=str)


def read_in(connection: Connection, import_id: int) -> str:
    """The way in which an import that stands read its file; "" of one that was taken back."""
    names = ("sha256", "format", "named_source", "options", "undone_us")
    found = select(*(getattr(ImportRow, name) for name in names)).where(ImportRow.id == import_id)
    *said, undone_us = connection.execute(found).one()
    return way_of_reading(*said) if undone_us is None else ""


def has_read(connection: Connection, sha256: str) -> bool:
    """Whether an earlier import that stands read this original."""
    stands = (ImportRow.error == "") & ImportRow.undone_us.is_(None)
    found = select(ImportRow.id).where(ImportRow.sha256 == sha256, stands).limit(1)
    return connection.execute(found).first() is not None


def count(connection: Connection) -> int:
    """How many imports this store has had."""
    return connection.execute(select(func.count()).select_from(ImportRow)).scalar_one()


def _rejects(connection: Connection, import_id: int, limit: int | None) -> list[RejectRow]:
    found = select(Reject.__table__).where(Reject.import_id == import_id).order_by(Reject.id).limit(limit)
    return [
        RejectRow(each.id, each.place, each.line, each.first, each.length, each.reason, each.resolved_by)
        for each in connection.execute(found)
    ]


def _report(each: Row[Any], rejects: list[RejectRow]) -> Report:
    return Report(
        id=each.id,
        at=at_text(each.at_us),
        file=each.file,
        format=each.format,
        source=each.source,
        named_source=each.named_source,
        read=each.read,
        stored=each.stored,
        duplicate=each.duplicate,
        rejected=each.rejected,
        warnings=each.warnings,
        error=each.error,
        retry_of=each.retry_of,
        original=each.sha256 or "",
        options=each.options,
        undone="" if each.undone_us is None else at_text(each.undone_us),
        rejects=rejects,
    )
