"""How a row of a store's table is written as a JSON object, and read again.

A time is an ISO instant in UTC (`at_us` becomes "at"), an amount an exact decimal (`amount_e6`: "amount"), a digest
hexadecimal, a source its name, `first` and `length` together "span"; all else is as it is in the table.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import JSON, Column, Connection, Row, Select, Table, Text, select

from appliance.store import models
from appliance.store.links import PERSON
from appliance.store.records import DATE_ONLY, amount_of, at_text, moment, scaled

_KEYS = {"amount_e6": "amount", "source_id": "source", "import_id": "import"}
_INT64 = 1 << 63


@dataclass(frozen=True, slots=True)
class Carried:
    """A table that an export holds as one file, in the order of these columns."""

    table: type[models.Table]
    order: tuple[str, ...]
    without: frozenset[str] = frozenset()  # columns that are of this box alone
    which: Any = None  # the condition of being carried

    @property
    def name(self) -> str:
        return str(self.table.__tablename__)

    @property
    def file(self) -> str:
        return f"{self.name}.jsonl"


# In the order in which they are returned: a row after those that it names.
BEFORE_FACTS = (
    Carried(models.Setting, ("name",)),
    Carried(models.SourceRow, ("id",)),
    Carried(models.Gap, ("id",)),
    Carried(models.Original, ("sha256",)),
    Carried(models.ImportRow, ("id",)),
    Carried(models.Reject, ("id",)),
    Carried(models.Change, ("id",)),
    Carried(models.DeclaredKind, ("name",)),
    Carried(models.Policy, ("kind",)),
    Carried(models.FeedRow, ("id",), frozenset({"sealed", "next_us", "failures"})),  # no secret leaves the store
    Carried(models.NoticeRow, ("id",)),
    Carried(models.MailerRow, ("name",), frozenset({"sealed", "failures"})),
    Carried(models.Deletion, ("id",)),
)
AFTER_FACTS = (
    Carried(models.Sighting, ("import_id", "first", "fact")),
    Carried(models.Link, ("one", "other"), which=models.Link.rule == PERSON),  # a rule finds its own again
    Carried(models.Verification, ("id",)),
    Carried(models.ReferenceSet, ("name",)),
    Carried(models.ReferenceRow, ("name", "key", "from_day")),
    Carried(models.Forgotten, ("digest",)),
    Carried(models.Mart, ("name",)),
)
SERIES = Carried(models.Series, ("id",))  # each with the names of its files
AFTER_SERIES = (Carried(models.Thinning, ("series_id",)),)
ARCHIVES = Carried(models.Archive, ("id",), frozenset({"file", "size", "sha256"}))  # those of the encrypted file
OF_ARCHIVES = (
    Carried(models.ArchivedFact, ("fact",)),
    Carried(models.Summary, ("archive_id", "month", "account", "unit")),
)


def every(connection: Connection, carried: Carried) -> Iterator[dict[str, Any]]:
    """The rows of a table in their order, as JSON objects."""
    named, columns = source_names(connection), carried.table.__table__.c
    found = select(*columns).order_by(*(by_bytes(connection, columns[name]) for name in carried.order))
    if carried.which is not None:
        found = found.where(carried.which)
    for row in streamed(connection, found):
        yield encoded(carried.table, row, named, carried.without)


def streamed(connection: Connection, found: Select[Any]) -> Iterator[Row[Any]]:
    """Rows, a thousand at a time."""
    yield from connection.execute(found, execution_options={"yield_per": 1000})


def by_bytes(connection: Connection, column: Any) -> Any:
    """The column to order by: a text by its bytes, whatever the language of a PostgreSQL database."""
    is_text = isinstance(column.type, Text) and connection.dialect.name == "postgresql"
    return column.collate("C") if is_text else column


def source_names(connection: Connection) -> dict[int, str]:
    """Each source's name, by its number."""
    rows = connection.execute(select(models.SourceRow.id, models.SourceRow.name))
    return {number: name for number, name in rows}  # noqa: C416 - mypy takes no rows for pairs


def encoded(
    table: type[models.Table], row: Any, sources: Mapping[int, str], without: AbstractSet[str] = frozenset()
) -> dict[str, Any]:
    """A row of a table, which has its columns as attributes, as a JSON object."""
    said: dict[str, Any] = {}
    for column in _columns(table, without):
        name, value = column.name, getattr(row, column.name)
        if name == "first" and "length" in table.__table__.c:
            said["span"] = None if value is None else [value, row.length]
        elif name != "length":
            said[_key(column)] = _open(name, value, row, sources)
    return said


def _columns(table: type[models.Table], without: AbstractSet[str]) -> Iterator[Column[Any]]:
    return (column for column in cast(Table, table.__table__).columns if column.name not in without)


