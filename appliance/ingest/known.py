"""The facts that a store knows of the days and accounts of a file: what its rows are compared with.

Every fact that an import ever brought is known: one that a person withdrew or that lies in an archive is not brought
again. One that an undo took away is, and then stands again. One that a person had deleted for good is not: it is told
by a digest, made with a key that derives from the store's, of which nobody without that key learns anything.
"""

import hmac
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial

from sqlalchemy import ColumnElement, Connection, Text, cast, func, insert, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, aliased

from appliance.ingest import dedupe
from appliance.ingest.dedupe import Known
from appliance.store import imports, records
from appliance.store.keys import StoreKey
from appliance.store.models import ArchivedFact, Change, Forgotten, RecordRow, Sighting
from appliance.store.versions import Action

_Equal = tuple[bytes, Known]
_Fingerprint = InstrumentedAttribute[bytes]
_Within = Callable[[_Fingerprint], ColumnElement[bool]]
_AS_MANY = 4
PART = 5_000
_BY_PERSON = (Action.CORRECT.value, Action.RESTORE.value)
_FIELDS = cast(RecordRow.fields, Text)
_IS_PENDING = or_(_FIELDS.contains('"status": "pending"'), _FIELDS.contains('"status":"pending"')).label("is_pending")
FORGOTTEN = "forgotten facts"  # the purpose of a key


def known(
    connection: Connection, key: StoreKey, fingerprints: Sequence[bytes], but: int | None = None
) -> dict[bytes, list[Known]]:
    """The facts of the accounts and days of these rows, by fingerprint; of equal ones those that stand first.

    What the import `but` brought is left out.
    """
    found: dict[bytes, list[Known]] = defaultdict(list)
    for equal, facts in _forgotten(connection, key, fingerprints):
        found[equal] += [Known(0, forgotten=True) for _ in range(facts)]
    read_in = cache(partial(imports.read_in, connection))
    for within in _within(connection, fingerprints):
        for equal, fact in _brought(connection, within, read_in, but):
            found[equal].append(fact)
        by_fact = {fact.fact: fact for facts in found.values() for fact in facts}
        _add_sightings(connection, by_fact, within, read_in)
    for alike in found.values():
        if len(alike) > 1:  # else a row could bring back one that was taken away, beside one that it repeats
            alike.sort(key=lambda each: (each.undone, each.fact))
    return found


def forget(connection: Connection, key: StoreKey, fingerprints: Iterable[bytes]) -> None:
    """Keeps what tells facts that are deleted for good, so that no file brings them back."""
    for digest, facts in Counter(_digest(key.derived(FORGOTTEN), each) for each in fingerprints).items():
        more = update(Forgotten).where(Forgotten.digest == digest).values(facts=Forgotten.facts + facts)
        if not connection.execute(more).rowcount:
            connection.execute(insert(Forgotten).values(digest=digest, facts=facts))


def _forgotten(connection: Connection, key: StoreKey, fingerprints: Sequence[bytes]) -> Iterable[tuple[bytes, int]]:
    """How many equal facts of each row were deleted, under this key of the store or one before."""
    if not connection.execute(select(Forgotten.digest).limit(1)).first():
        return
    for secret in key.every_derived(FORGOTTEN):
        by_digest = {_digest(secret, each): each for each in fingerprints}
        digests = list(by_digest)
        for begin in range(0, len(digests), PART):
            some = Forgotten.digest.in_(digests[begin : begin + PART])
            for digest, facts in connection.execute(select(Forgotten.digest, Forgotten.facts).where(some)):
                yield by_digest[digest], facts


def _digest(secret: bytes, fingerprint: bytes) -> bytes:
    return hmac.digest(secret, fingerprint, "sha256")


