"""`inglenook update`, as a person runs it on a box that has a stick in it."""

from pathlib import Path

import pytest

from appliance.updating import places
from appliance.updating.places import BACK, Last, is_wanted
from tests.cli.conftest import Box
from tests.updating.box import Box as Updated
from tests.updating.test_exchange import AT


@pytest.fixture
def other(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Updated:
    """The box as one on which 0.1.0 runs."""
    made = Updated(tmp_path / "other")
    monkeypatch.setattr(places, "Places", lambda: made.places)
    return made


def test_what_runs_what_is_at_hand_and_what_the_last_one_did_is_said(box: Box, other: Updated) -> None:
    other.made("0.2.0", news="Meters of gas.")
    other.places.say(Last("0.2.0", BACK, AT, "the dashboard did not answer"))
    [said] = box.json("update")
    assert (said["version"], said["at_hand"], said["problems"]) == ("0.1.0", "0.2.0", [])
    assert said["last"]["problem"] == "the dashboard did not answer"
    words = box.run("update").out
    assert "Inglenook 0.1.0 runs here." in words
    assert "is at hand: Meters of gas." in words
    assert "to 0.2.0, was taken back. the dashboard did not answer" in words


def test_what_is_at_hand_is_put_in_when_somebody_says_so(box: Box, other: Updated) -> None:
    other.made("0.2.0")
    assert box.json("update", "now") == [{"wanted": "0.2.0"}]
    assert is_wanted(box.data / "run")


def test_without_an_update_at_hand_the_way_to_one_is_said(box: Box, other: Updated) -> None:
    said = box.run("update", "now")
    assert (said.code, is_wanted(box.data / "run")) == (2, False)
    assert "plug in a stick" in said.err
    assert "[update]" in box.run("update", "fetch").err


def test_where_inglenook_is_no_box_the_way_that_it_came_is_named(box: Box) -> None:
    said = box.run("update", "now")
    assert said.code == 2
    assert "update it the way that it came" in said.err