def _key(column: Column[Any]) -> str:
    if column.name == "sha256" and column.foreign_keys:
        return "original"
    return _KEYS.get(column.name, column.name.removesuffix("_us"))


def _open(name: str, value: Any, row: Any, sources: Mapping[int, str]) -> Any:
    if value is None:
        return None
    if name == "at_us":
        return at_text(value, getattr(row, "zone", "+00:00"))
    if name.endswith("_us"):
        return at_text(value)
    if name == "amount_e6":
        return format(amount_of(value) or 0, "f")
    if name == "source_id":
        return sources[value]
    return value.hex() if isinstance(value, bytes) else value


def decoded(
    table: type[models.Table], said: Any, sources: Mapping[str, int], without: AbstractSet[str] = frozenset()
) -> dict[str, Any]:
    """The columns of a row again. ValueError, which says what is wrong, where it is no such row."""
    if not isinstance(said, dict):
        raise ValueError("this is not a JSON object")
    row: dict[str, Any] = {}
    for column in _columns(table, without):
        name = column.name
        if name == "first" and "length" in table.__table__.c:
            row["first"], row["length"] = _span(said, column)
        elif name != "length":
            row[name] = _closed(column, _needed(said, _key(column)), said, sources)
    return row


def _needed(said: Mapping[str, Any], key: str) -> Any:
    if key not in said:
        raise ValueError(f'it has no "{key}"')
    return said[key]


def _span(said: Mapping[str, Any], column: Column[Any]) -> tuple[int | None, int | None]:
    span = _needed(said, "span")
    if span is None and column.nullable:
        return None, None
    if not isinstance(span, list) or len(span) != 2 or not all(map(_is_whole, span)):
        raise ValueError('"span" is not two whole numbers')
    return span[0], span[1]


def _closed(column: Column[Any], value: Any, said: Mapping[str, Any], sources: Mapping[str, int]) -> Any:
    name = column.name
    if value is None:
        if not column.nullable:
            raise ValueError(f'"{name}" is empty')
        return None
    if name.endswith("_us"):
        return _instant_us(value, str(said.get("zone", "+00:00")) if name == "at_us" else "+00:00")
    if name == "amount_e6":
        return _amount_e6(value)
    if name == "source_id":
        if value not in sources:
            raise ValueError(f"its source {value!r} is not in sources.jsonl")
        return sources[value]
    return _typed(column, value)


def _typed(column: Column[Any], value: Any) -> Any:
    if isinstance(column.type, JSON):
        if isinstance(value, dict | list) and (column.name != "fields" or _is_texts(value)):
            return value
        raise ValueError(f'"{column.name}" is {value!r}'[:200])
    wanted = column.type.python_type
    if wanted is bytes and isinstance(value, str):
        return bytes.fromhex(value)
    if wanted is int and _is_whole(value):
        return value
    if wanted is bool and isinstance(value, bool):
        return value
    if wanted is str and isinstance(value, str) and "\0" not in value:
        value.encode()  # half a character is no text: UnicodeEncodeError, a ValueError
        return value
    raise ValueError(f'"{column.name}" is {value!r}'[:200])


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_INT64 <= value < _INT64


def _instant_us(value: Any, zone: str) -> int:
    if not zone and value == "":
        return 0
    at = datetime.fromisoformat(str(value))
    if zone == DATE_ONLY and at.tzinfo is None:
        return moment(at.date())[0]
    if at.tzinfo is None:
        raise ValueError(f"{value!r} is not a time in UTC")
    return moment(at)[0]


def _amount_e6(value: Any) -> int | None:
    try:
        return scaled(Decimal(value)) if isinstance(value, str) else scaled(None)
    except (InvalidOperation, OverflowError):
        raise ValueError(f"{value!r} is not an amount") from None


# ---- archives: rows of several tables in one file, each with the name of its own ----

_TABLES = {
    each.__tablename__: each
    for each in (models.RecordRow, models.Attribute, models.Link, models.EventFact, models.Verification)
}


def archived(line: Mapping[str, Any], sources: Mapping[int, str]) -> dict[str, Any]:
    """A line of an archive as a JSON object."""
    return {"in": line["in"], **encoded(_TABLES[line["in"]], SimpleNamespace(**line), sources)}


def unarchived(said: Any, sources: Mapping[str, int]) -> dict[str, Any]:
    """A line of an archive again. ValueError where it is none."""
    if not isinstance(said, dict) or said.get("in") not in _TABLES:
        raise ValueError("this is not a line of an archive")
    row = decoded(_TABLES[said["in"]], said, sources)
    return {"in": said["in"], **{name: each.hex() if isinstance(each, bytes) else each for name, each in row.items()}}
