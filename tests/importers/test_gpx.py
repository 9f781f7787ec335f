"""GPX's oddities. What every importer must do is in tests/contracts/importers.py."""

import time
from datetime import UTC, datetime

import pytest

from appliance import kinds
from appliance.importers import gpx
from appliance.ingest import importing
from appliance.records import Item, Record, Rejected, Source, Warned
from appliance.store import timeline
from appliance.store.database import Store
from appliance.store.timeline import Query
from tests.contracts.importers import extracted


def document(body: str, creator: str = "Logger 1.2.3") -> bytes:
    return f'<?xml version="1.0"?>\n<gpx version="1.1" creator="{creator}">\n{body}\n</gpx>'.encode()


def point(north: object, east: object = 0, more: str = "", name: str = "trkpt") -> str:
    return f'<{name} lat="{north}" lon="{east}">{more}</{name}>'


def track(*segments: str, more: str = "") -> bytes:
    return document(f"<trk>{more}{''.join(f'<trkseg>{each}</trkseg>' for each in segments)}</trk>")


def items(data: bytes) -> list[Item]:
    return extracted("gpx", data)


def the_only(data: bytes) -> Record:
    [record] = [each for each in items(data) if isinstance(each, Record)]
    return record


def test_a_degree_of_latitude_is_as_long_as_it_is() -> None:
    assert the_only(track(point(0) + point(1))).fields["distance"] == "111195"
    assert the_only(track(point(60) + point(60, 1))).fields["distance"] == "55597"
    assert the_only(track(point(0, "179.5") + point(0, "-179.5"))).fields["distance"] == "111195"


def test_what_a_receiver_did_not_hear_is_no_way_that_was_gone() -> None:
    found = the_only(track(point(0) + point(1), point(5) + point(6)))
    assert (found.fields["distance"], found.fields["points"]) == ("222390", "4")
    assert (found.fields["start"], found.fields["end"]) == ("0,0", "6,0")


def test_the_noise_of_a_receiver_is_no_climb() -> None:
    heights = ["10", "11", "10", "11.5", "10", "20", "19", "20", "15.5"]
    found = the_only(track("".join(point(0, 0, f"<ele>{each}</ele>") for each in heights)))
    assert (found.fields["ascent"], found.fields["descent"]) == ("10", "4.5")


def test_a_journey_is_from_its_first_moment_to_its_last_though_segments_are_out_of_order() -> None:
    late, early = ("<time>2026-03-01T12:00:00Z</time>", "<time>2026-03-01T10:00:00+01:00</time>")
    found = the_only(track(point(0, 0, late), point(0, 0, early)))
    assert found.at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert found.fields["until"] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize("said", ["2026-03-01T10:00:00", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000Z"])
def test_times_are_in_utc_whether_or_not_they_say_so(said: str) -> None:
    assert the_only(document(point(1, 2, f"<time>{said}</time>", "wpt"))).at == datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("said", ["yesterday", "2026-02-30T10:00:00Z", "2026-03-01", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none_is_told_and_the_place_kept(said: str) -> None:
    data = document(point(1, 2, f"<time>{said}</time><name>Well</name>", "wpt"))
    assert the_only(data).at is None
    assert the_only(data).fields["time"] == said
    assert any(isinstance(each, Warned) and "Times" in each.message for each in items(data))


@pytest.mark.parametrize(
    ("north", "east"), [("91", "0"), ("0", "-180.1"), ("", "0"), ("1,5", "2"), ("nan", "0"), ("1e1", 0)]
)
def test_what_is_no_place_on_the_earth_is_rejected(north: str, east: str) -> None:
    [reject] = [each for each in items(document(point(north, east, "", "wpt"))) if isinstance(each, Rejected)]
    assert (reject.line, reject.where) == (3, "waypoint 1")


def test_a_position_is_kept_to_the_last_decimal_and_reads_as_one_that_is_typed() -> None:
    found = the_only(document(point("+52.373055555555556", "4.0", "", "wpt"))).fields["position"]
    assert found == "52.373055555555556,4.0"
    kind = kinds.every()["place"]
    assert kind.fields["position"].read(found) == found


def test_a_program_stays_the_same_source_when_it_is_renewed() -> None:
    def source(creator: str) -> str:
        return next(each.name for each in items(document("", creator)) if isinstance(each, Source))

    assert source("OsmAnd 4.2.1") == source("OsmAnd 4.10") == "gpx OsmAnd"
    assert source("Garmin eTrex 30x") == "gpx Garmin eTrex 30x"
    assert source("") == "gpx"


def test_names_of_what_is_inside_are_not_the_track_s() -> None:
    inside = "<extensions><name>no</name></extensions><link href='https://example.org'><text>t</text></link>"
    found = the_only(track(point(0, 0, "<name>no</name>"), more=f"{inside}<name>Run</name><type>running</type>"))
    assert (found.title, found.fields["how"], found.fields["web"]) == ("Run", "running", "https://example.org")


def test_the_bytes_of_a_journey_are_all_of_it() -> None:
    data = track(point(0) + point(1))
    span = the_only(data).span
    assert data[span.first : span.first + span.length].startswith(b"<trk><trkseg>")
    assert data[: span.first + span.length].endswith(b"</trkseg></trk>")


def test_places_of_one_name_and_ways_without_a_time_are_told_apart_in_several_files(store: Store) -> None:
    def stored(body: str, name: str) -> int:
        return importing.import_bytes(store, document(body), name).stored

    first = point(1, 2, "<name>Camp</name>", "wpt") + f"<trk><trkseg>{point(0) + point(1)}</trkseg></trk>"
    other = point(3, 4, "<name>Camp</name>", "wpt") + f"<trk><trkseg>{point(0) + point(2)}</trkseg></trk>"
    assert [stored(first, "a.gpx"), stored(other, "b.gpx"), stored(first + other, "c.gpx")] == [2, 2, 0]
    with store.read() as connection:
        assert len(list(timeline.matching(connection, Query(kind="place")))) == 2


@pytest.mark.parametrize("root", ["kml", "HealthData", "html"])
def test_what_only_speaks_of_gpx_is_none(root: str) -> None:
    assert not gpx.identify(
        f"<?xml version='1.0'?><!-- <gpx > --><{root}><gpx version='1.1'/></{root}>".encode(), "a.gpx"
    )
    assert gpx.identify(b"\xef\xbb\xbf\n<?xml version='1.0'?><!-- a --><ns:gpx>", "a.xml")


@pytest.mark.parametrize(
    "data",
    [
        document("<trk>" * 100_000),
        document("<trk><trkseg>" + point(1) * 100_000),
        document(point("x", name="wpt") * 50_000),
        document(f"<wpt lat='1' lon='2'><desc>{'x' * 10_000_000}</desc></wpt>"),
        document(f"<wpt lat='{'1' * 5_000_000}' lon='2'/>"),
    ],
    ids=["tracks", "points", "rejects", "notes", "number"],
)
def test_hostile_files_take_linear_time(data: bytes) -> None:
    """Ten seconds is far more than it takes; a quadratic reader would take hours."""
    began = time.process_time()
    assert items(data)
    assert time.process_time() - began < 10
