"""`inglenook meters detect`: what is heard is said, and the one that was found is added by a name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config import MeterConfig, found_meters, load
from tests.cli.conftest import Box
from tests.p1_cable import Cable


@pytest.fixture
def cable(tmp_path: Path, box: Box) -> Iterator[Cable]:
    """A cable on the only port that this box has."""
    cable = Cable(tmp_path)
    box.data.mkdir()
    ports = f'ports = ["{cable.rig.by_id}/*"]\nbroker = ""\nnetwork = false\n'
    (box.data / "inglenook.toml").write_text(f"[collector]\n{ports}", encoding="utf-8")
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


def test_what_it_measures_is_said_with_the_name(box: Box, cable: Cable) -> None:
    with cable.talking():
        assert box.run("meters", "detect", "--add", "roof", "--measures", "solar").code == 0
    assert load(box.data).meters[0].role == "solar"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--add", "a/b"), "Try 'a b'"),
        (("--measures", "solar"), "give it a name with --add"),
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
