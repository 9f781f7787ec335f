"""The figures behind the charts: bounded inputs, and a tag that spares sending what did not change."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import energy
from appliance.ingest import importing
from services.dashboard import live
from services.dashboard.box import box
from services.dashboard.history import Choice

SAMPLE = Path(__file__).parents[2] / "samples" / "green_button" / "hourly-electricity.xml"
SPOKEN: dict[str, Any] = {"at_ms": 1, "source": "house", "import_w": 250, "export_w": 0, "age_s": 1.0, "today": {}}


@pytest.fixture(scope="module")
def series(app: Flask) -> str:
    home = box(app).stores.home
    importing.import_bytes(home, SAMPLE.read_bytes(), SAMPLE.name)
    return Choice(home, energy.series(home)[0]).key


def test_nothing_is_sent_twice(ada: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "now", lambda _app: SPOKEN)
    first = ada.get("/api/now")
    tag = {"If-None-Match": first.headers["ETag"]}
    assert first.json == SPOKEN
    monkeypatch.setattr(live, "now", lambda _app: {**SPOKEN, "age_s": 3.5})
    assert ada.get("/api/now", headers=tag).status_code == 304
    monkeypatch.setattr(live, "now", lambda _app: {**SPOKEN, "at_ms": 2})
    assert ada.get("/api/now", headers=tag).status_code == 200


def test_a_box_without_a_meter_says_nothing(ada: FlaskClient) -> None:
    assert ada.get("/api/now").json == {}
    assert ada.get("/api/today").json["times_s"] == []  # type: ignore[index]
    assert "No meter is connected yet" in ada.get("/now").text


def test_the_newest_day_and_the_spans_beside_it(series: str, ada: FlaskClient) -> None:
    said: Any = ada.get("/api/history", query_string={"series": series}).json
    assert said["kind"] == "total"
    assert said["span"] == "day"
    assert len(said["times_s"]) == len(said["values"]) > 0
    assert said["later"] is None
    assert said["zone"] == "Europe/Amsterdam"
    wider: Any = ada.get("/api/history", query_string={"series": series, "span": "all"}).json
    assert wider["from_ms"] < said["to_ms"]
    assert said["from_ms"] < wider["to_ms"]
    assert wider["later"] is wider["earlier"] is None


@pytest.mark.parametrize(
    "said",
    [
        {"step": "second"},
        {"span": "decade"},
        {"at": "2024-02-30"},
        {"from": "2024-02-02", "to": "2024-02-01"},
        {"from_ms": "0"},
        {"from_ms": "0", "to_ms": "9" * 15},
        {"from_ms": "1e9", "to_ms": "2e9"},
        {"from_ms": "10", "to_ms": "5"},
        {"from": "0001-01-01", "to": "9999-12-31"},
    ],
)
def test_what_is_no_span_is_refused(series: str, ada: FlaskClient, said: dict[str, str]) -> None:
    answer = ada.get("/api/history", query_string={"series": series, **said})
    assert 400 <= answer.status_code < 500
    assert "error" in answer.text


def test_a_series_that_is_not_there(ada: FlaskClient) -> None:
    assert ada.get("/api/history?series=gas@nowhere").status_code == 404


def test_history_offers_what_there_is(series: str, ada: FlaskClient) -> None:
    assert "Electricity from the grid" in ada.get("/history").text


def test_a_person_s_own_series_are_shown_beside_the_household_s(app: Flask, ada: FlaskClient) -> None:
    own = box(app).stores.named("ada")
    importing.import_bytes(own, SAMPLE.read_bytes(), SAMPLE.name, source="mine alone")
    mine = next(choice for choice in (Choice(own, each) for each in energy.series(own)))
    assert "mine:" in mine.key
    assert mine.key in ada.get("/history").text
    assert ada.get("/api/history", query_string={"series": mine.key}).json["values"]  # type: ignore[index]


def test_ten_years_of_raw_readings_are_not_asked_of_the_box(series: str, ada: FlaskClient) -> None:
    asked = {"series": series, "step": "raw", "from": "2015-01-01", "to": "2024-12-31"}
    refused = ada.get("/api/history", query_string=asked)
    assert refused.status_code == 400
    assert "for a month at most" in refused.json["error"]  # type: ignore[index]


@pytest.mark.parametrize("said", [{"from_ms": "--5", "to_ms": "9"}, {"span": "week", "at": "9999-12-31"}])
def test_a_span_that_is_none_says_so(series: str, ada: FlaskClient, said: dict[str, str]) -> None:
    assert ada.get("/api/history", query_string={"series": series, **said}).status_code == 422
