"""What of a selection matches nothing: misspelt perhaps, or about what is still to come."""

from collections.abc import Iterable, Iterator

from sqlalchemy import select

from appliance import energy
from appliance.marts.selection import Selection
from appliance.store import sources
from appliance.store.database import Store
from appliance.store.models import Archive, RecordRow


def unmatched(store: Store, selection: Selection) -> Iterator[str]:
    """Each kind, source and role that was asked for and of which the store has nothing."""
    with store.read() as connection:
        kinds = {
            kind
            for table in (RecordRow, Archive)
            for kind in connection.execute(select(table.kind).distinct()).scalars()
        }
        known = sources.names(connection)
    roles = {each.role for each in energy.series(store)}
    for kind in selection.kinds:
        if not any(each == kind or each.startswith(f"{kind}.") for each in kinds):
            yield _nothing("--kind", kind, kinds)
    for name in selection.sources:
        if name not in known:
            yield _nothing("--source", name, known)
    for role in selection.readings:
        if role not in roles:
            yield _nothing("--readings", role, roles)


def _nothing(option: str, said: str, there: Iterable[str]) -> str:
    known = ", ".join(sorted(there)) or "none yet"
    return f"{option} {said} matches nothing that the store has now; it has: {known}"
