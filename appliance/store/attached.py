"""The files that people attached to facts: originals that a fact's fields name by their SHA-256.

A fact may have several versions, and each names the file that it had; so a file is needed for as long as one of them is
in the tables or in an archive.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, true

from appliance.kinds import is_digest
from appliance.store import archives, declared
from appliance.store.keys import StoreKey
from appliance.store.models import Archive, ArchivedFact, DeclaredKind, Original, RecordRow

Attached = tuple[int, str, str]  # a fact's number, the field, and the file's SHA-256


def every(connection: Connection, which: ColumnElement[bool] | None = None) -> Iterator[Attached]:
    """What the versions in the tables name, or of these those for which a condition holds."""
    found = select(RecordRow.fact, RecordRow.fields).where(RecordRow.kind.in_(_kinds(connection)))
    for row in connection.execute(found.where(true() if which is None else which)):
        yield from ((row.fact, name, sha256) for name, sha256 in _named(row.fields))


def needed(connection: Connection, folder: Path, key: StoreKey) -> set[str]:
    """The originals that facts name, wherever they lie; archives lie in the store's `folder`.

    UserError where one of these archives is missing, cut or altered: then nobody knows what it names.
    """
    return {sha256 for _, _, sha256 in every(connection)} | set(_archived(connection, folder, key))


def missing(connection: Connection) -> Iterator[Attached]:
    """What facts name and the store does not have. A text from before such a field named files is none."""
    there = set(connection.execute(select(Original.sha256)).scalars())
    yield from sorted({each for each in every(connection) if each[2] not in there})


def _archived(connection: Connection, folder: Path, key: StoreKey) -> Iterator[str]:
    lying = select(ArchivedFact.archive_id)  # of one that is open for a deletion, the facts are in the tables
    own = select(Archive.id).where(Archive.kind.in_(_kinds(connection)), Archive.id.in_(lying))
    for number in connection.execute(own).scalars().all():
        for line in archives.read(folder, number, key):
            yield from (sha256 for _, sha256 in _named(line.get("fields", {})))


def _kinds(connection: Connection) -> list[str]:
    """The kinds that have such fields, and all that the owner declared: an earlier declaration may have had some."""
    with_files = (name for name, kind in declared.every(connection).items() if kind.files)
    return sorted({*with_files, *connection.execute(select(DeclaredKind.name)).scalars()})


def _named(fields: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return [(name, value) for name, value in fields.items() if isinstance(value, str) and is_digest(value)]
