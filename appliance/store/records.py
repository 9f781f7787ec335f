"""Records as a store keeps them: each version of each fact, written in bulk, with where it came from."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Row, Select, and_, func, insert, or_, select

from appliance.records import Record
from appliance.store import search
from appliance.store.models import Deletion, ImportRow, RecordRow, Setting, Sighting, SourceRow

Columns = dict[str, Any]

MONEY_SCALE = 6
DATE_ONLY = "date"
_JSON = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps makes an encoder a row
HIGHEST_ARCHIVED = "highest archived"  # the setting that keeps the highest number until then
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stored:
    """A version of a fact with its identity and lineage. `at` is an ISO instant in UTC or a bare date, "" for none.

    `id` is the fact's number, `version` this version's. What a person said has no import and no original. `since` and
    `until` say when it was believed; `until` is "" while it stands.
    """

    id: int
    version: int
    kind: str
    at: str
    title: str
    party: str
    account: str
    amount: Decimal | None
    unit: str
    memo: str
    provenance: str
    supplier_id: str
    source: str
    import_id: int | None
    original: str
    first: int | None
    length: int | None
    fields: dict[str, str]
    decision: str
    about: int | None
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A record met again in another original, and why it was taken for the same."""

    import_id: int
    first: int
    length: int
    original: str
    supplier_id: str
    decision: str


def moment(at: date | datetime | None) -> tuple[int, str]:
    """A time as its columns: microseconds since 1970 UTC, and the offset it was said in, "date", or "" for none.

    OverflowError where it lies before the year 1 or after 9999 in UTC.
    """
    if at is None:
        return 0, ""
    if isinstance(at, datetime):
        offset = at.utcoffset() or timedelta(0)
        return (at.astimezone(UTC) - _EPOCH) // _MICROSECOND, _offset_text(offset)
    return (datetime(at.year, at.month, at.day, tzinfo=UTC) - _EPOCH) // _MICROSECOND, DATE_ONLY


