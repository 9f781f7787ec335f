"""The page that finds meters: it offers what the box itself found, a person names it, and may remove it again."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import config, people
from appliance.config import MeterConfig, found_meters, write_meters
from appliance.finding import Nothing, Offer, pins
from appliance.people import Household
from appliance.records import MeterReading
from services.dashboard.app import make_app
from services.dashboard.box import box
from tests import mosquitto
from tests.contracts.links import BrokerRig
from tests.finding.test_broker import plug_at
from tests.p1_cable import Cable, SealedCable, until
from tests.p1_sealing import KEY
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
        f'[collector]\nports = ["{tmp_path}/by-id/*"]\nbroker = ""\nnetwork = false\none_wire = ""\ngpio = []\n'
        "[meters.garage]\n"
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
    needs = pins.needs_of(pins.Chip("/dev/gpiochip9"))
    box(app).looking.hear(needs)
    more = f"{FIND}/more/{needs.id}"
    for path in (FIND, f"{FIND}/stop", f"{FIND}/broker", more, offered, "/meters/remove"):
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


def test_an_encrypted_meter_is_read_once_its_key_is_typed_and_no_page_shows_it(
    app: Flask, ada: FlaskClient, token_of: TokenOf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cable, pages = SealedCable(tmp_path), list[str]()
    with cable.talking():
        ada.post(FIND, data={"form_token": token_of(ada)})
        until(lambda: not box(app).looking.seen().running, "the look")
        page = ada.get(FIND).text
        assert "An encrypted P1 meter on the USB cable P1 cable." in page
        assert "Type the key that your grid operator sent you." in page
        more = _path_of(page, "more")
        assert re.search(r'<input type="password" name="key"[^>]*required', ada.get(more).text)
        for key, expected in (("no key", 422), ("F" * 32, 303), (KEY.lower(), 303)):
            status, said = _said(ada, token_of, more, key=key)
            assert status == expected
            until(lambda: not box(app).looking.seen().running, "the proof")
            pages += [said, ada.get(FIND).text, ada.get(f"{FIND}/progress").text]
            if key == "F" * 32:
                assert "does not open what the meter says" in pages[-1]
        assert _said(ada, token_of, more, key=KEY)[0] == 404, "it needs nothing more"
        form = _path_of(ada.get(FIND).text, "[0-9a-f]{12}")
        pages.append(ada.get(form).text)
        assert _said(ada, token_of, form)[0] == 303
    cable.rig.hang_up()
    assert [each.meter_options for each in _meters(app)] == [{"key": KEY.lower()}]
    assert (box(app).config.data / "meters.toml").stat().st_mode & 0o777 == 0o600
    shown = "\n".join([*pages, ada.get("/meters").text, ada.get(FIND).text, caplog.text])
    assert not any(secret in shown for secret in ("no key", "F" * 32, KEY.lower()))


def _path_of(page: str, place: str) -> str:
    """Where a link of the page that finds meters leads."""
    found = re.search(rf'href="({FIND}/{place}(?:/[0-9a-f]{{12}})?)"', page)
    assert found, page
    return found[1]


def test_a_broker_elsewhere_is_named_and_told_who_this_box_is(
    app: Flask, ada: FlaskClient, token_of: TokenOf, tmp_path: Path
) -> None:
    settings = {"allow_anonymous": "false", "password_file": mosquitto.password_file(tmp_path)}
    running = BrokerRig(tmp_path, settings).broker
    with plug_at(running.port, mosquitto.USER, mosquitto.PASSWORD):
        assert "no address of a broker" in _said(ada, token_of, f"{FIND}/broker", broker="two words")[1]
        status, more = _said(ada, token_of, f"{FIND}/broker", broker=f"127.0.0.1:{running.port}")
        assert (status, "User name" in ada.get(more).text) == (303, True)
        _said(ada, token_of, more)
        until(lambda: not box(app).looking.seen().running, "the first try")
        assert "wants a user name and a password" in ada.get(FIND).text
        problem = _said(ada, token_of, more, username="", password=mosquitto.PASSWORD)
        assert problem[0] == 422
        assert "a password needs a user name" in problem[1]
        assert _said(ada, token_of, more, username=mosquitto.USER, password=mosquitto.PASSWORD)[0] == 303
        until(lambda: "1 device heard so far" in ada.get(f"{FIND}/progress").text, "the plug is heard")
        ada.post(f"{FIND}/stop", data={"form_token": token_of(ada)})
        until(lambda: not box(app).looking.seen().running, "the end of the look")
    running.stop()
    page = ada.get(FIND).text
    assert "number lamp" in page
    assert _said(ada, token_of, _path_of(page, "[0-9a-f]{12}"), name="lamp", purpose="plug")[0] == 303
    assert [each.link_options["password"] for each in _meters(app)] == [mosquitto.PASSWORD]
    assert mosquitto.PASSWORD not in problem[1] + page + ada.get(FIND).text


def test_a_pin_is_chosen_with_what_is_counted_there(app: Flask, ada: FlaskClient, token_of: TokenOf) -> None:
    needs = pins.needs_of(pins.Chip("/dev/gpiochip9", "pinctrl-bcm2711"))
    box(app).looking.hear(needs)
    page = ada.get(FIND).text
    assert "Pulses can be counted on the GPIO pins of gpiochip9 (pinctrl-bcm2711)." in page
    more = _path_of(page, "more")
    form = ada.get(more).text
    assert '<option value="gas">Gas</option>' in form
    assert 'name="line" value="17"' in form
    status, answer = _said(ada, token_of, more, line="x", role="gas", per_unit="100")
    assert (status, "not a whole number" in answer) == (422, True)
    assert '<option value="gas" selected>Gas</option>' in answer
    assert _said(ada, token_of, more, line="4", role="gas", per_unit="100")[0] == 303
    until(lambda: not box(app).looking.seen().running, "the watch")
    page = ada.get(FIND).text
    assert "There is no GPIO chip /dev/gpiochip9" in page


def test_an_offer_comes_from_the_finder_s_process_as_it_was_made() -> None:
    from appliance.finding.offers import from_dict, to_dict

    offer = replace(OFFER, meter_secrets={"key": KEY})
    again = from_dict(json.loads(json.dumps(to_dict(offer, secrets=True))))
    assert again == offer
    assert isinstance(again, Offer)
    assert (again.id, again.readings) == (OFFER.id, OFFER.readings)
    assert KEY not in json.dumps(to_dict(offer))
