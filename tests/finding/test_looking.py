"""Looking everywhere at once: each port by itself, and not those that are read already."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.config import MeterConfig
from appliance.finding import Nothing, Offer, Step, Wanted, find, looking
from appliance.finding.listening import Listening
from appliance.finding.offers import ABSENT, SILENT, TAKEN
from appliance.finding.ways import Way, ways
from tests.contracts.links import TerminalRig
from tests.contracts.meters import SAMPLES
from tests.p1_cable import PATIENCE_S, Cable

TELEGRAMS = (SAMPLES / "dsmr" / "dsmr50-gas-water-heat.txt").read_bytes()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on these lines speaks at once."""

    def quick(*, asks: bool, everywhere: bool) -> list[Way]:
        return [replace(way, patience_s=0.3) for way in ways(asks=asks, everywhere=everywhere)]

    monkeypatch.setattr(looking, "ways", quick)


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    cable = Cable(tmp_path)
    yield cable
    cable.rig.hang_up()


def _wanted(folder: Path, *configured: MeterConfig) -> Wanted:
    patterns = (f"{folder}/by-id/*", f"{folder}/tty*")
    return Wanted(patterns, broker="", network=False, one_wire="", gpio=(), configured=configured)


def test_every_port_is_listened_to_at_the_same_time(cable: Cable, tmp_path: Path) -> None:
    silent = TerminalRig(tmp_path, "ttyUSB1", "usb-Silent_One-if00")
    with cable.talking():
        found = list(find(_wanted(tmp_path)))
    silent.hang_up()
    [offer] = [each for each in found if isinstance(each, Offer)]
    [nothing] = [each for each in found if isinstance(each, Nothing)]
    assert (offer.where, offer.link_options["path"]) == (
        "on the USB cable P1 cable",
        f"{tmp_path}/by-id/usb-P1_cable-if00",
    )
    assert (nothing.where, nothing.kind) == ("on the USB cable Silent One", SILENT)
    steps = {each.where for each in found if isinstance(each, Step)}
    assert steps == {offer.where, nothing.where}


def test_a_port_that_is_read_already_is_left_to_its_reader(cable: Cable, tmp_path: Path) -> None:
    os.write(cable.rig.meter_end, TELEGRAMS)
    house = MeterConfig("house", "serial", "dsmr", link_options={"path": str(cable.rig.path)})
    assert list(find(_wanted(tmp_path, house))) == [
        Nothing("on the USB cable P1 cable", TAKEN, "is read already, as house.")
    ]


def test_a_box_without_a_port_says_what_to_do(tmp_path: Path) -> None:
    [nothing] = find(_wanted(tmp_path))
    assert isinstance(nothing, Nothing)
    assert nothing.kind == ABSENT
    assert "plug the meter's cable into the box" in nothing.why


def test_a_bug_in_a_thread_is_raised_where_somebody_looks(
    cable: Cable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Listening, "look", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        list(find(_wanted(tmp_path)))


def test_who_looks_no_more_lets_go_of_every_port(cable: Cable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "ways", lambda **_: [replace(each, patience_s=1e9) for each in ways(asks=False)])
    looked = find(_wanted(tmp_path))
    assert isinstance(next(looked), Step)
    looked.close()  # type: ignore[attr-defined]
    for thread in [each for each in threading.enumerate() if each.name == "finding"]:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
