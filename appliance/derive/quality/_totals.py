"""Whether what a supplier states as a total agrees with its parts: an order with purchases, a bill with a meter."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Text, cast, select

from appliance.derive import rollups
from appliance.derive.matching import BILL, ORDER, PURCHASE
from appliance.derive.quality._lights import Colour, Light, between, counted
from appliance.derive.rollups import QUARTER_MS
from appliance.store import series as series_store
from appliance.store.models import RecordRow, SourceRow
from appliance.store.records import amount_of
from appliance.store.series import SeriesId

NAME = "agreeing"
MOST_SHOWN = 3
CLOSE = Decimal("0.01")  # a bill's meter is read some hours before or after
DAY_QUARTERS = 96
# By supply: the field of a bill that says what was used, its unit, and the roles of what meters it, whole or in parts.
METERED = {
    "electricity": ("used", "kWh", ("electricity.import",), ("electricity.import.t1", "electricity.import.t2")),
    "gas": ("volume", "m3", ("gas",), ()),
    "water": ("volume", "m3", ("water",), ()),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One total beside its parts, as a person reads it."""

    source: str
    agrees: bool
    why: str


def stated(connection: Connection, zone: tzinfo) -> dict[tuple[str, str], Light]:
    """The light of each source's orders and bills, where there is anything to compare; days are those of `zone`."""
    found: dict[tuple[str, str], list[Compared]] = defaultdict(list)
    for each in _orders(connection):
        found[each.source, ORDER].append(each)
    for each in _bills(connection, zone):
        found[each.source, BILL].append(each)
    return {what: _light(compared, what[1]) for what, compared in found.items()}


def _light(compared: Sequence[Compared], kind: str) -> Light:
    wrong = [each.why for each in compared if not each.agrees]
    if wrong:
        more = f" And {len(wrong) - MOST_SHOWN} more." if len(wrong) > MOST_SHOWN else ""
        step = "Look whether something is missing or twice, or ask the supplier which is right."
        return Light(NAME, Colour.RED, " ".join(wrong[-MOST_SHOWN:]) + more, step)
    count = counted(len(compared), *(("order", "orders") if kind == ORDER else ("bill", "bills")))
    parts = "what was bought" if kind == ORDER else "the meter"
    return Light(NAME, Colour.GREEN, f"Compared with {parts}, {count} agree{'s' if len(compared) == 1 else ''}.")


# ---- orders ----


def _orders(connection: Connection) -> Iterator[Compared]:
    bought: dict[tuple[str, str, str], list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for row, fields in _rows(connection, PURCHASE, "order"):
        amount = amount_of(row.amount_e6) or Decimal(0)
        pieces = _decimal(fields, "quantity") or Decimal(1)
        bought[fields["order"], row.party.casefold(), row.unit].append((amount, amount * pieces))
    for row, fields in _rows(connection, ORDER, "number"):
        things = bought.get((fields["number"], row.party.casefold(), row.unit))
        said = amount_of(row.amount_e6)
        if not things or said is None:
            continue
        discount, delivery = (_decimal(fields, name) or Decimal(0) for name in ("discount", "delivery_cost"))
        whole, by_piece = (sum((each[place] for each in things), Decimal(0)) for place in (0, 1))
        come_to = {
            each - abs(discount) + delivery for each in (whole, by_piece)
        }  # a price is of one, or of all of them
        beside = [f"less {abs(discount):,f} discount"] if discount else []
        beside += [f"plus {delivery:,f} delivery"] if delivery else []
        why = (
            f"Order {fields['number']} of {row.party} says {said:,f} {row.unit}, and its "
            f"{counted(len(things), 'purchase comes', 'purchases come')} to {whole:,f}{', '.join(['', *beside])}."
        )
        yield Compared(row.source, said in come_to, why)


# ---- bills ----


def _bills(connection: Connection, zone: tzinfo) -> Iterator[Compared]:
    every = series_store.every(connection)
    for row, fields in _rows(connection, BILL, "supply"):
        field, unit, *roles = METERED.get(fields["supply"], ("", "", ()))
        said, first, last = _decimal(fields, field), _day(fields, "from"), _day(fields, "until")
        if said is None or first is None or last is None:
            continue
        for source, parts in _meters([each for each in every if each.unit == unit], roles):
            metered = _metered(connection, parts, _quarter(first, zone), _quarter(last + timedelta(days=1), zone))
            if metered is None:
                continue
            agrees = abs(metered - said) <= CLOSE * max(abs(metered), abs(said))
            why = f"the bill of {row.party} says {said:,f} {unit}, and {source} counted {metered:,.2f} {unit}."
            when = between(first, last)
            yield Compared(row.source, agrees, f"{when[0].upper()}{when[1:]} {why}")
            break


def _meters(every: Sequence[SeriesId], roles: Sequence[Sequence[str]]) -> Iterator[tuple[str, list[SeriesId]]]:
    """The registers of each source, of the first of these roles, or sets of them, that it has all of."""
    of: dict[str, dict[str, SeriesId]] = defaultdict(dict)
    for each in every:
        if each.kind == "register":
            of[each.source][each.role] = each
    for source, own in sorted(of.items()):
        whole = next((names for names in roles if names and all(name in own for name in names)), None)
        if whole:
            yield source, [own[name] for name in whole]


def _metered(connection: Connection, parts: Sequence[SeriesId], begin: int, end: int) -> Decimal | None:
    """What registers counted between two quarter-hours; None where one was not read within a day before each."""
    total = Decimal(0)
    for each in parts:
        found = rollups.read(connection, each, begin - DAY_QUARTERS, end)
        if not len(found.quarters) or found.quarters[0] >= begin or found.quarters[-1] < end - DAY_QUARTERS:
            return None
        inside = found.totals[int(np.searchsorted(found.quarters, begin)) :]
        total += Decimal(int(inside.sum())).scaleb(each.exponent)
    return total


def _quarter(day: date, zone: tzinfo) -> int:
    at = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    return int(at.timestamp()) * 1000 // QUARTER_MS


# ---- rows ----


def _rows(connection: Connection, kind: str, field: str) -> Iterator[tuple[Row[Any], dict[str, str]]]:
    """The facts of a kind that stand and have a field, by time, with their fields."""
    columns = (SourceRow.name.label("source"), RecordRow.party, RecordRow.unit, RecordRow.amount_e6)
    text = cast(RecordRow.fields, Text)
    found = select(*columns, text.label("fields")).join(SourceRow, SourceRow.id == RecordRow.source_id)
    found = found.where(RecordRow.kind == kind, RecordRow.until_us.is_(None), text.like(f'%"{field}"%'))
    row: Any
    for row in connection.execute(found.order_by(RecordRow.at_us, RecordRow.fact)):
        fields = json.loads(row.fields)
        if fields.get(field):
            yield row, fields


def _decimal(fields: Mapping[str, str], name: str) -> Decimal | None:
    try:
        return Decimal(fields[name])
    except (KeyError, InvalidOperation):
        return None


def _day(fields: Mapping[str, str], name: str) -> date | None:
    try:
        return date.fromisoformat(fields[name])
    except (KeyError, ValueError):
        return None
