"""What is carved off a store: which facts, which of their fields, how fine, and which readings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, or_, true

from appliance.store.models import RecordRow, SourceRow
from appliance.store.query import EARLIEST, LATEST
from appliance.store.records import DATE_ONLY, moment

RECORD, DAY, MONTH = "record", "day", "month"
TEXTS = ("title", "party", "account", "memo", "supplier_id")
COLUMNS = (*TEXTS, "amount", "unit")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Selection:
    """Facts of these kinds (or of kinds below them: money is all of money.…) and sources, from a day to a day.

    No kind means every kind of the sources, and neither means no facts. `fields` are what is kept of a fact beside its
    kind, time, source and provenance; none means everything. With sums a `granularity` of facts that are alike in what
    is kept, one a day or month of `zone`; without `fields` that is their account. `readings`: a step a role.
    """

    kinds: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    fields: tuple[str, ...] = ()
    granularity: str = RECORD
    readings: Mapping[str, str] = field(default_factory=dict)
    with_originals: bool = False
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.first_day and self.first_day < EARLIEST:
            object.__setattr__(self, "first_day", EARLIEST)
        if self.last_day and self.last_day > LATEST:
            object.__setattr__(self, "last_day", LATEST)

    @property
    def has_facts(self) -> bool:
        return bool(self.kinds or self.sources)

    def keeps(self, name: str) -> bool:
        """Whether a column, or a field of a kind, comes along."""
        if name == "unit" and "amount" in self.fields:
            return True
        if not self.fields and self.granularity != RECORD:
            return name in ("account", "amount", "unit")
        return not self.fields or name in self.fields

    def condition(self) -> ColumnElement[bool]:
        """What may be selected of facts joined with their sources; `takes_day` has the last word on days."""
        kinds = [
            or_(RecordRow.kind == kind, RecordRow.kind.startswith(f"{kind}.", autoescape=True)) for kind in self.kinds
        ]
        every: list[ColumnElement[bool]] = [or_(*kinds) if kinds else true()]
        if self.sources:
            every.append(SourceRow.name.in_(self.sources))
        if self.first_day:
            every.append(RecordRow.at_us >= moment(self.first_day - timedelta(days=1))[0])
        if self.last_day:
            every.append(RecordRow.at_us < moment(self.last_day + timedelta(days=2))[0])
        return and_(*every)

    def takes_day(self, day: date | None) -> bool:
        """Whether a fact of that day is selected; one without a day is, where no days are asked for."""
        if self.first_day is None and self.last_day is None:
            return True
        return day is not None and (self.first_day or day) <= day <= (self.last_day or day)

    def day_of(self, at_us: int, zone_said: str) -> date | None:
        """The day of a fact, as it was said or as the household's zone has it; None where none was said."""
        if not zone_said:
            return None
        at = _EPOCH + timedelta(microseconds=at_us)
        return at.date() if zone_said == DATE_ONLY else at.astimezone(ZoneInfo(self.zone)).date()

    def row(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "kinds": list(self.kinds),
            "sources": list(self.sources),
            "from": self.first_day.isoformat() if self.first_day else None,
            "to": self.last_day.isoformat() if self.last_day else None,
            "fields": list(self.fields),
            "granularity": self.granularity,
            "readings": dict(self.readings),
            "with_originals": self.with_originals,
            "zone": self.zone,
        }

    @staticmethod
    def from_row(said: Mapping[str, Any]) -> "Selection":
        """The selection again."""
        return Selection(
            kinds=tuple(said["kinds"]),
            sources=tuple(said["sources"]),
            first_day=date.fromisoformat(said["from"]) if said["from"] else None,
            last_day=date.fromisoformat(said["to"]) if said["to"] else None,
            fields=tuple(said["fields"]),
            granularity=said["granularity"],
            readings=said["readings"],
            with_originals=said["with_originals"],
            zone=said["zone"],
        )
