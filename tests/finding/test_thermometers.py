"""Thermometers on the 1-wire bus: each by itself, those that are read already left out, and none said to be so."""

import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.config import MeterConfig
from appliance.finding import Nothing, Offer, thermometers
from appliance.finding.offers import ABSENT, REFUSED, SILENT, TAKEN, Found, Step, config_of
from appliance.ingest.collecting import Collection, Spooling
from appliance.ingest.spool import Spool
from tests.contracts.links import SensorRig

FIRST, SECOND = "28-00000623003b", "28-031655c9d5ff"


def _looked(folder: Path, *configured: MeterConfig) -> list[Found]:
    found = list[Found]()
    thermometers.look(str(folder), configured, ZoneInfo("UTC"), found.append, threading.Event())
    return [each for each in found if not isinstance(each, Step)]


@pytest.fixture
def bus(tmp_path: Path) -> Path:
    rig = SensorRig(tmp_path)
    rig.plug_in(SECOND)
    (rig.folder / "w1_bus_master1").mkdir()
    (rig.folder / "01-000011112222").mkdir()  # a number and nothing else
    return rig.folder


def test_each_thermometer_is_offered_as_a_room_and_read_as_it_is_configured_then(bus: Path, tmp_path: Path) -> None:
    first, second = _looked(bus)
    assert isinstance(first, Offer)
    assert isinstance(second, Offer)
    assert first.title == f"A thermometer (1-wire) on the 1-wire bus: number {FIRST}, it says 23.125 °C now"
    assert (first.purpose, first.name([])) == ("room", "room")
    attic = config_of(first, "attic", "room", None)
    assert attic.link_options == {"pattern": FIRST, "folder": str(bus)}
    key = X25519PrivateKey.generate().public_key().public_bytes_raw()
    spooling = Spooling(Spool(tmp_path / "spool", key, 65_536))
    collection = Collection(attic, ZoneInfo("UTC"), spooling, once=True)
    collection.run()
    spooling.close()
    assert collection.counters.telegrams == 1
    [taken, other] = _looked(bus, attic)
    assert isinstance(taken, Nothing)
    assert (taken.kind, taken.why) == (TAKEN, "is read already, as attic.")
    assert other == second


def test_a_meter_of_the_whole_bus_reads_every_thermometer(bus: Path) -> None:
    cellar = MeterConfig("cellar", "w1", "ds18b20", link_options={"folder": str(bus)})
    assert [each.kind for each in _looked(bus, cellar) if isinstance(each, Nothing)] == [TAKEN, TAKEN]


def test_a_thermometer_that_says_no_temperature_is_said_to_be_there(bus: Path) -> None:
    (bus / FIRST / "w1_slave").write_bytes(SensorRig.TEXT.replace(b"72 01 4b", b"72 02 4b"))
    found = _looked(bus)[0]
    assert isinstance(found, Nothing)
    assert (found.kind, "check its wires" in found.why) == (REFUSED, True)


def test_a_machine_without_a_bus_and_a_bus_without_a_thermometer_say_so(tmp_path: Path) -> None:
    [absent] = _looked(tmp_path / "none")
    (tmp_path / "w1_bus_master1").mkdir()
    [silent] = _looked(tmp_path)
    assert isinstance(absent, Nothing)
    assert isinstance(silent, Nothing)
    assert (absent.kind, "dtoverlay=w1-gpio" in absent.why) == (ABSENT, True)
    assert (silent.kind, "4.7 kilohms" in silent.why) == (SILENT, True)
