"""Records as a store keeps them: written in bulk, read by page, each with where it came from."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, insert, or_, select, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from appliance.records import Record
from appliance.store.models import ImportRow, RecordRow, Sighting, SourceRow

MONEY_SCALE = 6
DATE_ONLY = "date"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ANY_OFFSET = timedelta(days=1)  # no zone is farther from UTC
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stored:
    """A record with its identity and lineage. `at` is an ISO instant in UTC or a bare date, "" where none was said."""

    id: int
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
    import_id: int
    original: str
    first: int
    length: int
    fields: dict[str, str]
    decision: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A record met again in another original, and why it was taken for the same."""

    import_id: int
    first: int
    length: int
    original: str
    supplier_id: str
    decision: str


@dataclass(frozen=True, slots=True)
class Query:
    """What to show; an empty field asks nothing. `search` is looked for in title, party, memo and account.

    Days are those of `zone` for a fact that has a time, and as said for one that has only a date.
    """

    kind: str = ""
    source: str = ""
    account: str = ""
    search: str = ""
    first_day: date | None = None
    last_day: date | None = None
    import_id: int | None = None
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, newest first, and the cursor of the next page ("" at the end)."""

    records: list[Stored]
    after: str


@dataclass(frozen=True, slots=True)
class Facets:
    """What a person can filter by."""

    kinds: list[str]
    sources: list[str]
    accounts: list[str]
    count: int


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


def row(record: Record, source_id: int, import_id: int, fingerprint: bytes, decision: str) -> dict[str, Any]:
    """A record as its columns."""
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
        "source_id": source_id,
        "import_id": import_id,
        "first": record.span.first,
        "length": record.span.length,
        "fingerprint": fingerprint,
        "decision": decision,
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


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Stores records. Handed to the driver as they are: SQLAlchemy's own way spends half of an import on each row."""
    if not rows:
        return
    statement = insert(RecordRow).compile(dialect=connection.dialect, column_keys=list(rows[0]))
    ready: Sequence[Any] = [{**row, "fields": json.dumps(row["fields"], ensure_ascii=False)} for row in rows]
    if names := getattr(statement, "positiontup", None):
        ready = [tuple(map(row.__getitem__, names)) for row in ready]
    connection.exec_driver_sql(str(statement), ready)


