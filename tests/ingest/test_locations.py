"""A location history that is exported again while it goes on: a day that grew is another version of the same day."""

import json

from appliance.ingest import importing
from appliance.store import timeline, versions
from appliance.store.database import Store
from appliance.store.imports import Report
from appliance.store.query import Query
from appliance.store.records import Stored


def history(*at: str) -> bytes:
    """Records.json with a position at each of these times."""
    return json.dumps(
        {"locations": [{"latitudeE7": 515007000, "longitudeE7": -1246000, "timestamp": each} for each in at]}
    ).encode()


def bring(store: Store, data: bytes) -> tuple[int, int, int]:
    """How many rows were read, stored, and there already."""
    report: Report = importing.import_bytes(store, data, "Records.json", zone="Europe/London")
    assert report.read == report.stored + report.duplicate + report.rejected
    return report.read, report.stored, report.duplicate


def standing(store: Store) -> list[Stored]:
    with store.read() as connection:
        return sorted(timeline.matching(connection, Query(kind="place.journey")), key=lambda each: each.at or "")


BEFORE = "2023-06-30T09:00:00Z"
MORNING = ("2023-07-01T07:00:00Z", "2023-07-01T08:00:00Z")
EVENING = "2023-07-01T20:00:00Z"
AFTER_MIDNIGHT = "2023-06-30T23:30:00Z"  # half past midnight in London, on the 1st of July


def test_a_day_that_grew_is_another_version_of_the_same_day(store: Store) -> None:
    assert bring(store, history(BEFORE, *MORNING)) == (2, 2, 0)
    assert bring(store, history(BEFORE, *MORNING, EVENING)) == (2, 0, 2)
    _, day = standing(store)
    assert (day.fields["points"], day.fields["until"]) == ("3", "2023-07-01T20:00:00+00:00")
    with store.read() as connection:
        said = versions.history(connection, day.id)
    assert [each.record.fields["points"] for each in said] == ["2", "3"]


def test_an_older_export_and_the_same_again_take_nothing_of_a_day_away(store: Store) -> None:
    bring(store, history(*MORNING, EVENING))
    assert bring(store, history(*MORNING)) == (1, 0, 1)
    assert bring(store, history(*MORNING, EVENING)) == (1, 0, 1)
    assert [each.fields["points"] for each in standing(store)] == ["3"]


def test_a_day_that_begins_earlier_now_is_the_same_day(store: Store) -> None:
    bring(store, history(*MORNING))
    assert bring(store, history(AFTER_MIDNIGHT, *MORNING)) == (1, 0, 1)
    assert [each.at for each in standing(store)] == [AFTER_MIDNIGHT]
