"""Offers: what a person may say that a meter measures, which name is suggested, and what is then configured."""

from decimal import Decimal

import pytest

from appliance.config import MeterConfig
from appliance.errors import UserError
from appliance.finding import words
from appliance.finding.offers import HOUSE, PLUG, ROOM, SOLAR, Offer, config_of
from appliance.naming import meter_name
from appliance.records import MeterReading

UNITS = {"power": "kW", "import": "kWh", "energy": "kWh", "gas": "m3", "water": "m3", "temperature": "degC"}


def _offer(*roles: str, meter: str = "dsmr", device: str = "E0043") -> Offer:
    readings = tuple(
        MeterReading(role, 0, Decimal("0.4525"), UNITS.get(role.rpartition(".")[2], "kWh")) for role in roles
    )
    return Offer("title", "where", "serial", meter, {"path": "/dev/ttyUSB0"}, {"x": 1}, device, readings)


@pytest.mark.parametrize(
    ("roles", "purpose", "purposes", "name"),
    [
        (("electricity.import.t1", "gas"), HOUSE, (HOUSE, SOLAR, PLUG), "house"),
        (("gas",), HOUSE, (HOUSE,), "gas"),
        (("water.hot",), HOUSE, (HOUSE,), "water"),
        (("heat", "temperature.flow"), HOUSE, (HOUSE,), "heat"),
        (("plug.energy", "temperature"), PLUG, (HOUSE, SOLAR, PLUG), "E0043"),
        (("solar.energy",), SOLAR, (HOUSE, SOLAR, PLUG), "solar"),
        (("temperature", "humidity"), ROOM, (ROOM,), "E0043"),
    ],
)
def test_what_a_meter_says_decides_what_it_may_measure_and_how_it_may_be_called(
    roles: tuple[str, ...], purpose: str, purposes: tuple[str, ...], name: str
) -> None:
    offer = _offer(*roles)
    assert (offer.purpose, offer.purposes, offer.name([])) == (purpose, purposes, name)


def test_a_name_that_another_has_is_not_suggested() -> None:
    assert _offer("electricity.import").name(["House", "house 2"]) == "house 3"
    assert _offer("plug.energy", device="\x1b//").name([]) == "plug"


def test_what_was_chosen_stands_before_the_roles_of_a_meter_that_has_none_of_its_own() -> None:
    offer = _offer("electricity.import")
    assert config_of(offer, "a", HOUSE, None) == MeterConfig(
        "a", "serial", "dsmr", None, {"path": "/dev/ttyUSB0"}, {"x": 1}, ""
    )
    assert config_of(offer, "a", SOLAR, "Europe/Lisbon").role == "solar"
    assert config_of(offer, "a", PLUG, None).role == "plug"


def test_a_meter_with_a_role_of_its_own_is_told_it() -> None:
    found = config_of(_offer("plug.energy", meter="tasmota"), "roof", SOLAR, None)
    assert (found.role, found.meter_options) == ("", {"x": 1, "role": "solar"})


def test_a_meter_whose_whole_role_is_configured_keeps_it() -> None:
    found = config_of(_offer("electricity.import", meter="pulses"), "roof", SOLAR, None)
    assert (found.role, found.meter_options) == ("solar", {"x": 1})


def test_nobody_can_say_of_a_gas_meter_that_it_is_a_solar_panel() -> None:
    with pytest.raises(UserError, match="choose from house"):
        config_of(_offer("gas"), "gas", SOLAR, None)


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        (("electricity.import", "electricity.power"), "it draws 0.45 kW now"),
        (("electricity.import",), "it has counted 0.5 kWh"),
        (("gas",), "it has counted 0.452 m³ of gas"),
        (("plug.lamp.energy", "plug.lamp.power"), "it draws 0.45 kW now"),
    ],
)
def test_what_it_says_now_is_what_a_person_can_compare(roles: tuple[str, ...], said: str) -> None:
    readings = _offer(*roles).readings
    assert words.title("dsmr", "on the cable", "E0043", readings) == (
        f"A smart meter (DSMR P1) on the cable: number E0043, {said}"
    )


def test_power_that_flows_out_is_said_as_such() -> None:
    readings = (
        MeterReading("electricity.power", 0, Decimal("0.000"), "kW"),
        MeterReading("electricity.power.export", 0, Decimal("1.200"), "kW"),
    )
    assert words.title("dsmr", "here", "", readings).endswith("it feeds 1.20 kW into the grid now")


def test_a_meter_that_hides_its_power_is_said_to_want_a_pin() -> None:
    assert "PIN" in words.hint("sml", _offer("electricity.import").readings)
    assert words.hint("sml", _offer("electricity.power").readings) == ""


def test_a_device_cannot_speak_to_the_terminal() -> None:
    assert words.plain("\x1b[2J" + "a" * 100) == "[2J" + "a" * 61


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Our house", "Our house"),
        ("a/b@c=d", "a b c d"),
        ("  x\n", "x"),
        ("--", ""),
        ("é" * 50, "é" * 40),
        ("d'or", "d'or"),
    ],
)
def test_names_of_meters_hold_nothing_that_commands_read_otherwise(said: str, name: str) -> None:
    assert meter_name(said) == name
    assert meter_name(name) == name
