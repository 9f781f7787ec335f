"""Which facts might tell of the same event as others, where more than one fits: kept with the rules, to be counted."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select

from appliance.store import links
from appliance.store.models import RecordRow, RuleState

_PREFIX = "possible "
_IS_ONE = RuleState.name.startswith(_PREFIX)


def every(connection: Connection) -> list[int]:
    """Those that stand, the newest first."""
    facts = list(connection.execute(select(RuleState.record_id).where(_IS_ONE)).scalars())
    stands = RecordRow.until_us.is_(None) & links.versions_of(facts)
    return sorted((row.fact for row in links.rows(connection, select(RecordRow.fact).where(stands))), reverse=True)


def note(connection: Connection, seen: Collection[int], open_: Collection[int]) -> None:
    """Keeps which of the facts that were looked at now are such ones."""
    links.remove(connection, delete(RuleState).where(_IS_ONE, links.among(RuleState.record_id, seen)))
    rows = [{"name": f"{_PREFIX}{fact}", "version": "", "record_id": fact} for fact in sorted(open_)]
    if rows:
        connection.execute(insert(RuleState), rows)


def forget(connection: Connection) -> None:
    """Takes all of it away, to be found anew."""
    connection.execute(delete(RuleState).where(_IS_ONE))
