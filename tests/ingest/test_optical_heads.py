"""Optical heads end to end: a terminal, the serial link, the meter, the spool, the store, and what a person reads."""

import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from appliance import energy
from appliance.config import Config, MeterConfig
from appliance.ingest.collecting import Collection, Spooling
from appliance.ingest.sealing import seal
from appliance.ingest.spool import Spool
from appliance.links import serial
from appliance.store.database import Store
from tests.contracts.links import TerminalRig
from tests.d0_meter import ACKNOWLEDGEMENT, REQUEST, ModeC
from tests.p1_cable import until
from tests.sml_head import Head

ZONE = ZoneInfo("Europe/Berlin")


@contextmanager
def collected(config: Config, store: Store, meter: MeterConfig) -> Iterator[Collection]:
    """A collection that runs; afterwards what it heard is in the store."""
    spooling = Spooling(Spool(config.spool, store.key.private.public_key().public_bytes_raw()))
    collection = Collection(meter, ZONE, spooling)
    thread = threading.Thread(target=collection.run)
    thread.start()
    try:
        yield collection
    finally:
        collection.stop()
        thread.join(30)
        spooling.close()
    seal(store, config.spool)


def head_of(rig: TerminalRig, meter: str, baudrate: int, **options: object) -> MeterConfig:
    link_options = {"path": str(rig.path), "by_id": str(rig.by_id), "baudrate": baudrate}
    return MeterConfig("cellar", "serial", meter, link_options=link_options, meter_options=options)


def heard(collection: Collection, count: int) -> Callable[[], object]:
    return lambda: collection.counters.telegrams >= count


def said(head: Head, import_wh10: int, power_w: int, collection: Collection) -> bool:
    """Whether what the head says was heard: what it says before the port is open nobody hears, so it says it again."""
    before = collection.counters.telegrams
    head.say(import_wh10, power_w)
    collection.stopping.wait(0.1)
    return collection.counters.telegrams > before


def read_back(store: Store, role: str) -> list[Decimal]:
    """The values of a series, each once for as long as it stays the same."""
    columns, exponent = energy.raw(store, energy.resolved(store, "cellar", role), None, None)
    values = [energy.decimal(value, exponent) for value in columns.values.tolist()]
    return [value for value, _ in groupby(values)]


def test_sml_from_the_head_into_the_store(config: Config, store: Store, tmp_path: Path) -> None:
    head = Head(tmp_path)
    with collected(config, store, head_of(head.rig, "sml", 9600)) as collection:
        for number, power_w in enumerate((420, -1500, 7), 1):
            until(lambda: said(head, 100_000_000 + number, power_w, collection), "a file is read")  # noqa: B023
    assert read_back(store, "electricity.import") == [Decimal(f"10000.000{number}") for number in (1, 2, 3)]
    assert read_back(store, "electricity.power") == [Decimal("0.420"), 0, Decimal("0.007")]
    assert read_back(store, "electricity.power.export") == [0, Decimal("1.500"), 0]
    assert collection.counters.crc_errors == collection.counters.refused == 0
    head.pull_out()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, int]]:
    """What the link sends from now on, each with the speed that the terminal has at that moment."""
    said: list[tuple[bytes, int]] = []
    write = serial.Link.write

    def noted(link: serial.Link, data: bytes) -> None:
        assert link._port
        said.append((data, int(termios.tcgetattr(link._port.fileno())[4])))
        write(link, data)

    monkeypatch.setattr(serial.Link, "write", noted)
    return said


def test_mode_c_is_asked_at_300_baud_and_read_at_the_speed_that_it_offers(
    config: Config, store: Store, tmp_path: Path, sent: list[tuple[bytes, int]]
) -> None:
    with (
        ModeC(tmp_path).listening() as meter,
        collected(config, store, head_of(meter.rig, "d0", 300, mode="request", interval_s=5)) as collection,
    ):
        until(heard(collection, 2), "two readouts")
    assert sent[:4] == [(REQUEST, termios.B300), (ACKNOWLEDGEMENT, termios.B300)] * 2
    assert read_back(store, "electricity.import")[:2] == [Decimal("1000.100"), Decimal("1000.200")]
    assert read_back(store, "electricity.power") == [Decimal("0.250")]
    assert collection.counters.crc_errors == collection.counters.partial == 0


def test_a_port_that_is_configured_for_another_speed_asks_at_300_baud(
    config: Config, store: Store, tmp_path: Path, sent: list[tuple[bytes, int]]
) -> None:
    with (
        ModeC(tmp_path).listening() as meter,
        collected(config, store, head_of(meter.rig, "d0", 115_200, mode="request")) as collection,
    ):
        until(heard(collection, 1), "a readout")
    assert sent[0] == (REQUEST, termios.B300)
