"""Facts about supplies as they stand, and when each holds."""

from collections.abc import Sequence
from datetime import tzinfo

from sqlalchemy import Connection

from appliance.ingest.meter_places import span_ms
from appliance.store import records
from appliance.store.models import RecordRow
from appliance.store.records import Stored


def standing(connection: Connection, kind: str) -> list[Stored]:
    """What stands of a kind, by when it began, and then in the order in which it was said."""
    found = records.selected().where(RecordRow.kind == kind).order_by(RecordRow.at_us, RecordRow.fact)
    return [records.stored(each) for each in connection.execute(found)]


def ends_ms(at: str, until: str, zone: tzinfo) -> tuple[int | None, int | None]:
    """When something begins and ends, milliseconds since 1970 UTC, None where that is open. A day on which it ends is
    its last.
    """
    first_ms = span_ms(at, zone)[0] if at else None
    return first_ms, span_ms(until, zone)[1] if until else None


def held(spans: Sequence[tuple[int | None, int | None]], at_ms: int) -> int | None:
    """The place of the last span that holds at an instant, None where none does."""
    holding = [
        place
        for place, (first, end) in enumerate(spans)
        if (first is None or first <= at_ms) and (end is None or at_ms < end)
    ]
    return holding[-1] if holding else None
