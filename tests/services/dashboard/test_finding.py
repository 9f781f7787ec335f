"""The page that finds meters: it offers what the box itself found, a person names it, and may remove it again."""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import config, people
from appliance.config import MeterConfig, found_meters, write_meters
from appliance.finding import Nothing, Offer
from appliance.people import Household
from appliance.records import MeterReading
from services.dashboard.app import make_app
from services.dashboard.box import box
from tests.p1_cable import Cable, until
from tests.services.dashboard.conftest import NAME, PASSWORD

TokenOf = Callable[..., str]
FIND = "/meters/find"
READINGS = (MeterReading("electricity.power", 0, Decimal("0.452"), "kW"),)
OFFER = Offer(
    "A smart meter (DSMR P1) on the USB cable <b>FTDI</b>: it draws 0.45 kW now",
    "on the USB cable FTDI",
    "serial",
    "dsmr",
    {"path": "/dev/serial/by-id/usb-FTDI", "baudrate": 9600},
    {},
    "E0043",
    READINGS,
)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """A household of one, of each test's own."""
    data = tmp_path / "box"
    data.mkdir()
    (data / "inglenook.toml").write_text(
        f'[collector]\nports = ["{tmp_path}/by-id/*"]\nbroker = ""\nnetwork = false\n[meters.garage]\n'
        'link = "tcp"\nmeter = "dsmr"\ntcp = { host = "garage", port = 23 }\n'
    )
    config.write_household(data, zone="Europe/Amsterdam")
    app = make_app(config.load(data))
    found = box(app)
    people.claim(found.config, found.stores.home, Household("Home Farm", "Europe/Amsterdam", "EUR"), NAME, PASSWORD)
    yield app
    found.looking.stop()
    found.stores.close()


@pytest.fixture
def offered(app: Flask) -> str:
    """The path of a meter's form that was found."""
    box(app).looking.hear(OFFER)
    return f"{FIND}/{OFFER.id}"


def _said(ada: FlaskClient, token_of: TokenOf, path: str, **fields: str) -> tuple[int, str]:
    said = {"name": "house", "purpose": "house", "zone": "Europe/Amsterdam", **fields}
    answer = ada.post(path, data={**said, "form_token": token_of(ada)})
    return answer.status_code, answer.location or answer.text


def _meters(app: Flask) -> list[MeterConfig]:
    return found_meters(box(app).config.data)


def test_a_cable_that_is_plugged_in_is_found(app: Flask, ada: FlaskClient, token_of: TokenOf, tmp_path: Path) -> None:
    cable = Cable(tmp_path)
    answer = ada.post(FIND, data={"form_token": token_of(ada)})
    assert (answer.status_code, answer.location) == (303, FIND)
    until(lambda: "115200 baud" in ada.get(f"{FIND}/progress").text, "listening")
    assert "Stop looking" in ada.get(FIND).text
    with cable.talking():
        until(lambda: not box(app).looking.seen().running, "the look")
    cable.rig.hang_up()
    last = ada.get(f"{FIND}/progress")
    assert last.headers["HX-Refresh"] == "true"
    assert "number SIM" in last.text
    assert "hx-get" not in last.text


def test_a_look_can_be_stopped(app: Flask, ada: FlaskClient, token_of: TokenOf, tmp_path: Path) -> None:
    cable = Cable(tmp_path)
    ada.post(FIND, data={"form_token": token_of(ada)})
    until(lambda: "115200 baud" in ada.get(f"{FIND}/progress").text, "listening")
    ada.post(f"{FIND}/stop", data={"form_token": token_of(ada)})
    until(lambda: not box(app).looking.seen().running, "the end of the look")
    cable.rig.hang_up()
    page = ada.get(FIND).text
    assert "Look again" in page
    assert "You stopped before" in page


def test_what_the_box_found_is_read_from_now_on_under_the_name_given(
    app: Flask, ada: FlaskClient, token_of: TokenOf, offered: str
) -> None:
    form = ada.get(offered).text
    assert 'value="house"' in form
    assert "&lt;b&gt;FTDI" in form
    answer = _said(ada, token_of, offered, name="Our house", link="tcp", device="x", meter="sml")
    assert answer == (303, "/now")
    assert _meters(app) == [MeterConfig("Our house", "serial", "dsmr", None, OFFER.link_options, {})]
    assert "Our house" in ada.get("/now").text
    assert ada.get(offered).status_code == 404, "it is offered no more"


