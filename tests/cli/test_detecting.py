"""`inglenook meters detect`: what is heard is said, a key or a login is told, and what was found is added by a name."""

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance.cli.detecting import how_to_add
from appliance.config import Config, MeterConfig, found_meters, load
from appliance.finding import Offer, broker, pins
from appliance.ingest.collecting import Collection, Spooling
from appliance.ingest.spool import Spool
from tests import mosquitto
from tests.cli.conftest import Box
from tests.contracts.links import BrokerRig, SensorRig
from tests.finding.test_broker import plug_at
from tests.gpio_line import LINE, kernel_line
from tests.p1_cable import Cable, SealedCable
from tests.p1_sealing import KEY


@pytest.fixture
def cable(tmp_path: Path, box: Box) -> Iterator[Cable]:
    """A cable on the only port that this box has."""
    cable = Cable(tmp_path)
    box.data.mkdir()
    _only(box, f'ports = ["{cable.rig.by_id}/*"]\none_wire = ""\ngpio = []\n')
    yield cable
    cable.rig.hang_up()


def _only(box: Box, places: str) -> None:
    """Has the box look there alone."""
    (box.data / "inglenook.toml").write_text(f'[collector]\nbroker = ""\nnetwork = false\n{places}', encoding="utf-8")


@pytest.fixture
def sealed(tmp_path: Path, box: Box) -> Iterator[SealedCable]:
    """An encrypted P1 cable on the only port."""
    cable = SealedCable(tmp_path)
    box.data.mkdir()
    _only(box, f'ports = ["{cable.rig.by_id}/*"]\none_wire = ""\ngpio = []\n')
    yield cable
    cable.rig.hang_up()


def test_a_meter_is_heard_and_added(box: Box, cable: Cable) -> None:
    with cable.talking():
        said = box.run("meters", "detect", "--add", "house")
    assert (said.code, said.out[:71]) == (0, "A smart meter (DSMR P1) on the USB cable P1 cable: number SIM0000000000")
    assert "house is added" in said.err
    path = f"{cable.rig.by_id}/usb-P1_cable-if00"
    assert found_meters(box.data) == [MeterConfig("house", "serial", "dsmr", None, {"path": path}, {})]
    again = box.run("meters", "detect")
    assert (again.code, again.out) == (1, "On the USB cable P1 cable: is read already, as house.\n")


def test_as_json_each_thing_is_a_line_with_all_that_configures_it(box: Box, cable: Cable) -> None:
    with cable.talking():
        [row] = box.run("--json", "meters", "detect", "--port", cable.rig.path).rows
    assert (row["found"], row["link"], row["meter"], row["link_options"]) == (
        "offer",
        "serial",
        "dsmr",
        {"path": str(cable.rig.path)},
    )
    assert {"role": "electricity.power", "unit": "kW"}.items() <= row["readings"][4].items()


def test_how_to_add_what_was_found_is_said_as_it_is_typed(box: Box, cable: Cable) -> None:
    with cable.talking():
        said = box.run("meters", "detect")
    assert "run the same command with --add and a name for it, such as --add house" in said.err


def test_of_several_that_were_found_each_is_named_by_its_port() -> None:
    offers = [Offer("A meter", "here", "serial", "sml", {"path": f"/dev/tty {each}"}, {}, "1", ()) for each in "ab"]
    said = how_to_add(Config(Path("/nowhere")), offers)
    assert "and with its port: --port '/dev/tty a' or --port '/dev/tty b'" in said


def test_the_zone_of_its_clock_is_said_with_the_name_or_what_is_assumed_is_told(box: Box, cable: Cable) -> None:
    with cable.talking():
        said = box.run("meters", "detect", "--add", "house", "--zone", "Europe/Brussels")
        assert (said.code, "time zone" in said.err) == (0, False)
        assert [each.zone for each in found_meters(box.data)] == ["Europe/Brussels"]
        (box.data / "meters.toml").unlink()
        said = box.run("meters", "detect", "--add", "house")
    assert "where the meter's clock states local time, that is taken as UTC" in said.err
    assert f'below [meters."house"] in {box.data / "meters.toml"}' in said.err


def test_what_it_measures_is_said_with_the_name(box: Box, cable: Cable) -> None:
    with cable.talking():
        assert box.run("meters", "detect", "--add", "roof", "--measures", "solar").code == 0
    assert load(box.data).meters[0].role == "solar"


