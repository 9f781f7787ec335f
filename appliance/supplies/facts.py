"""Facts about supplies as they stand, and when each holds."""

from datetime import datetime, tzinfo

from sqlalchemy import Connection

from appliance.ingest.meter_places import span_ms
from appliance.store import records
from appliance.store.models import RecordRow
from appliance.store.records import Stored


def standing(connection: Connection, kind: str, as_of: datetime | None = None) -> list[Stored]:
    """What stands of a kind, or stood at an instant, by when it began, and then in the order in which it was said."""
    found = records.selected(as_of).where(RecordRow.kind == kind).order_by(RecordRow.at_us, RecordRow.fact)
    return [records.stored(each) for each in connection.execute(found)]


def ends_ms(at: str, until: str, zone: tzinfo) -> tuple[int | None, int | None]:
    """When something begins and ends, milliseconds since 1970 UTC, None where that is open. A day on which it ends is
    its last.
    """
    first_ms = span_ms(at, zone)[0] if at else None
    return first_ms, span_ms(until, zone)[1] if until else None
