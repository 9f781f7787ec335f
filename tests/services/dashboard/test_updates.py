"""The page of updates: what runs, what is at hand, what came of the last one; nobody is let in while one is tried."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.updating.places import BACK, GOOD, REFUSED, Last, is_wanted
from services.dashboard.box import box
from services.dashboard.updates import RESTART
from tests.updating.box import Box

ROOT = Path(__file__).parents[3]
TokenOf = Callable[..., str]
AT = datetime(2026, 3, 1, 3, tzinfo=UTC)


@pytest.fixture
def other(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """The dashboard's box as one on which 0.1.0 runs."""
    made = Box(tmp_path)
    monkeypatch.setattr(box(app), "places", made.places)
    (box(app).config.run / "update-wanted").unlink(missing_ok=True)
    return made


def test_the_version_its_support_and_where_updates_come_from_are_said(other: Box, ada: FlaskClient) -> None:
    page = " ".join(ada.get("/update").text.split())
    assert "Inglenook 0.1.0 runs here" in page
    assert "gets security fixes until six months after a newer one comes out" in page
    assert "No update is at hand" in page
    assert "inglenook-VERSION-" in page
    assert "asks nobody for newer versions of Inglenook" in page
    assert "from Debian’s package servers" in page
    assert "from Debian’s time servers" in page


def test_when_the_box_may_start_anew_is_said_by_the_household_s_clock(other: Box, app: Flask, ada: FlaskClient) -> None:
    here = datetime.combine(datetime.now(UTC), RESTART).astimezone(ZoneInfo(box(app).now().zone or "UTC"))
    assert f"starts anew at {here:%H:%M}," in " ".join(ada.get("/update").text.split())
    assert here.utcoffset(), "else nothing is tried"


def test_an_update_on_a_stick_is_offered_and_wanted_by_a_click(
    other: Box, app: Flask, ada: FlaskClient, token_of: TokenOf
) -> None:
    other.made("0.2.0", released=date(2026, 8, 31), news="Meters of gas.")
    page = " ".join(ada.get("/update").text.split())
    assert "0.2.0 is at hand" in page
    assert "Meters of gas." in page
    assert "28 Feb 2027" in page or "28 February 2027" in page, "six months after the newer one came out"
    token = token_of(ada)
    assert ada.post("/update/now", data={"form_token": token}).status_code == 303
    assert is_wanted(box(app).config.run)
    assert "An update is being put in" in ada.get("/update").text


def test_without_a_release_that_fits_nothing_is_wanted(
    other: Box, app: Flask, ada: FlaskClient, token_of: TokenOf
) -> None:
    other.made("0.2.0", other.make_key("stranger"))
    page = ada.get("/update").text
    assert "obody whom this box trusts has signed this release" in page
    assert "Update now" not in page
    assert ada.post("/update/now", data={"form_token": token_of(ada)}).status_code == 422
    assert not is_wanted(box(app).config.run)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (Last("0.2.0", GOOD, AT, locked=("ben",)), "not be tried on what is locked (ben)"),
        (Last("0.2.0", BACK, AT, "the dashboard did not answer"), "The dashboard did not answer."),
        (Last("0.2.0", REFUSED, AT, "release 0.0.1 is older"), "Nothing was changed: 0.1.0 runs on as before."),
    ],
)
def test_what_the_last_update_did_is_said(other: Box, ada: FlaskClient, last: Last, words: str) -> None:
    other.places.say(last)
    assert words in ada.get("/update").text


def test_nobody_writes_while_a_release_is_tried_that_may_be_taken_back(other: Box, ada: FlaskClient) -> None:
    other.places.begin_trying("0.2.0")
    at_home = {"REMOTE_ADDR": "192.168.1.9"}
    answer = ada.get("/records", environ_overrides=at_home)
    assert answer.status_code == 503
    assert "An update is being tried" in answer.text
    assert "unplug the box and plug it in again" in answer.text, "where the box could not take it back as it started"
    assert ada.get("/metrics").status_code == 200, "the box itself looks whether it answers"
    other.places.end_trying()
    assert ada.get("/records", environ_overrides=at_home).status_code == 200


def test_where_it_came_another_way_the_page_says_so(app: Flask, ada: FlaskClient) -> None:
    page = ada.get("/update").text
    assert "updated the way that it came" in page
    assert "Update now" not in page


def test_the_dashboard_does_not_load_what_fetching_takes() -> None:
    loaded = "import sys, services.dashboard.app; sys.exit('requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, check=False).returncode == 0
