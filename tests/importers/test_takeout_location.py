"""Google's location history: positions and times as Google has written them, and the positions of a day."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest

from appliance.errors import UserError
from appliance.importers import takeout_location
from appliance.importers.takeout_location import values
from appliance.records import Item, Record, Rejected


def items(data: object, **stated: str) -> list[Item]:
    raw = json.dumps(data).encode()
    return list(takeout_location.extract_forward(iter([raw]), takeout_location.Options(**stated)))


def records(found: Sequence[Item]) -> list[Record]:
    return [item for item in found if isinstance(item, Record)]


def location(at: str, north: Any = 515007000, east: Any = -1246000) -> dict[str, Any]:
    return {"latitudeE7": north, "longitudeE7": east, "timestamp": at}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"latitudeE7": 515007000, "longitudeE7": -1246000}, "51.5007,-0.1246"),
        ({"latitudeE7": 515007000, "longitudeE7": 4293721296}, "51.5007,-0.1246"),  # as Takeout overflowed
        ({"latE7": "-337000001", "lngE7": 0}, "-33.7000001,0"),
        ({"latLng": "51.5007°, -0.1246°"}, "51.5007,-0.1246"),
        ("geo:51.5007,-0.1246", "51.5007,-0.1246"),
        ("51.12345678901°, 0°", "51.12345678,0"),
        ({}, ""),
    ],
)
def test_a_position_is_read_in_every_way_it_is_written(said: object, meant: str) -> None:
    assert values.position(said) == meant


@pytest.mark.parametrize("said", [{"latitudeE7": 10**12, "longitudeE7": 0}, "geo:91,0", "here", {"latitudeE7": "x"}])
def test_what_is_no_place_on_the_earth_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match="position"):
        values.position(said)


def test_the_positions_of_a_day_are_one_journey_and_days_begin_in_the_zone() -> None:
    said = [location(f"2023-07-01T{hour}:30:00Z") for hour in ("20", "21", "22", "23")]
    assert [record.fields["points"] for record in records(items({"locations": said}))] == ["4"]
    found = records(items({"locations": said}, zone="Europe/London"))
    assert [(record.fields["points"], record.title) for record in found] == [
        ("3", "Positions of 2023-07-01"),
        ("1", "Positions of 2023-07-02"),
    ]


def test_a_broken_position_is_rejected_and_every_other_is_counted_once() -> None:
    said = [location("2023-07-01T08:00:00Z"), location("soon"), location("2023-07-01T09:00:00Z", 10**12),
            location("2023-07-01T10:00:00Z")]  # fmt: skip
    found = items({"locations": said})
    assert sum(int(record.fields["points"]) for record in records(found)) == 2
    assert [item.where for item in found if isinstance(item, Rejected)] == ["location 2", "location 3"]


@pytest.mark.parametrize("name", ["placeVisit", "activitySegment", "visit", "activity", "timelinePath"])
def test_a_segment_of_another_shape_is_rejected_and_stops_no_other(name: str) -> None:
    good = {"startTime": "2024-08-01T08:00:00Z", "visit": {"topCandidate": {"placeLocation": "geo:1,1"}}}
    shapes: list[object] = [[1], {"a": []}, "here", None]
    for wrong in shapes:
        found = items({"semanticSegments": [{name: wrong}, good]})
        assert [item.where for item in found if isinstance(item, Rejected)] == ["segment 1"]
        assert len(records(found)) == 1


def test_milliseconds_and_their_zone_are_utc() -> None:
    old = {"timestampMs": "1514764800123", "latitudeE7": 1, "longitudeE7": 1}
    assert [str(record.at) for record in records(items({"locations": [old]}))] == ["2018-01-01 00:00:00.123000+00:00"]


def test_a_zone_that_is_none_is_told() -> None:
    with pytest.raises(UserError, match="Europe/London"):
        takeout_location.Options(zone="Mars")


def test_other_json_is_not_taken_for_it() -> None:
    others: list[object] = [{"locations": ["Leeds"]}, {"locations": []}, [{"startTime": "x", "duration": 1}], {}, []]
    for other in others:
        assert not takeout_location.identify(json.dumps(other).encode(), "Records.json")


def test_a_large_history_is_read_at_a_good_speed_and_in_little_memory() -> None:
    """Sixty seconds is far more than the two that it takes."""
    one = json.dumps(location("2023-07-01T08:00:00Z") | {"source": "WIFI", "accuracy": 15}).encode()
    piece = b",\n".join([one] * 5_000)
    pieces = iter([b'{"locations": [', *(piece + b"," for _ in range(19)), piece + b"]}"])
    began = time.process_time()
    found = list(takeout_location.extract_forward(pieces, takeout_location.Options()))
    assert [record.fields["points"] for record in records(found)] == ["100000"]
    assert time.process_time() - began < 60
