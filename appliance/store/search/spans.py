"""What a query asks beside words and groups, as conditions of SQL on a fact's key."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal

from appliance.store.query import Query
from appliance.store.search import amounts, keys

_ANY_OFFSET = timedelta(days=1)  # no zone is farther from UTC
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition and its parameters."""

    sql: str
    parameters: dict[str, int]


def key_span(query: Query) -> tuple[int, int]:
    """The lowest key that a query may ask for, and the lowest after them. FTS5 begins reading at one bound, whichever
    of several it is told first, and looks at every hit from there on: so there is one.
    """
    low, end = (keys.LOWEST, keys.HIGHEST) if query.year is None else keys.span(query.year)
    if query.first_day:
        low = max(low, _begins(query.first_day - _ANY_OFFSET, UTC)[0])
    if query.last_day:
        end = min(end, _begins(query.last_day + 2 * _ANY_OFFSET, UTC)[0])
    return low, end


def conditions(query: Query, key: str) -> list[Condition]:
    """What a query asks beside that span of keys; `key` is the name of the key's column."""
    return [*_days(query, key), *_others(query, f"({key} & {keys.NUMBER})")]


def _days(query: Query, key: str) -> Iterator[Condition]:
    if query.first_day:
        said, local = _begins(query.first_day, query.zone)
        yield Condition(f"{key} >= {_either(key, 'first')}", {"first_said": said, "first_local": local})
    if query.last_day:
        said, local = _begins(query.last_day + timedelta(days=1), query.zone)
        yield Condition(f"{key} < {_either(key, 'last')}", {"last_said": said, "last_local": local})


def _either(key: str, name: str) -> str:
    """Where a day begins: as written for a bare date, at local midnight for a time."""
    return f"CASE WHEN {key} & {keys.DATE_ONLY} <> 0 THEN :{name}_said ELSE :{name}_local END"


def _begins(day: date, zone: tzinfo) -> tuple[int, int]:
    return _key(datetime(day.year, day.month, day.day, tzinfo=UTC)), _key(
        datetime(day.year, day.month, day.day, tzinfo=zone)
    )


def _key(at: datetime) -> int:
    return keys.first_of((at - _EPOCH) // timedelta(microseconds=1))


def _others(query: Query, number: str) -> Iterator[Condition]:
    for name in ("import_id", "about"):
        if (said := getattr(query, name)) is not None:
            yield Condition(f"{number} IN (SELECT id FROM records WHERE {name} = :{name})", {name: said})  # noqa: S608


def amount_span(query: Query) -> tuple[int, int] | None:
    """The lowest and highest amount that a query asks for, in 10^-6; None where it asks for none."""
    if query.lowest is None and query.highest is None and query.band is None:
        return None
    low, high = (0, amounts.MOST_E6) if query.band is None else amounts.span_e6(query.band)
    if query.lowest is not None and query.lowest > 0:
        low = max(low, _e6(query.lowest))
    if query.highest is not None:
        high = min(high, _e6(query.highest))
    return low, high


def _e6(amount: Decimal) -> int:
    return min(int(abs(amount).scaleb(6)), amounts.MOST_E6)