def _within(connection: Connection, fingerprints: Sequence[bytes]) -> Iterator[_Within]:
    """Where to look: in the days of each account, or for each row alone where many more facts lie in those days."""
    wide = list[tuple[bytes, bytes]]()
    most = _AS_MANY * len(fingerprints) + PART
    for low, high in dedupe.ranges(fingerprints):
        there = select(RecordRow.id).where(RecordRow.fingerprint.between(low, high)).limit(most + 1)
        if connection.execute(select(func.count()).select_from(there.subquery())).scalar_one() > most:
            wide.append((low, high))
        else:
            yield partial(_between, low, high)
    accounts = {low[: dedupe.ACCOUNT_BYTES] for low, _ in wide}
    alone = sorted({each for each in fingerprints if each[: dedupe.ACCOUNT_BYTES] in accounts})
    for begin in range(0, len(alone), PART):
        yield partial(_among, alone[begin : begin + PART])


def _between(low: bytes, high: bytes, column: _Fingerprint) -> ColumnElement[bool]:
    return column.between(low, high)


def _among(some: list[bytes], column: _Fingerprint) -> ColumnElement[bool]:
    return column.in_(some)


def _brought(
    connection: Connection, within: _Within, read_in: Callable[[int], str], but: int | None
) -> Iterable[_Equal]:
    stored = select(
        RecordRow.fingerprint,
        RecordRow.fact,
        RecordRow.supplier_id,
        RecordRow.unit,
        RecordRow.import_id,
        RecordRow.until_us,
        _IS_PENDING,
    ).where(within(RecordRow.fingerprint), RecordRow.import_id.is_distinct_from(but))
    ended = []
    for equal, fact, supplier_id, unit, import_id, until_us, is_pending in connection.execute(stored).all():
        each = _known(fact, supplier_id, unit, read_in(import_id) if import_id else "")
        each.pending = until_us is None and bool(is_pending)
        if until_us is not None:
            ended.append(each)
        yield equal, each
    _mark_ended(connection, ended)
    archived = select(ArchivedFact.__table__).where(within(ArchivedFact.fingerprint))
    for row in connection.execute(archived).all():
        reading = read_in(row.import_id) if row.import_id else ""
        yield row.fingerprint, _known(row.fact, row.supplier_id, row.unit, reading)


def _known(fact: int, supplier_id: str, unit: str, reading: str) -> Known:
    return Known(fact, {supplier_id} - {""}, {reading} - {""}, unit)


def _mark_ended(connection: Connection, ended: list[Known]) -> None:
    """Of the facts whose first version ended, those whose last version was ended by an undo, or is pending and no
    person's word."""
    by_fact: dict[int, list[Known]] = defaultdict(list)  # a fact that an import said otherwise is known by both
    for each in ended:
        by_fact[each.fact].append(each)
    facts, begun = list(by_fact), aliased(Change)
    for begin in range(0, len(facts), PART):  # a statement takes so many parameters
        every = (
            select(RecordRow.fact, RecordRow.until_us, Change.action, begun.action, _IS_PENDING)
            .outerjoin(Change, Change.id == RecordRow.ended_by)
            .outerjoin(begun, begun.id == RecordRow.begun_by)
            .where(records.of_facts(facts[begin : begin + PART]))
            .order_by(RecordRow.id)
        )
        for fact, until_us, ended_by, begun_by, is_pending in connection.execute(every):  # the newest has the last word
            for known in by_fact[fact]:
                known.undone = until_us is not None and ended_by == Action.UNDO.value
                known.pending = until_us is None and bool(is_pending) and begun_by not in _BY_PERSON


def _add_sightings(
    connection: Connection, by_fact: dict[int, Known], within: _Within, read_in: Callable[[int], str]
) -> None:
    """The ids under which facts were met again, and the readings of files in which, in imports that stand."""
    standing = select(RecordRow.fact).where(within(RecordRow.fingerprint))
    archived = select(ArchivedFact.fact).where(within(ArchivedFact.fingerprint))
    rows = connection.execute(
        select(Sighting.fact, Sighting.supplier_id, Sighting.import_id).where(
            Sighting.fact.in_(standing.union_all(archived))
        )
    )
    for fact, supplier_id, import_id in rows.all():
        if fact not in by_fact:  # of the import that is left out
            continue
        by_fact[fact].supplier_ids.update({supplier_id} - {""})
        by_fact[fact].readings.update({read_in(import_id)} - {""})
