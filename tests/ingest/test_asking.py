"""Meters that must be asked, from a real server or a line with a meter on it to a household's energy."""

import os
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance import energy
from appliance.config import Config, MeterConfig
from appliance.crc import crc16_modbus
from appliance.ingest.asking import Asking
from appliance.ingest.collecting import READ_S, Collection, Spooling
from appliance.ingest.sealing import seal
from appliance.ingest.spool import Spool
from appliance.meters import modbus, shelly
from appliance.records import Frame
from appliance.store.database import Store
from tests.contracts.conversations import Device, turns
from tests.contracts.links import TerminalRig
from tests.contracts.meters import SAMPLES
from tests.modbus_server import PATIENCE_S, serial_server, tcp_server

SOLAR_HOUSE = {0x00: 230.12, 0x0E: -571.3, 0x34: -1250.5, 0x3E: -0.87, 0x46: 49.98, 0x48: 1234.56, 0x4A: 98765.43}
UNIT = 5


def _collected(config: Config, store: Store, meter: MeterConfig) -> None:
    """One round of questions, into the store."""
    spooling = Spooling(Spool(config.spool, store.key.private.public_key().public_bytes_raw(), 65_536))
    Collection(meter, ZoneInfo("UTC"), spooling, once=True).run()
    spooling.close()
    seal(store, config.spool)


def _values(store: Store, role: str) -> list[Decimal]:
    columns, exponent = energy.raw(store, energy.resolved(store, "house", role), None, None)
    return [energy.decimal(value, exponent) for value in columns.values.tolist()]


def _modbus(link: str, options: dict[str, object], device: str, framing: str) -> MeterConfig:
    return MeterConfig(
        "house",
        link,
        "modbus",
        link_options=options,
        meter_options={"device": device, "framing": framing, "unit_id": UNIT},
    )


def test_a_modbus_server_on_the_network_becomes_exact_energy(config: Config, store: Store) -> None:
    for imported in (1234.56, 1235.81):
        with tcp_server(UNIT, SOLAR_HOUSE | {0x48: imported}) as port:
            meter = _modbus("tcp", {"host": "127.0.0.1", "port": port}, "sdm630", "tcp")
            _collected(config, store, meter)
    first, last = _values(store, "electricity.import")
    assert (first, last - first) == (Decimal("1234.56"), Decimal("1.25"))
    assert _values(store, "electricity.export") == [Decimal("98765.43")] * 2
    assert _values(store, "electricity.power") == [0, 0]
    assert _values(store, "electricity.power.export") == [Decimal("1.2505")] * 2
    assert _values(store, "electricity.power.export.l2") == [Decimal("0.5713")] * 2
    assert _values(store, "electricity.power_factor") == [Decimal("0.87")] * 2
    assert {(each.role, each.kind) for each in energy.series(store)} >= {
        ("electricity.import", "register"),
        ("electricity.frequency", "gauge"),
    }


def test_a_modbus_meter_on_a_serial_line(config: Config, store: Store) -> None:
    registers = {0x00: 229.9, 0x0C: 1500.0, 0x46: 50.0, 0x48: 0.02, 0x4A: 7.5}
    with serial_server(UNIT, registers) as path:
        _collected(config, store, _modbus("serial", {"path": path, "baudrate": 9600}, "sdm120", "rtu"))
    assert _values(store, "electricity.import") == [Decimal("0.02")]
    assert _values(store, "electricity.voltage.l1") == [Decimal("229.9")]
    assert _values(store, "electricity.power") == [Decimal("1.5")]


def test_an_mbus_meter_on_a_serial_line(tmp_path: Path, config: Config, store: Store) -> None:
    rig = TerminalRig(tmp_path)
    link = {"path": rig.options.path, "by_id": rig.options.by_id, "baudrate": 2400, "parity": "E"}
    with _slave(rig, SAMPLES / "mbus" / "heat-by-number.conversation"):
        meter = MeterConfig("house", "serial", "mbus", link_options=link, meter_options={"number": "12345678"})
        _collected(config, store, meter)
    assert _values(store, "heat") == [Decimal("68.4684")]  # 19,019 kWh
    assert _values(store, "heat.temperature.return") == [Decimal("23.3")]
    rig.hang_up()


@contextmanager
def _slave(rig: TerminalRig, conversation: Path) -> Iterator[None]:
    """A meter at the end of the line that answers as in the sample."""
    stop_read, stop_write = os.pipe()
    device = Device(turns(conversation))

    def answer() -> None:
        heard = b""
        while stop_read not in select.select([rig.meter_end, stop_read], [], [], PATIENCE_S)[0]:
            heard += os.read(rig.meter_end, 1)
            if heard.endswith(b"\x16") and len(heard) in (5, 17):  # a short frame, or a selection
                os.write(rig.meter_end, device.answer(heard))
                heard = b""

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield
    finally:
        os.write(stop_write, b"\0")
        thread.join(PATIENCE_S)
        os.close(stop_read)
        os.close(stop_write)


class _Instant:
    """A line on which nothing takes time but what is waited for in vain, and a meter at its end that answers at once.

    `now_ms` is the time by its clock.
    """

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self.now_ms, self._answer, self._said = 0, answer, b""

    def open(self) -> None: ...

    def close(self) -> None: ...

    def write(self, data: bytes) -> None:
        self._said += self._answer(data)

    def read(self, timeout_s: float) -> bytes:
        """At most eight bytes, as they come off a serial line."""
        said, self._said = self._said[:8], self._said[8:]
        self.now_ms += 0 if said else round(timeout_s * 1000)
        return said


def _zeros(question: bytes) -> bytes:
    """A meter's answer that all its registers are 0."""
    said = question[:2] + bytes([2 * question[5]]) + bytes(2 * question[5])
    return said + crc16_modbus(said).to_bytes(2, "little")


def test_a_meter_that_answers_is_asked_on_at_once_and_each_second_where_that_is_wanted() -> None:
    line, meter = _Instant(_zeros), modbus.Meter(modbus.Options("sdm630", interval_s=1), ZoneInfo("UTC"))
    asking, found = Asking(line, meter), list[tuple[int, Frame]]()
    while line.now_ms < 10_000:
        data = asking.read(READ_S, line.now_ms)
        found += [(line.now_ms, frame) for frame in meter.feed(data, line.now_ms)]
    assert [frame.readings[0].at_ms for _, frame in found] == list(range(0, 10_000, 1000))
    lasted_ms = {at_ms - frame.readings[0].at_ms for at_ms, frame in found}
    assert max(lasted_ms) <= 8 * modbus.GAP_MS, "a round waits for nothing but the pauses between its questions"


@pytest.mark.parametrize(
    ("link", "options", "meter", "silent_s"),
    [
        ("http", {"url": "http://plug/status", "interval_s": 1200}, "shelly", 3600),
        ("http", {"url": "http://plug/status", "interval_s": 10}, "shelly", shelly.SILENT_S),
        ("w1", {"interval_s": 300}, "ds18b20", 900),
    ],
)
def test_a_meter_that_is_asked_seldom_is_not_silent_in_between(
    tmp_path: Path, link: str, options: dict[str, object], meter: str, silent_s: float
) -> None:
    spooling = Spooling(Spool(tmp_path, bytes(32), 65_536))
    collection = Collection(MeterConfig("x", link, meter, link_options=options), ZoneInfo("UTC"), spooling)
    assert collection.watch.silent_s == silent_s
    spooling.close()
