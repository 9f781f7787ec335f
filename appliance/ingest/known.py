"""The facts that a store knows of the days and accounts of a file: what its rows are compared with.

Every fact that an import ever brought is known: one that a person withdrew or that lies in an archive is not brought
again. One that an undo took away is, and then stands again.
"""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, select

from appliance.ingest import dedupe
from appliance.ingest.dedupe import Known
from appliance.store import records
from appliance.store.models import ArchivedFact, Change, ImportRow, RecordRow, Sighting
from appliance.store.versions import Action


def known(connection: Connection, fingerprints: Iterable[bytes]) -> dict[bytes, list[Known]]:
    """The facts of the accounts and days of these rows, by fingerprint."""
    found: dict[bytes, list[Known]] = defaultdict(list)
    for low, high in dedupe.ranges(fingerprints):
        for equal, fact in _brought(connection, low, high):
            found[equal].append(fact)
        _add_sightings(connection, {fact.fact: fact for facts in found.values() for fact in facts}, low, high)
    return found


def _brought(connection: Connection, low: bytes, high: bytes) -> Iterable[tuple[bytes, Known]]:
    stored = (
        select(
            RecordRow.fingerprint,
            RecordRow.id,
            RecordRow.supplier_id,
            RecordRow.unit,
            ImportRow.sha256,
            ImportRow.undone_us,
            RecordRow.until_us,
        )
        .join(ImportRow, ImportRow.id == RecordRow.import_id)
        .where(RecordRow.fingerprint.between(low, high))
    )
    ended = []
    for equal, fact, supplier_id, unit, original, undone_us, until_us in connection.execute(stored):
        each = _known(fact, supplier_id, unit, None if undone_us else original)
        if until_us is not None:
            ended.append(each)
        yield equal, each
    _mark_undone(connection, ended)
    archived = (
        select(ArchivedFact, ImportRow.sha256)
        .outerjoin(ImportRow, ImportRow.id == ArchivedFact.import_id)
        .where(ArchivedFact.fingerprint.between(low, high))
    )
    for row in connection.execute(archived):
        yield row.fingerprint, _known(row.fact, row.supplier_id, row.unit, row.sha256)


def _known(fact: int, supplier_id: str, unit: str, original: str | None) -> Known:
    return Known(fact, {supplier_id} - {""}, {original} if original else set(), unit)


def _mark_undone(connection: Connection, ended: list[Known]) -> None:
    """Of the facts whose first version ended, those whose last version was ended by an undo."""
    by_fact = {each.fact: each for each in ended}
    if not by_fact:
        return
    every = (
        select(RecordRow.fact, RecordRow.until_us, Change.action)
        .outerjoin(Change, Change.id == RecordRow.ended_by)
        .where(records.of_facts(list(by_fact)))
        .order_by(RecordRow.id)
    )
    for fact, until_us, action in connection.execute(every):  # the newest version has the last word
        by_fact[fact].undone = until_us is not None and action == Action.UNDO.value


def _add_sightings(connection: Connection, by_fact: dict[int, Known], low: bytes, high: bytes) -> None:
    """The ids and originals under which facts were met again, in imports that stand."""
    within = select(RecordRow.id).where(RecordRow.fingerprint.between(low, high))
    archived = select(ArchivedFact.fact).where(ArchivedFact.fingerprint.between(low, high))
    rows = connection.execute(
        select(Sighting.fact, Sighting.supplier_id, ImportRow.sha256, ImportRow.undone_us)
        .join(ImportRow, ImportRow.id == Sighting.import_id)
        .where(Sighting.fact.in_(within.union_all(archived)))
    )
    for fact, supplier_id, original, undone_us in rows:
        by_fact[fact].supplier_ids.update({supplier_id} - {""})
        if original and not undone_us:
            by_fact[fact].originals.add(original)