def add_sightings(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Stores that records were met again."""
    if rows:
        connection.execute(insert(Sighting), rows)


def page(connection: Connection, query: Query, limit: int = 50, after: str = "") -> Page:
    """At most `limit` records that the query asks for, newest first, from the cursor on."""
    found = _filtered(query).order_by(RecordRow.at_us.desc(), RecordRow.id.desc()).limit(limit + 1)
    if after:
        at_us, _, record_id = after.rpartition("-")  # before 1970 the first number is negative
        found = found.where(tuple_(RecordRow.at_us, RecordRow.id) < tuple_(int(at_us), int(record_id)))
    rows = connection.execute(found).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page([_stored(each) for each in rows[:limit]], f"{last.at_us}-{last.id}" if last else "")


def matching(connection: Connection, query: Query) -> Iterator[Stored]:
    """Every record that the query asks for, newest first."""
    result = connection.execute(
        _filtered(query).order_by(RecordRow.at_us.desc(), RecordRow.id.desc()), execution_options={"yield_per": 1000}
    )
    yield from map(_stored, result)


def one(connection: Connection, record_id: int) -> Stored | None:
    """The record of that number."""
    found = connection.execute(_selected().where(RecordRow.id == record_id)).one_or_none()
    return _stored(found) if found else None


def sightings(connection: Connection, record_id: int) -> list[Seen]:
    """Where else a record was met."""
    found = (
        select(Sighting, ImportRow.sha256)
        .join(ImportRow, ImportRow.id == Sighting.import_id)
        .where(Sighting.record_id == record_id)
        .order_by(Sighting.import_id, Sighting.first)
    )
    return [
        Seen(each.import_id, each.first, each.length, each.sha256 or "", each.supplier_id, each.decision)
        for each in connection.execute(found)
    ]


def facets(connection: Connection) -> Facets:
    """The kinds, sources and accounts that this store's records have, and how many records there are."""
    return Facets(
        kinds=_distinct(connection, select(RecordRow.kind)),
        sources=_distinct(
            connection,
            select(SourceRow.name).where(select(RecordRow.id).where(RecordRow.source_id == SourceRow.id).exists()),
        ),
        accounts=_distinct(connection, select(RecordRow.account).where(RecordRow.account != "")),
        count=connection.execute(select(func.count()).select_from(RecordRow)).scalar_one(),
    )


def every_sighting(connection: Connection) -> Iterator[dict[str, Any]]:
    """Every sighting of every record, as exports say it."""
    rows = connection.execution_options(yield_per=1000).execute(
        select(Sighting.__table__).order_by(Sighting.import_id, Sighting.first)
    )
    for row in rows:
        each = dict(row._mapping)
        yield {"record": each.pop("record_id"), "import": each.pop("import_id"), **each}


def known(connection: Connection, low: bytes, high: bytes) -> Iterable[Any]:
    """Fingerprint, id, supplier's id, unit and original of each record whose fingerprint lies in [low, high]."""
    return connection.execute(
        select(RecordRow.fingerprint, RecordRow.id, RecordRow.supplier_id, RecordRow.unit, ImportRow.sha256)
        .join(ImportRow, ImportRow.id == RecordRow.import_id)
        .where(RecordRow.fingerprint.between(low, high))
    )


def _distinct(connection: Connection, found: Select[Any]) -> list[str]:
    return sorted(connection.execute(found.distinct()).scalars())


def _selected() -> Select[Any]:
    return (
        select(RecordRow, SourceRow.name.label("source"), ImportRow.sha256.label("original"))
        .with_only_columns(*RecordRow.__table__.c, SourceRow.name.label("source"), ImportRow.sha256.label("original"))
        .join(SourceRow, SourceRow.id == RecordRow.source_id)
        .join(ImportRow, ImportRow.id == RecordRow.import_id)
    )


def _filtered(query: Query) -> Select[Any]:
    found = _selected()
    if query.kind:
        found = found.where(RecordRow.kind == query.kind)
    if query.source:
        found = found.where(SourceRow.name == query.source)
    if query.account:
        found = found.where(RecordRow.account == query.account)
    if query.import_id is not None:
        found = found.where(RecordRow.import_id == query.import_id)
    if query.first_day:
        found = found.where(RecordRow.at_us >= _begin(query.first_day, query.zone))
        found = found.where(RecordRow.at_us >= moment(query.first_day - _ANY_OFFSET)[0])  # which an index finds
    if query.last_day:
        found = found.where(RecordRow.at_us < _begin(query.last_day + timedelta(days=1), query.zone))
        found = found.where(RecordRow.at_us < moment(query.last_day + 2 * _ANY_OFFSET)[0])
    if query.search:
        texts = (RecordRow.title, RecordRow.party, RecordRow.memo, RecordRow.account)
        search = query.search.replace("\0", "\N{REPLACEMENT CHARACTER}").lower()
        found = found.where(or_(*(_lowered(text, search).contains(search, autoescape=True) for text in texts)))
    return found


def _begin(day: date, zone: tzinfo) -> ColumnElement[int]:
    """Where a day begins: at local midnight for a time, as written for a bare date."""
    local = moment(datetime(day.year, day.month, day.day, tzinfo=zone))[0]
    return case((RecordRow.zone == DATE_ONLY, moment(day)[0]), else_=local)


def _lowered(text: Any, search: str) -> Any:
    """SQLite's own lower knows ASCII only, and is faster than the one that `database` gives it."""
    return func.lower(text) if search.isascii() else AnyLower(text)


class AnyLower(GenericFunction[str]):
    """Lower case in any script."""

    name = "any_lower"
    inherit_cache = True


@compiles(AnyLower, "postgresql")
def _lower_on_postgresql(element: AnyLower, compiler: Any, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


def _stored(each: Row[Any]) -> Stored:
    return Stored(
        id=each.id,
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
    )


def local_day(at: date | datetime | None) -> int:
    """The day that was said, as days since 1970; 0 where none was."""
    if at is None:
        return 0
    said = at.date() if isinstance(at, datetime) else at
    return (said - date(1970, 1, 1)).days
