"""What archived facts come to: by month, account and unit, so that a sum over years still says where the rest is.

A month's sum is that of its own archive, kind and account, as `records --sum --kind KIND` sums: an event that several
facts of the kind tell of is counted once among those of one archive. What another kind, the store or another archive
tells of the same event is not looked at, since any of them may go or come back when these facts lie still.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, select

from appliance import kinds
from appliance.archiving.contents import batches
from appliance.derive import sums
from appliance.kinds import Kind
from appliance.store import declared, records
from appliance.store.models import Archive, EventFact, RecordRow, Summary
from appliance.store.records import DATE_ONLY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER_US = records.moment(date(9999, 12, 31))[0]


@dataclass(frozen=True, slots=True)
class Summed:
    """Archived facts of one kind, month (as in 2019-07), account and unit: how many, and what they come to."""

    archive: int
    kind: str
    month: str
    account: str
    unit: str
    facts: int
    amount: Decimal | None  # none where the amounts of a kind do not add up


def adds_up(kind: str, known: Mapping[str, Kind] | None = None) -> bool:
    """Whether amounts of a kind can be added: those of balances cannot. `known`: the kinds of a store, by name."""
    found = kinds.named(kind) if known is None else known.get(kind)
    return found is None or found.counted


class Sums:
    """Adds up the facts of one kind on their way into an archive. Months are those of `zone`, or as said."""

    def __init__(self, connection: Connection, kind: str, facts: list[int], zone: tzinfo) -> None:
        self._kind, self._zone = kind, zone
        self._adds_up = adds_up(kind, declared.every(connection))
        self._repeated = _repeated(connection, kind, facts)
        self._sums: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
        self.first_us = _NEVER_US  # of the oldest of them

    def add(self, row: Mapping[str, Any]) -> None:
        """A version; only what stands counts, and an event of several facts once."""
        if row["kind"] != self._kind:
            return
        if row["zone"]:
            self.first_us = min(self.first_us, row["at_us"])
        if row["until_us"] is not None:
            return
        total = self._sums[month_of(row["at_us"], row["zone"], self._zone), row["account"], row["unit"]]
        total[0] += 1
        if self._adds_up and row["fact"] not in self._repeated:
            total[1] += row["amount_e6"] or 0

    def keep(self, connection: Connection, archive_id: int) -> None:
        rows = [
            {
                "archive_id": archive_id,
                "month": month,
                "account": account,
                "unit": unit,
                "facts": facts,
                "amount_e6": e6,
            }
            for (month, account, unit), (facts, e6) in sorted(self._sums.items())
        ]
        if rows:
            connection.execute(insert(Summary), rows)


def _repeated(connection: Connection, kind: str, facts: list[int]) -> set[int]:
    """Facts of this kind that do not count, as others among them tell of the event: those of the first one's source."""
    inside, repeated = set(facts), set[int]()
    told: dict[int, dict[int, Any]] = defaultdict(dict)
    for part in batches(facts):
        which = EventFact.event.in_(select(EventFact.event).where(EventFact.fact.in_(part)))
        for row in connection.execute(sums.told(connection, which, RecordRow.kind == kind)):
            if row.fact in inside:
                told[row.event][row.fact] = row
    for rows in told.values():
        first, seen = next(iter(rows.values())), set[int]()
        for row in rows.values():
            if row.source_id != first.source_id or row.one in seen:
                repeated.add(row.fact)
            seen.add(row.one)
    return repeated


def month_of(at_us: int, zone_said: str, zone: tzinfo) -> int:
    """Months since January 1970: of the day that was said, or of a time as `zone` has it."""
    at = _EPOCH + timedelta(microseconds=at_us)
    local = at if zone_said == DATE_ONLY else at.astimezone(zone)
    return (local.year - 1970) * 12 + local.month - 1


def month_text(month: int) -> str:
    """As in 2019-07."""
    return f"{1970 + month // 12}-{month % 12 + 1:02}"


def first_day(month: int) -> date:
    """The day on which a month begins."""
    return date(1970 + month // 12, month % 12 + 1, 1)


def every(connection: Connection) -> list[Summed]:
    """What is archived, by kind, month, account and unit."""
    found = select(Summary.__table__, Archive.kind).join(Archive, Archive.id == Summary.archive_id)
    known = declared.every(connection)
    rows = connection.execute(found.order_by(Archive.kind, Summary.month, Summary.account, Summary.unit))
    return [
        Summed(
            each.archive_id,
            each.kind,
            month_text(each.month),
            each.account,
            each.unit,
            each.facts,
            (records.amount_of(each.amount_e6) or Decimal(0)) if adds_up(each.kind, known) else None,
        )
        for each in rows
    ]


def by_year(summed: Iterable[Summed]) -> dict[tuple[str, str], list[Summed]]:
    """The same by kind and year, for saying how much of a year is archived."""
    years: dict[tuple[str, str], list[Summed]] = defaultdict(list)
    for each in summed:
        years[each.kind, each.month[:4]].append(each)
    return dict(years)


def said(connection: Connection, kind: str = "") -> list[str]:
    """What a sum must say beside it, as in: 1,204 facts of 2019 are archived (money.transaction)."""
    years = by_year(each for each in every(connection) if not kind or each.kind == kind)
    return [_sentence(sum(each.facts for each in months), year, name) for (name, year), months in sorted(years.items())]


def in_all(connection: Connection, kind: str = "", year: str = "") -> str:
    """The same in one sentence, as in: 2,310 facts of 2018 to 2019 are archived; "" where none is."""
    asked = [each for each in every(connection) if kind in ("", each.kind) and year in ("", each.month[:4])]
    years, names = sorted({each.month[:4] for each in asked}), sorted({each.kind for each in asked})
    if not asked:
        return ""
    when = years[0] if len(years) == 1 else f"{years[0]} to {years[-1]}"
    return _sentence(sum(each.facts for each in asked), when, ", ".join(names))


def _sentence(facts: int, year: str, kind: str) -> str:
    return f"{facts:,} fact{' of' if facts == 1 else 's of'} {year} {'is' if facts == 1 else 'are'} archived ({kind})"