def test_an_encrypted_meter_says_that_it_wants_a_key_and_is_added_once_the_right_one_is_told(
    box: Box, sealed: SealedCable, tmp_path: Path
) -> None:
    key, wrong = tmp_path / "key", tmp_path / "wrong"
    key.write_text(f"{KEY}\n")
    wrong.write_text("F" * 32)
    with sealed.talking():
        without = box.run("meters", "detect")
        refused = box.run("meters", "detect", "--key-file", wrong, "--add", "house")
        [row] = box.run("--json", "meters", "detect", "--key-file", key).rows
        added = box.run("meters", "detect", "--key-file", key, "--add", "house")
    assert (without.code, refused.code, added.code) == (1, 2, 0)
    assert without.out.startswith(
        "An encrypted P1 meter on the USB cable P1 cable.\n  Type the key that your grid oper"
    )
    assert "--key-file" in without.out
    assert "This key does not open what the meter says" in refused.out
    assert (row["found"], row["meter_options"]) == ("offer", {})
    assert [each.meter_options for each in found_meters(box.data)] == [{"key": KEY}]
    assert (box.data / "meters.toml").stat().st_mode & 0o777 == 0o600
    said = (*(each.out + each.err for each in (without, refused, added)), str(row))
    assert not any(secret in text for text in said for secret in (KEY, "F" * 32))


def test_a_broker_is_told_who_we_are_and_what_it_carries_is_found(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"allow_anonymous": "false", "password_file": mosquitto.password_file(tmp_path)}
    running = BrokerRig(tmp_path, settings).broker
    (tmp_path / "password").write_text(f"{mosquitto.PASSWORD}\n")
    at = ("meters", "detect", "--broker", f"127.0.0.1:{running.port}")
    told = ("--user", mosquitto.USER, "--password-file", tmp_path / "password")
    monkeypatch.setattr(broker, "LISTEN_S", 4.0)
    without = box.run(*at)
    with plug_at(running.port, mosquitto.USER, mosquitto.PASSWORD):
        added = box.run(*at, *told, "--add", "lamp")
    running.stop()
    assert (without.code, added.code) == (1, 0)
    assert "wants a user name and a password" in without.out
    assert f"on the broker 127.0.0.1:{running.port}: number lamp" in added.out
    [lamp] = found_meters(box.data)
    assert lamp.link_options["password"] == mosquitto.PASSWORD
    assert mosquitto.PASSWORD not in added.out + added.err


def test_a_pin_is_watched_and_added(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chip = tmp_path / "gpiochip0"
    chip.touch()
    monkeypatch.setattr(pins, "WATCH_S", 0.01)
    with kernel_line(str(chip)):
        said = box.run(
            "meters", "detect", "--pin", f"{chip}/{LINE}", "--counts", "gas", "--per-unit", "100", "--add", "gas"
        )
    assert (said.code, said.out.splitlines()[0]) == (0, "No pulse in 0 s on pin 17 of gpiochip0.")
    [gas] = found_meters(box.data)
    assert (gas.link, gas.meter, gas.link_options["line"]) == ("gpio", "pulses", LINE)
    collection = Collection(gas, ZoneInfo("UTC"), Spooling(Spool(tmp_path / "spool", bytes(32))))
    assert collection.watch.silent_s == 0


def test_thermometers_are_found_on_the_bus(box: Box, tmp_path: Path) -> None:
    box.data.mkdir()
    rig = SensorRig(tmp_path)
    _only(box, f'ports = []\none_wire = "{rig.folder}"\ngpio = []\n')
    said = box.run("meters", "detect", "--add", "attic")
    assert (said.code, "it says 23.125 °C now" in said.out) == (0, True)
    assert [each.name for each in found_meters(box.data)] == ["attic"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--key-file", "/nowhere"), "/nowhere: No such file"),
        (("--user", "ann"), "name it with --broker"),
        (("--broker", "two words", "--tls"), "no address of a broker"),
        (("--pin", "17"), "write CHIP/LINE"),
        (("--add", "a/b"), "Try 'a b'"),
        (("--measures", "solar"), "give it a name with --add"),
        (("--zone", "Europe/Paris"), "give it a name with --add"),
        (("--zone", "Mars", "--add", "house"), "--zone Mars: this is not a time zone"),
        (("--add", "house", "--port", "/nowhere"), "nothing was added, since no meter was found"),
    ],
)
def test_what_cannot_be_added_is_said_and_ends_with_2(
    box: Box, cable: Cable, arguments: tuple[str, ...], problem: str
) -> None:
    said = box.run("meters", "detect", *arguments)
    assert said.code == 2
    assert problem in said.err
    assert found_meters(box.data) == []
