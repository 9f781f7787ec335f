"""Several meters on one line: each is read, none disturbs another, and a line that was pulled out is back for all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.config import MeterConfig
from appliance.ingest.asking import Asking
from appliance.ingest.clock import Clock, mono_ms
from appliance.ingest.collecting import Collection, Spooling
from appliance.ingest.sharing import Lines, Share
from appliance.ingest.spool import Spool
from appliance.links import serial
from appliance.meters import mbus
from tests.contracts.links import TerminalRig
from tests.mbus_line import Bus
from tests.modbus_server import serial_server
from tests.p1_cable import PATIENCE_S, until

HOUSE = {0x00: 230.1, 0x0C: 571.0, 0x48: 1234.56, 0x4A: 0.0}
UNITS = (3, 7)
NOON_MS = 1_790_000_000_000


@pytest.fixture
def spooling(tmp_path: Path) -> Iterator[Spooling]:
    spooling = Spooling(Spool(tmp_path / "spool", X25519PrivateKey.generate().public_key().public_bytes_raw()))
    yield spooling
    spooling.close()


@contextmanager
def _reading(spooling: Spooling, *meters: MeterConfig, pace: int = 1) -> Iterator[list[Collection]]:
    """The meters as a collector reads them, each in a thread, with a clock that goes so many times as fast."""
    lines = Lines()
    clocks = [Clock(lambda: NOON_MS + pace * mono_ms(), lambda: pace * mono_ms(), lambda: True) for _ in meters]
    collections = [
        Collection(each, ZoneInfo("UTC"), spooling, lines=lines, clock=clock)
        for each, clock in zip(meters, clocks, strict=True)
    ]
    threads = [threading.Thread(target=each.run) for each in collections]
    for thread in threads:
        thread.start()
    try:
        yield collections
    finally:
        for each in collections:
            each.stop()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def _modbus(path: str, unit: int) -> MeterConfig:
    options = {"device": "sdm120", "unit_id": unit, "interval_s": 1}
    return MeterConfig(f"unit {unit}", "serial", "modbus", None, {"path": path, "baudrate": 9600}, options)


def test_the_units_of_one_line_are_asked_one_after_the_other(spooling: Spooling) -> None:
    with serial_server(*(UNITS[0], HOUSE, *UNITS[1:])) as path:
        with _reading(spooling, *(_modbus(path, unit) for unit in UNITS)) as collections:
            until(lambda: all(each.counters.telegrams >= 3 for each in collections), "three rounds of each")
        counters = [each.counters for each in collections]
    assert [(each.missed, each.partial, each.crc_errors) for each in counters] == [(0, 0, 0)] * len(UNITS)
    assert [each.health().failures for each in collections] == [{}] * len(UNITS)


def test_meters_of_an_m_bus_resume_where_its_plug_was_pulled_out(
    tmp_path: Path, spooling: Spooling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.ingest.collecting.BACKOFF_S", (0.05,))
    rig = TerminalRig(tmp_path)
    link = {"path": rig.options.path, "by_id": rig.options.by_id, "baudrate": 2400, "parity": "E"}
    heat = [
        MeterConfig(f"flat {each}", "serial", "mbus", None, link, {"address": each, "interval_s": 10})
        for each in (4, 9)
    ]
    bus = Bus({"12345678": 4, "87654321": 9})
    with _reading(spooling, *heat, pace=10) as collections:
        with bus.on(rig):
            until(lambda: all(each.counters.telegrams for each in collections), "a telegram of each")
        rig.hang_up()
        until(lambda: all(each.health().state == "down" for each in collections), "both notice")
        rig.plug_in("ttyUSB1")
        with bus.on(rig):
            until(lambda: all(each.counters.telegrams > 1 for each in collections), "another of each")
    rig.hang_up()
    assert {each.watch.trouble for each in collections} == {""}


def test_a_meter_whose_round_goes_on_keeps_its_turn_and_others_wait_for_it(tmp_path: Path) -> None:
    rig, lines = TerminalRig(tmp_path), Lines()
    meters = [mbus.Meter(mbus.Options(number=number), ZoneInfo("UTC")) for number in ("12345678", "87654321")]
    config = MeterConfig("x", "serial", "mbus", link_options={"path": str(rig.path)})
    first, second = (Asking(lines.shared(config, serial.Link(rig.options), each), each) for each in meters)
    for asking in (first, second):
        asking.link.open()
    assert first.read(0.01, 0) == b""  # asked, and no answer yet
    assert second.read(0.01, 0) == b""
    assert not meters[1].is_asking
    first.link.close()
    assert second.read(0.01, 1) == b""
    assert meters[1].is_asking
    second.link.close()
    rig.hang_up()


def test_only_what_is_asked_over_one_line_is_shared(tmp_path: Path) -> None:
    rig, lines = TerminalRig(tmp_path), Lines()
    one, other = (
        MeterConfig("x", "serial", "mbus", link_options={"path": str(rig.path), "baudrate": speed})
        for speed in (2400, 300)
    )
    link, meter = serial.Link(rig.options), mbus.Meter(mbus.Options(), ZoneInfo("UTC"))
    shares = [lines.shared(each, link, meter) for each in (one, one, other)]
    assert all(isinstance(each, Share) for each in shares)
    lined = [each._line for each in shares if isinstance(each, Share)]
    assert (lined[0] is lined[1], lined[0] is lined[2]) == (True, False)
    assert lines.shared(MeterConfig("x", "mqtt", "mbus"), link, meter) is link
    rig.hang_up()
