"""Since when the facts of a kind are in the store: older ones were archived, or deleted by the policy of their kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from appliance.derive.matching import DAY_US
from appliance.store.models import Archive, Policy, Summary
from appliance.store.records import first_day_kept, local_day

DELETE = "delete"  # the policy's action, as retention.Action has it


@dataclass(frozen=True, slots=True)
class Kept:
    """Days since 1970 from which a kind's facts are there: of accounts by account and unit, and of all of them."""

    archived: Mapping[tuple[str, str], int]
    deleted: int | None

    def since(self, account: str, unit: str) -> tuple[int, str]:
        """The first day from which facts are there, and what became of those before; 0 where nothing did."""
        days = {"archived": self.archived.get((account, unit), 0), "deleted by their policy": self.deleted or 0}
        what = max(days, key=lambda each: days[each])
        return days[what], what


def kept(connection: Connection, kind: str, today: date) -> Kept:
    """What of a kind is in the store."""
    ends = select(Summary.account, Summary.unit, func.max(Archive.end_us)).join(
        Archive, Archive.id == Summary.archive_id
    )
    ends = ends.where(Archive.kind == kind, Archive.attached_us.is_(None)).group_by(Summary.account, Summary.unit)
    archived = {(account, unit): int(end_us) // DAY_US for account, unit, end_us in connection.execute(ends)}
    policy = select(Policy.months).where(Policy.kind == kind, Policy.action == DELETE)
    months = connection.execute(policy).scalar_one_or_none()
    return Kept(archived, local_day(first_day_kept(today, months)) if months else None)
