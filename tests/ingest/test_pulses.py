"""Pulses all the way: an hour at 100 Hz without a lost one, and a driven pin, through the spool into the store."""

import random
import threading
from collections.abc import Iterator
from decimal import Decimal
from unittest.mock import patch
from zoneinfo import ZoneInfo

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from appliance.config import Config, MeterConfig
from appliance.ingest import frames
from appliance.ingest.clock import Clock
from appliance.ingest.collecting import Collection, Spooling
from appliance.ingest.frames import Origin
from appliance.ingest.sealing import seal
from appliance.ingest.spool import Spool
from appliance.meters import pulses
from appliance.store import series as series_store
from appliance.store.database import Store
from tests.p1_cable import until

NOW_MS = 1_700_000_000_000
BOOT_NS = 77_000_000_000_000  # the monotonic clock at NOW_MS
HOUR_EDGES = 360_000
ORIGIN = Origin("pulses", "gpio", "pulses", "boot")

_encrypted_file = pytest.mark.parametrize("database_url", ["sqlcipher"], indirect=True)


@pytest.fixture
def spooling(config: Config, store: Store) -> Spooling:
    return Spooling(Spool(config.spool, store.key.private.public_key().public_bytes_raw()))


def _line(edge_ns: int, read_ns: int, seq: int) -> str:
    payload = f'{{\\"edge_ns\\": {edge_ns}, \\"read_ns\\": {read_ns}, \\"seq\\": {seq}}}'
    return f'{{"topic": "gpiochip0/17", "payload": "{payload}", "retain": 0}}\n'


def _hour(seed: int, *, bounces: bool) -> Iterator[int]:
    """When the edges of an hour are: 100 a second with jitter, and bounces after some of them."""
    chance = random.Random(seed)
    for number in range(HOUR_EDGES):
        at_ns = BOOT_NS + number * 10_000_000 + chance.randrange(6_000_000)
        yield at_ns
        if bounces and chance.random() < 0.05:
            yield at_ns + chance.randrange(200_000, 1_500_000)


def _batches(edges: list[tuple[int, int]], seed: int) -> Iterator[tuple[bytes, int]]:
    """Edges with their numbers as a busy box reads them, mostly a few, now and then many; each with its `now_ms`."""
    chance = random.Random(seed)
    first = 0
    while first < len(edges):
        batch = edges[first : first + chance.choice((1, 2, 5, 30, 60, 900))]
        first += len(batch)
        read_ns = batch[-1][0] + chance.randrange(1_000_000)
        yield "".join(_line(at, read_ns, seq) for at, seq in batch).encode(), NOW_MS + (read_ns - BOOT_NS) // 1_000_000


def _stored(store: Store, role: str) -> list[tuple[int, Decimal]]:
    with store.read() as connection:
        [series] = series_store.every(connection, role)
        columns = series_store.read(connection, series)
    values = [Decimal(value).scaleb(series.exponent) for value in columns.values.tolist()]
    return list(zip(columns.at_ms.tolist(), values, strict=True))


@_encrypted_file
def test_no_pulse_is_lost_or_doubled_at_100_hz_over_an_hour(config: Config, store: Store, spooling: Spooling) -> None:
    meter = pulses.Meter(pulses.Options(), ZoneInfo("UTC"))
    edges = [(at, seq) for seq, at in enumerate(_hour(1, bounces=True), 1)]
    assert len(edges) > HOUR_EDGES + 10_000, "there are bounces"
    for data, now_ms in _batches(edges, 2):
        for frame in meter.feed(data, now_ms):
            spooling.append(frames.to_bytes(ORIGIN, frame), len(frame.readings))
    for frame in meter.feed(b"", NOW_MS + 3_700_000):
        spooling.append(frames.to_bytes(ORIGIN, frame), len(frame.readings))
    spooling.close()
    seal(store, config.spool)
    used = _stored(store, "electricity.import")
    assert sum(value for _, value in used) == 360
    assert [at for at, _ in used] == [NOW_MS + second * 1000 for second in range(3600)]
    assert all(Decimal("0.099") <= value <= Decimal("0.101") for _, value in used)
    assert meter.counters.refused == len(edges) - HOUR_EDGES
    assert meter.counters.missed == 0


@pytest.mark.parametrize("jumps_ms", [(0, 0), (-3_600_000, 86_400_000)], ids=["steady", "set"])
def test_what_the_kernel_dropped_is_in_the_sum_even_where_the_clock_is_set(jumps_ms: tuple[int, int]) -> None:
    meter = pulses.Meter(pulses.Options(), ZoneInfo("UTC"))
    whole = [(at, seq) for seq, at in enumerate(_hour(3, bounces=False), 1)]
    heard = whole[:100_000] + whole[100_777:250_000] + whole[251_000:]
    found = []
    for data, now_ms in _batches(heard, 4):
        hour_ms = now_ms - NOW_MS
        jump_ms = (jumps_ms[0] if hour_ms > 1_200_000 else 0) + (jumps_ms[1] if hour_ms > 2_400_000 else 0)
        found += meter.feed(data, now_ms + jump_ms)
    found += meter.feed(b"", NOW_MS + 2 * 86_400_000)
    used = [each for frame in found for each in frame.readings if each.unit == "kWh"]
    assert sum(each.value for each in used) == 360
    assert meter.counters.missed == 1777
    assert len({each.at_ms for each in used}) == len(used)
    assert sum(each.quality == "estimated" for each in used) == 2


@_encrypted_file
def test_a_driven_pin_is_in_the_store(config: Config, store: Store, spooling: Spooling) -> None:
    factory, clock = MockFactory(), _Clock()
    pin = factory.pin(17)
    counting = {"debounce_ms": Decimal(0), "max_per_s": 9999}  # pulses come as fast as they can be driven
    with patch.object(gpiozero.Device, "pin_factory", factory):
        settings = MeterConfig("house", "gpio", "pulses", None, {"driver": "gpiozero"}, counting)
        collection = Collection(settings, ZoneInfo("UTC"), spooling, clock=clock.clock)
        thread = threading.Thread(target=collection.run)
        thread.start()
        until(lambda: pin.when_changed, "the pin is taken")
        _drive(pin, 50)
        until(lambda: _waiting(collection) == 50, "the pulses are heard")
        clock.now_ms += 2000
        _drive(pin, 1)
        until(lambda: collection.counters.telegrams, "the second of the pulses is over")
        collection.stop()
        thread.join(60)
    spooling.close()
    seal(store, config.spool)
    assert sum(value for _, value in _stored(store, "electricity.import")) == Decimal("0.050")


class _Clock:
    """The box's clock as the collecting loop sees it, which the test sets."""

    def __init__(self) -> None:
        self.now_ms = NOW_MS + 500
        self.clock = Clock(lambda: self.now_ms, lambda: self.now_ms - NOW_MS, lambda: True)


def _drive(pin: MockPin, count: int) -> None:
    for _ in range(count):
        pin.drive_low()
        pin.drive_high()


def _waiting(collection: Collection) -> int:
    """The pulses of the second that is not over yet."""
    meter = collection._meter
    assert isinstance(meter, pulses.Meter)
    return meter._open.pulses if meter._open else 0