def _offset_text(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def at_text(at_us: int, zone: str = "+00:00") -> str:
    """An ISO instant in UTC, a bare date, or "" where no time was said, from the columns."""
    if not zone:
        return ""
    at = _EPOCH + timedelta(microseconds=at_us)
    return at.date().isoformat() if zone == DATE_ONLY else at.isoformat().replace("+00:00", "Z")


def scaled(amount: Decimal | None) -> int | None:
    """An amount in 10^-6 of its unit. ValueError where it has more decimals or is out of range."""
    if amount is None:
        return None
    shifted = amount.scaleb(MONEY_SCALE)
    whole = int(shifted)
    if whole != shifted or abs(whole) >= 1 << 63:
        raise ValueError(f"{amount} has more than {MONEY_SCALE} decimals or is out of range")
    return whole


def amount_of(amount_e6: int | None) -> Decimal | None:
    """The amount again, with at least two decimals and no more than it needs."""
    if amount_e6 is None:
        return None
    amount = Decimal(amount_e6).scaleb(-MONEY_SCALE)
    return amount.quantize(Decimal("0.01")) if amount_e6 % 10_000 == 0 else amount.normalize()


def columns(record: Record) -> dict[str, Any]:
    """What a record says, as columns. ValueError of an amount that cannot be exact, OverflowError of a time too far."""
    at_us, zone = moment(record.at)
    record = _without_nul(record)
    return {
        "kind": record.kind,
        "at_us": at_us,
        "zone": zone,
        "title": record.title,
        "party": record.party,
        "account": record.account,
        "amount_e6": scaled(record.amount),
        "unit": record.unit,
        "memo": record.memo,
        "provenance": record.provenance.value,
        "supplier_id": record.supplier_id,
        "fields": dict(record.fields),
    }


def row(record: Record, source_id: int, import_id: int, since_us: int, fingerprint: bytes, decision: str) -> Columns:
    """A record that an import brings, as its columns; `add` numbers it."""
    return columns(record) | {
        "source_id": source_id,
        "import_id": import_id,
        "first": record.span.first,
        "length": record.span.length,
        "fingerprint": fingerprint,
        "decision": decision,
        "about": None,
        "since_us": since_us,
        "begun_by": None,
    }


_TEXTS = ("title", "party", "account", "unit", "memo", "supplier_id")


def _without_nul(record: Record) -> Record:
    """The record, with NUL characters replaced: PostgreSQL takes none in a text. The original keeps them."""
    texts = (record.title, record.party, record.account, record.unit, record.memo, record.supplier_id)
    if "\0" not in "".join((*texts, *record.fields.values())):
        return record
    plain: dict[str, Any] = {name: _storable(text) for name, text in zip(_TEXTS, texts, strict=True)}
    return replace(record, **plain, fields={name: _storable(text) for name, text in record.fields.items()})


def _storable(text: str) -> str:
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def next_id(connection: Connection) -> int:
    """The number of the next version: no number is given twice, though its fact was deleted or lies in an archive."""
    highest = connection.execute(select(func.max(RecordRow.id))).scalar_one() or 0
    deleted = connection.execute(select(func.max(Deletion.highest_record))).scalar_one() or 0
    said = connection.execute(select(Setting.value).where(Setting.name == HIGHEST_ARCHIVED)).scalar_one_or_none()
    return 1 + max(int(highest), int(deleted), int(said or 0))


def add(connection: Connection, rows: Sequence[Columns]) -> int:
    """Stores facts, or versions where a row names its `fact`, with consecutive numbers; the first of these."""
    begin = next_id(connection)
    if not rows:
        return begin
    for number, row in enumerate(rows, begin):  # in place: copying each costs an import a fortieth of its time
        row["id"] = number
        row.setdefault("fact", number)
    put(connection, rows)
    return begin


def put(connection: Connection, rows: Sequence[Columns]) -> None:
    """Stores versions under the numbers that they have, and lets search find those that stand.

    Handed to the driver as they are: SQLAlchemy's own way spends half of an import on each row.
    """
    statement = insert(RecordRow).compile(dialect=connection.dialect, column_keys=list(rows[0]))
    ready: Sequence[Any] = [{**row, "fields": _JSON(row["fields"])} for row in rows]
    if names := getattr(statement, "positiontup", None):
        ready = list(map(itemgetter(*names), ready))
    connection.exec_driver_sql(str(statement), ready)
    search.add(connection, rows)


def add_sightings(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Stores that records were met again."""
    if rows:
        connection.execute(insert(Sighting), rows)


def numbered(connection: Connection, versions: Sequence[int]) -> list[Stored]:
    """Versions by their numbers, in the order in which they are named."""
    found = connection.execute(_joined().where(RecordRow.id.in_(versions)))
    by_number = {each.version: each for each in map(stored, found)}
    return [by_number[each] for each in versions]


def one(connection: Connection, fact: int, as_of: datetime | None = None) -> Stored | None:
    """What is (or was, at an instant) believed of a fact; None where nothing is."""
    found = connection.execute(selected(as_of).where(of_facts([fact]))).one_or_none()
    return stored(found) if found else None


def versions(connection: Connection, fact: int) -> list[Stored]:
    """Every version of a fact, oldest first; the last may have ended too."""
    return list(map(stored, connection.execute(_joined().where(of_facts([fact])).order_by(RecordRow.id))))


def of_facts(facts: Sequence[int] | Select[Any] | CompoundSelect[Any]) -> ColumnElement[bool]:
    """The condition of being a version of one of these facts, in the form that an index finds."""
    first = RecordRow.id.in_(facts) & (RecordRow.fact == RecordRow.id)
    return or_(first, RecordRow.fact.in_(facts) & (RecordRow.fact != RecordRow.id))


def sightings(connection: Connection, fact: int) -> list[Seen]:
    """Where else a fact was met."""
    found = (
        select(Sighting, ImportRow.sha256)
        .join(ImportRow, ImportRow.id == Sighting.import_id)
        .where(Sighting.fact == fact)
        .order_by(Sighting.import_id, Sighting.first, Sighting.fact)
    )
    return [
        Seen(each.import_id, each.first, each.length, each.sha256 or "", each.supplier_id, each.decision)
        for each in connection.execute(found)
    ]


def every_sighting(connection: Connection) -> Iterator[dict[str, Any]]:
    """Every sighting of every fact, as exports say it."""
    rows = connection.execution_options(yield_per=1000).execute(
        select(Sighting.__table__).order_by(Sighting.import_id, Sighting.first, Sighting.fact)
    )
    for row in rows:
        each = dict(row._mapping)
        yield {"record": each.pop("fact"), "import": each.pop("import_id"), **each}


def selected(as_of: datetime | None = None) -> Select[Any]:
    """The versions that stand, or that were believed at an instant, for `stored`."""
    return _joined().where(believed(as_of))


def believed(as_of: datetime | None = None) -> ColumnElement[bool]:
    """The condition of being a version that stands, or that was believed at an instant."""
    if as_of is None:
        return RecordRow.until_us.is_(None)
    at_us = moment(as_of)[0]
    return and_(RecordRow.since_us <= at_us, or_(RecordRow.until_us.is_(None), RecordRow.until_us > at_us))


@cache  # to put it together takes longer than to ask it
def _joined() -> Select[Any]:
    return (
        select(RecordRow, SourceRow.name.label("source"), ImportRow.sha256.label("original"))
        .with_only_columns(*RecordRow.__table__.c, SourceRow.name.label("source"), ImportRow.sha256.label("original"))
        .join(SourceRow, SourceRow.id == RecordRow.source_id)
        .outerjoin(ImportRow, ImportRow.id == RecordRow.import_id)
    )


def stored(each: Row[Any]) -> Stored:
    """A row of `selected`."""
    return Stored(
        id=each.fact,
        version=each.id,
        kind=each.kind,
        at=at_text(each.at_us, each.zone),
        title=each.title,
        party=each.party,
        account=each.account,
        amount=amount_of(each.amount_e6),
        unit=each.unit,
        memo=each.memo,
        provenance=each.provenance,
        supplier_id=each.supplier_id,
        source=each.source,
        import_id=each.import_id,
        original=each.original or "",
        first=each.first,
        length=each.length,
        fields=each.fields,
        decision=each.decision,
        about=each.about,
        since=at_text(each.since_us),
        until="" if each.until_us is None else at_text(each.until_us),
    )


def first_day_kept(today: date, months: int) -> date:
    """The first day of the month that so many whole months lie after: a policy sees to what is older."""
    month = today.year * 12 + today.month - 1 - months
    return date(max(1, month // 12), month % 12 + 1, 1)


def local_day(at: date | datetime | None) -> int:
    """The day that was said, as days since 1970; 0 where none was."""
    if at is None:
        return 0
    said = at.date() if isinstance(at, datetime) else at
    return (said - date(1970, 1, 1)).days
