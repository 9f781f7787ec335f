"""What a mart's facts should be: those of the main store that are selected, as the selection lets them be seen."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, not_, or_, select

from appliance.archiving.summaries import adds_up
from appliance.derive import sums as sums_of
from appliance.marts.selection import MONTH, TEXTS, Selection
from appliance.store import declared, records
from appliance.store.models import Archive, ImportRow, RecordRow, SourceRow
from appliance.store.records import DATE_ONLY, moment

MAIN_FACT = "main_fact"  # the field that says a fact's number in the main store
FACT, SUM = b"mart", b"sums"  # how the keys begin, by which a mart finds its facts again
_NUMBER_BYTES = 8

Files = Mapping[str, AbstractSet[str]]
Wanted = dict[str, Any]  # a fact's columns, and its "source", "original" and "about" as the main store names them


def key_of(fact: int) -> bytes:
    """The key of a main store's fact; they are ordered as their numbers are."""
    return FACT + fact.to_bytes(_NUMBER_BYTES, "big")


def number_of(key: bytes) -> int:
    """The main store's number of the fact again."""
    return int.from_bytes(key[len(FACT) :], "big")


def keyed(prefix: bytes) -> ColumnElement[bool]:
    """The condition of being the first version of a fact whose key begins so."""
    return RecordRow.fingerprint.between(prefix, prefix + b"\xff" * 16)


def between(first: int, end: int) -> ColumnElement[bool]:
    """The condition of being a version of a fact numbered in [first, end), in the form that an index finds."""
    own = and_(RecordRow.id >= first, RecordRow.id < end, RecordRow.fact == RecordRow.id)
    return or_(own, and_(RecordRow.fact >= first, RecordRow.fact < end, RecordRow.fact != RecordRow.id))


def facts(connection: Connection, selection: Selection, which: ColumnElement[bool]) -> dict[bytes, Wanted]:
    """Of the facts for which a condition holds, those that are selected, by their keys."""
    files = _left_behind(connection, selection)
    return {key_of(row.fact): _of_fact(row, selection, files) for row in _selected(connection, selection, which)}


def _selected(connection: Connection, selection: Selection, which: ColumnElement[bool]) -> Iterator[Row[Any]]:
    found = (
        select(RecordRow.__table__, SourceRow.name, SourceRow.title.label("source_title"), ImportRow.sha256)
        .join(SourceRow, SourceRow.id == RecordRow.source_id)
        .outerjoin(ImportRow, ImportRow.id == RecordRow.import_id)
        .where(RecordRow.until_us.is_(None), which, selection.condition())
    )
    for row in connection.execute(found, execution_options={"yield_per": 1000}):
        if selection.takes_day(selection.day_of(row.at_us, row.zone)):
            yield row


def _left_behind(connection: Connection, selection: Selection) -> Files:
    """The fields that name files, by kind, where files do not come along."""
    if selection.with_originals:
        return {}
    return {name: frozenset(kind.files) for name, kind in declared.every(connection).items() if kind.files}


def _kept(row: Row[Any], selection: Selection, files: Files) -> dict[str, str]:
    without = files.get(row.kind, frozenset())
    return {name: value for name, value in row.fields.items() if selection.keeps(name) and name not in without}


def _of_fact(row: Row[Any], selection: Selection, files: Files) -> Wanted:
    original = row.import_id is not None and selection.with_originals
    return {
        **_common(row, selection),
        "at_us": row.at_us,
        "zone": row.zone,
        "amount_e6": row.amount_e6 if selection.keeps("amount") else None,
        "fields": {**_kept(row, selection, files), MAIN_FACT: str(row.fact)},
        "import_id": row.import_id if original else None,
        "first": row.first if original else None,
        "length": row.length if original else None,
        "about": row.about,
    }


def _common(row: Row[Any], selection: Selection) -> Wanted:
    texts = {name: getattr(row, name) if selection.keeps(name) else "" for name in TEXTS}
    return {
        "kind": row.kind,
        "provenance": row.provenance,
        "source": (row.name, row.source_title),
        "unit": row.unit if selection.keeps("unit") else "",
        **texts,
    }


# ---- sums ----


def sums(connection: Connection, selection: Selection) -> dict[bytes, Wanted]:
    """The facts that are selected, added up: those of one day or month that are alike in what is kept are one."""
    told = sums_of.told(connection).subquery()
    once = RecordRow.fact.not_in(select(told.c.fact).where(not_(told.c.counts)))
    known, files = declared.every(connection), _left_behind(connection, selection)
    groups: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in _selected(connection, selection, once):
        total = groups[_group(row, selection, files)]
        total[0] += 1
        if adds_up(row.kind, known):
            total[1] += row.amount_e6 is not None
            total[2] += row.amount_e6 or 0
    return {_sum_key(group): _sum(group, total, selection) for group, total in groups.items()}


def _group(row: Row[Any], selection: Selection, files: Files) -> str:
    day = selection.day_of(row.at_us, row.zone)
    if day and selection.granularity == MONTH:
        day = day.replace(day=1)
    said = [day.isoformat() if day else "", _common(row, selection), _kept(row, selection, files)]
    return json.dumps(said, sort_keys=True)


def _sum_key(group: str) -> bytes:
    return SUM + hashlib.blake2b(group.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _sum(group: str, total: Sequence[int], selection: Selection) -> Wanted:
    count, with_amount, amount_e6 = total
    day, common, said = json.loads(group)
    at_us, zone = moment(date.fromisoformat(day)) if day else (0, "")
    return {
        **common,
        "source": tuple(common["source"]),
        "title": common["title"] or f"{count} fact{'' if count == 1 else 's'}",
        "at_us": at_us,
        "zone": zone,
        "amount_e6": amount_e6 if with_amount and selection.keeps("amount") else None,
        "fields": {**said, "facts": str(count)},
        "import_id": None,
        "first": None,
        "length": None,
        "about": None,
    }


def archived_months(connection: Connection) -> dict[str, list[tuple[int, int]]]:
    """Of each kind the spans, in microseconds and whole months, whose facts lie in archives."""
    spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for each in connection.execute(select(Archive.__table__).where(Archive.attached_us.is_(None))):
        first = date.fromisoformat(records.at_text(each.first_us, DATE_ONLY)).replace(day=1)
        spans[each.kind].append((moment(first)[0], each.end_us))
    return spans


def there(connection: Connection, numbers: Sequence[int]) -> set[int]:
    """Of these facts, those that the main store has in any version."""
    return set(connection.execute(select(RecordRow.fact).where(records.of_facts(numbers)).distinct()).scalars())