def test_solar_panels_stand_before_the_meter_s_own_roles_and_another_zone_is_kept(
    app: Flask, ada: FlaskClient, token_of: TokenOf, offered: str
) -> None:
    _said(ada, token_of, offered, name="roof", purpose="solar", zone="Europe/Lisbon")
    assert [(each.role, each.zone) for each in _meters(app)] == [("solar", "Europe/Lisbon")]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": " "}, "Give the meter a name"),
        ({"name": "Garage"}, "called Garage already"),
        ({"name": "a/b@c"}, "Try &#39;a b c&#39;"),
        ({"name": "n" * 41}, "at most 40"),
        ({"name": "a\x1bb"}, "A name has"),
        ({"purpose": "room"}, "is not what this meter measures"),
        ({"purpose": "solar.electricity"}, "is not what this meter measures"),
        ({"zone": "Mars"}, "is no time zone"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written(
    app: Flask, ada: FlaskClient, token_of: TokenOf, offered: str, fields: dict[str, str], problem: str
) -> None:
    status, page = _said(ada, token_of, offered, **fields)
    assert status == 422
    assert problem in page
    assert _meters(app) == []


def test_only_what_the_box_itself_found_can_be_added(app: Flask, ada: FlaskClient, token_of: TokenOf) -> None:
    assert _said(ada, token_of, f"{FIND}/0123456789ab")[0] == 404
    assert _meters(app) == []


def test_who_is_not_signed_in_or_has_no_form_of_this_box_changes_nothing(
    app: Flask, ada: FlaskClient, stranger: FlaskClient, offered: str
) -> None:
    write_meters(box(app).config.data, [MeterConfig("roof", "serial", "sml")])
    for path in (FIND, f"{FIND}/stop", offered, "/meters/remove"):
        assert stranger.post(path, data={"name": "roof"}).location.startswith("/sign-in")
        assert ada.post(path, data={"name": "roof"}).status_code == 403
    assert stranger.get(FIND).location.startswith("/sign-in")
    assert [each.name for each in _meters(app)] == ["roof"]
    assert not box(app).looking.seen().begun


def test_a_meter_is_removed_and_one_that_a_person_wrote_is_not(app: Flask, ada: FlaskClient, token_of: TokenOf) -> None:
    kept = MeterConfig("cellar", "mqtt", "nothing that this box knows")
    write_meters(box(app).config.data, [MeterConfig("roof", "serial", "sml"), kept])
    page = ada.get(FIND).text
    assert re.findall(r'aria-label="Remove ([^"]+)"', page) == ["roof", "cellar"]
    assert "a smart meter (SML)" in page
    assert _said(ada, token_of, "/meters/remove", name="roof") == (303, FIND)
    assert _said(ada, token_of, "/meters/remove", name="garage")[0] == 422
    assert _meters(app) == [kept]
    assert [each.name for each in box(app).now().meters] == ["cellar", "garage"]


def test_where_no_meter_was_heard_the_reason_is_said(app: Flask, ada: FlaskClient) -> None:
    box(app).looking.hear(Nothing("on the USB cable FTDI", "silent", "nothing is said here."))
    page = ada.get(FIND).text
    assert "On the USB cable FTDI</strong> Nothing is said here." in page


def test_a_look_that_fails_says_so(app: Flask, ada: FlaskClient, token_of: TokenOf) -> None:
    (box(app).config.data / "inglenook.toml").write_text("[colour]\n")
    ada.post(FIND, data={"form_token": token_of(ada)})
    until(lambda: not box(app).looking.seen().running, "the end of the look")
    assert "colour: is not a section" in ada.get(FIND).text


def test_an_offer_comes_from_the_finder_s_process_as_it_was_made() -> None:
    from appliance.finding.offers import from_dict, to_dict

    again = from_dict(json.loads(json.dumps(to_dict(OFFER))))
    assert again == OFFER
    assert isinstance(again, Offer)
    assert (again.id, again.readings) == (OFFER.id, OFFER.readings)
