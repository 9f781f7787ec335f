"""What happened at the meters: what rules found that registers did, and what people say of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, select

from appliance.derive import happenings, registers
from appliance.devices import quantity
from appliance.store import timeline
from appliance.store.models import RegisterStep, Series, SourceRow
from appliance.store.query import Query
from appliance.store.records import Stored
from appliance.store.series import SeriesId

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Step:
    """What a rule found at a register: it showed `before`, then `after` at `at_ms`, and `used` is counted for it.

    One that is not sure is for a person to decide.
    """

    source: str
    role: str
    at_ms: int
    what: str
    before: Decimal
    after: Decimal
    used: Decimal
    unit: str

    @property
    def is_sure(self) -> bool:
        return self.what in registers.SURE


def steps(connection: Connection, source: str = "", limit: int = SHOWN) -> list[Step]:
    """What rules found, newest first; of one source where that is named. Those to decide go before the others."""
    table = RegisterStep.__table__.c
    found = (
        select(*table, SourceRow.name, Series.role, Series.unit, Series.exponent)
        .join(Series, Series.id == table.series_id)
        .join(SourceRow, SourceRow.id == Series.source_id)
        .order_by(table.what.in_(registers.SURE), table.at_ms.desc(), Series.role)
    )
    rows = connection.execute((found.where(SourceRow.name == source) if source else found).limit(limit))
    return sorted(map(_step, rows.all()), key=lambda each: -each.at_ms)


def counts(connection: Connection) -> dict[str, int]:
    """Of each source, how much rules found."""
    found = (
        select(SourceRow.name, func.count())
        .select_from(RegisterStep)
        .join(Series, Series.id == RegisterStep.series_id)
        .join(SourceRow, SourceRow.id == Series.source_id)
        .group_by(SourceRow.name)
    )
    rows = connection.execute(found).all()
    return {name: number for name, number in rows}  # noqa: C416 - rows are no pairs to mypy


def _step(row: Any) -> Step:
    before, after, used = (Decimal(each).scaleb(row.exponent) for each in (row.before, row.after, row.used))
    return Step(row.name, row.role, row.at_ms, row.what, before, after, used, row.unit)


def events(connection: Connection, limit: int = 200) -> list[Stored]:
    """What people say happened, newest first."""
    return timeline.page(connection, Query(kind=happenings.KIND), limit).records


def sources_of(record: Stored, every: Iterable[SeriesId]) -> set[str]:
    """The sources at which something that a person says happened."""
    said = record.fields
    if said.get("source"):
        return {said["source"]}
    if said.get("role"):
        return {each.source for each in every if each.role == said["role"]}
    return {each.source for each in every if said.get("supply") == each.role.partition(".")[0]}


def quantities(every: Iterable[SeriesId], source: str) -> list[str]:
    """What is counted at a source."""
    return sorted({quantity(each.role) for each in every if each.source == source})
