"""Health as Prometheus text: in the right form, for this machine alone, and without a reading in it."""

import re
from dataclasses import asdict

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

from appliance.meters import Counters
from appliance.records import Source
from appliance.store import sources
from appliance.store.models import Gap
from services import state
from services.dashboard import metrics
from services.dashboard.box import box
from tests.services.dashboard.test_meters import collector, health

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?)")
AWKWARD = 'a "quoted"\nname \\ of \u00e9'

Labels = frozenset[tuple[str, str]]


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


def parsed(text: str) -> dict[str, tuple[str, dict[Labels, float]]]:
    """What a text of the format 0.0.4 says, by metric: its type and samples; fails where it is not of that format."""
    assert text.endswith("\n")
    found: dict[str, tuple[str, dict[Labels, float]]] = {}
    helped = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helped = line.split(" ")[2]
            assert helped not in found
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert (name, kind in ("gauge", "counter")) == (helped, True)
            found[name] = kind, {}
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            labels = frozenset((name, _unescaped(value)) for name, value in re.findall(LABEL, sample[2] or ""))
            assert labels not in found[sample[1]][1]
            assert sample[1] == helped, "the samples of a metric stand together"
            found[sample[1]][1][labels] = float(sample[7])
    assert all(name.endswith("_total") for name, (kind, _) in found.items() if kind == "counter")
    return found


def test_how_each_meter_is_heard_is_told_in_the_format_of_prometheus(app: Flask, stranger: FlaskClient) -> None:
    counters = asdict(Counters(telegrams=12, crc_errors=3))
    good = health(counters=counters, frame_ms=1_772_323_200_500)
    down = health(
        exceptions={"2": 5, "6": 1},
        source=AWKWARD,
        state="down",
        trouble="x",
        failures={"a": 2, "b": 1},
        byte_ms=None,
        frame_ms=None,
    )
    with state.telling(box(app).config.run, lambda: collector(good, down, dropped_frames=1)):
        answer = stranger.get("/metrics")
    assert answer.headers["Content-Type"] == metrics.CONTENT_TYPE
    found = parsed(answer.text)
    house = frozenset({("source", "house"), ("link", "serial"), ("meter", "dsmr")})
    awkward = frozenset({("source", AWKWARD), ("link", "serial"), ("meter", "dsmr")})
    assert found["inglenook_collector_up"] == ("gauge", {frozenset(): 1})
    assert found["inglenook_meter_up"] == ("gauge", {house: 1, awkward: 0})
    assert found["inglenook_meter_last_frame_timestamp_seconds"][1] == {house: 1_772_323_200.5}
    assert found["inglenook_frames_total"] == ("counter", {house: 12, awkward: 1204})
    assert found["inglenook_errors_total"][1][house | {("kind", "crc_errors")}] == 3
    refused = {awkward | {("code", "2")}: 5, awkward | {("code", "6")}: 1}
    assert found["inglenook_exceptions_total"] == ("counter", refused)
    assert found["inglenook_link_failures_total"][1] == {house: 0, awkward: 3}
    assert found["inglenook_spool_dropped_frames_total"][1] == {frozenset(): 1}
    assert found["inglenook_disk_written_today_bytes"][1] == {frozenset(): 38_000_000}
    assert found["inglenook_clock_synced"][1] == {frozenset(): 1}
    assert found["inglenook_readings_total"][1] == {frozenset(): 42}


def test_the_gaps_of_the_last_day_are_added_up_with_the_one_that_lasts(
    app: Flask, stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ms = 1_772_323_200_000
    monkeypatch.setattr("services.dashboard.metrics.time.time", lambda: now_ms / 1000)
    with box(app).stores.home.write() as connection:
        source_id = sources.id_of(connection, Source("barn"))
        for first_s, last_s in ((-90_000, -80_000), (-5000, -4000)):
            gap = {"first_ms": now_ms + first_s * 1000, "last_ms": now_ms + last_s * 1000}
            connection.execute(insert(Gap).values(source_id=source_id, why="link", times=1, **gap))
    silent = health(source="barn", state="silent", frame_ms=now_ms - 60_000)
    with state.telling(box(app).config.run, lambda: collector(silent, health())):
        found = parsed(stranger.get("/metrics").text)["inglenook_gap_seconds_last_day"]
    barn, house = (frozenset({("source", name)}) for name in ("barn", "house"))
    assert found == ("gauge", {barn: 6400 + 1000 + 60, house: 0})


def test_without_a_collector_that_is_what_is_told(stranger: FlaskClient) -> None:
    found = parsed(stranger.get("/metrics").text)
    assert found["inglenook_collector_up"][1] == {frozenset(): 0}
    assert "inglenook_meter_up" not in found


@pytest.mark.parametrize("address", ["192.168.1.7", "10.0.0.5", "2001:db8::1", "", "::ffff:10.0.0.5"])
def test_another_machine_finds_nothing_there(stranger: FlaskClient, address: str) -> None:
    assert stranger.get("/metrics", environ_base={"REMOTE_ADDR": address}).status_code == 404


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_is_answered_by_either_protocol(stranger: FlaskClient, address: str) -> None:
    assert stranger.get("/metrics", environ_base={"REMOTE_ADDR": address}).status_code == 200


def test_behind_a_proxy_nobody_is_taken_for_this_machine(stranger: FlaskClient) -> None:
    for name in metrics.PROXIED:
        assert stranger.get("/metrics", headers={name: "for=127.0.0.1"}).status_code == 404


def test_another_name_of_this_machine_is_refused_here_too(stranger: FlaskClient) -> None:
    assert stranger.get("/metrics", headers={"Host": "evil.example"}).status_code == 400


def test_a_box_that_nobody_claimed_tells_its_health_too(new_app: Flask) -> None:
    assert "inglenook_collector_up 0" in new_app.test_client().get("/metrics").text
