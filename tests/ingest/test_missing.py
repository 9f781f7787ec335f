"""The ledger of what is missing: each silence is on it, from when to when and why, and nothing that was none."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from appliance.config import Config, MeterConfig
from appliance.errors import SourceError
from appliance.ingest import collecting, frames
from appliance.ingest.clock import Clock, Instant, boot_id
from appliance.ingest.collecting import Collection, Spooling
from appliance.ingest.frames import LINK, METER, START, Gap, Origin
from appliance.ingest.missing import of_source
from appliance.ingest.sealing import seal
from appliance.ingest.spool import Spool
from appliance.ingest.watching import DOWN, READING, SILENT, WAITING, Watch
from appliance.meters import Counters
from appliance.records import Frame, MeterReading, Outage
from appliance.store.database import Store
from appliance.store.models import SourceRow
from tests.contracts.meters import SAMPLES
from tests.p1_sealing import sealed

NOON_MS = 1_790_000_000_000
TELEGRAM = (SAMPLES / "dsmr" / "dsmr50-gas-water-heat.txt").read_bytes()
NO_OUTAGES: tuple[Outage, ...] = ()


@pytest.fixture
def writer(config: Config, store: Store) -> Iterator[Spool]:
    spool = Spool(config.spool, store.key.private.public_key().public_bytes_raw(), 65_536)
    yield spool
    spool.close()


def _heard(
    writer: Spool, at_s: int, gap: Gap | None = None, boot: str = "", outages: tuple[Outage, ...] = NO_OUTAGES
) -> None:
    reading = MeterReading("electricity.import", NOON_MS + at_s * 1000, Decimal(at_s), "kWh", stated=True)
    origin = Origin("house", "serial", "dsmr", boot or boot_id())
    writer.append(frames.to_bytes(origin, Frame("E1", (reading,), outages), gap=gap))


def _ledger(config: Config, store: Store) -> list[tuple[int, int, str, int]]:
    """From and to in seconds after noon, why, and of how many interruptions."""
    seal(store, config.spool)
    with store.read() as connection:
        source_id = connection.execute(select(SourceRow.id).where(SourceRow.name == "house")).scalar_one()
        gaps = of_source(connection, source_id)
    return [((gap.first_ms - NOON_MS) // 1000, (gap.last_ms - NOON_MS) // 1000, gap.why, gap.times) for gap in gaps]


def test_a_plug_that_was_out_is_on_the_ledger(config: Config, store: Store, writer: Spool) -> None:
    _heard(writer, 0)
    _heard(writer, 4, Gap(NOON_MS, LINK))
    _heard(writer, 5)
    assert _ledger(config, store) == [(0, 4, "link", 1)]


def test_a_loose_plug_is_one_line_with_its_number(config: Config, store: Store, writer: Spool) -> None:
    _heard(writer, 0)
    for at_s in range(10, 310, 10):
        _heard(writer, at_s, Gap(NOON_MS + (at_s - 5) * 1000, LINK))
    _heard(writer, 4000, Gap(NOON_MS + 3900_000, LINK))
    assert _ledger(config, store) == [(5, 300, "link", 30), (3900, 4000, "link", 1)]


@pytest.mark.parametrize(("boot", "why"), [("", "stopped"), ("another run", "off")])
def test_a_box_that_was_off_and_a_collector_that_was_stopped_are_told_apart(
    config: Config, store: Store, writer: Spool, boot: str, why: str
) -> None:
    _heard(writer, 0, Gap(None, START), boot)
    assert _ledger(config, store) == [], "nothing was heard before"
    _heard(writer, 3600, Gap(None, START))
    assert _ledger(config, store) == [(0, 3600, why, 1)]


def test_a_short_restart_is_not_worth_a_line(config: Config, store: Store, writer: Spool) -> None:
    _heard(writer, 0)
    _heard(writer, 5, Gap(None, START))
    assert _ledger(config, store) == []


def test_what_the_meter_says_of_its_own_power_is_kept_once(config: Config, store: Store, writer: Spool) -> None:
    outages = (Outage(NOON_MS - 90_000, NOON_MS - 30_000), Outage(NOON_MS - 20_000, NOON_MS - 10_000))
    for at_s in range(3):
        _heard(writer, at_s, outages=outages)
        seal(store, config.spool)
    assert _ledger(config, store) == [(-90, -30, "power", 1), (-20, -10, "power", 1)]


# ---- what the collector notices ----


def _at(seconds: float) -> Instant:
    return Instant(NOON_MS + int(seconds * 1000), int(seconds * 1000), True)


FRAME = Frame("E1", (MeterReading("gas", NOON_MS, Decimal(1), "m3"),))
CONFIG = MeterConfig("house", "serial", "dsmr")


def test_a_watch_notices_a_silent_meter_and_a_lost_link() -> None:
    watch = Watch(30, _at(0))
    assert watch.health(CONFIG, Counters(), _at(1)).state == WAITING
    watch.opened(_at(1))
    watch.heard(10, _at(2))
    assert watch.frame(FRAME, _at(2)) == Gap(None, START)
    assert watch.frame(FRAME, _at(20)) is None
    assert watch.health(CONFIG, Counters(), _at(49)).state == READING
    assert watch.health(CONFIG, Counters(), _at(51)).state == SILENT
    assert watch.frame(FRAME, _at(60)) == Gap(NOON_MS, METER)
    watch.failed("the plug is out")
    assert watch.health(CONFIG, Counters(), _at(61)).state == DOWN
    watch.opened(_at(62))
    assert watch.frame(FRAME, _at(62)) == Gap(NOON_MS, LINK)


def test_a_meter_that_may_be_silent_for_days_is_no_alarm() -> None:
    watch = Watch(0, _at(0))
    watch.opened(_at(0))
    watch.frame(FRAME, _at(1))
    assert watch.health(CONFIG, Counters(), _at(900_000)).state == READING
    assert watch.frame(FRAME, _at(900_000)) is None


def test_failures_are_counted_by_kind_and_their_kinds_are_bounded() -> None:
    watch = Watch(30, _at(0))
    for number in range(1000):
        watch.failed("no carrier")
        watch.failed(f"code {number}")
    health = watch.health(CONFIG, Counters(), _at(1))
    assert health.failures["no carrier"] == 1000
    assert sum(health.failures.values()) == 2000
    assert len(health.failures) <= 21


def test_what_a_meter_says_of_how_it_goes_is_told_with_its_health(tmp_path: Path) -> None:
    path = tmp_path / "sealed"
    path.write_bytes(b"".join(sealed(TELEGRAM, number) for number in range(3)))
    meter = MeterConfig("house", "replay", "dsmr", None, {"path": str(path)}, {"key": "F" * 32})
    spooling = Spooling(Spool(tmp_path / "spool", bytes(32), 65_536))
    collection = Collection(meter, ZoneInfo("UTC"), spooling, once=True)
    collection.run()
    spooling.close()
    told = collection.health()
    assert "the key does not open" in told.note
    assert (told.status, told.exceptions) == (0, {})


class _Broken:
    """A link over which two telegrams come, each time that it is open."""

    def __init__(self) -> None:
        self.left = 0

    def open(self) -> None:
        self.left = 2

    def read(self, timeout_s: float) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise SourceError("the plug is out")
        return b"x"

    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class _Counting:
    """A meter that says how many bytes it was fed; `years` ahead of now where it states a time."""

    def __init__(self, years: int | None = None) -> None:
        self.counters, self.years, self.fed = Counters(), years, 0

    def poll(self, now_ms: int) -> bytes:
        return b""

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        self.fed += len(data)
        at_ms = now_ms + (self.years or 0) * 365 * 86_400_000
        reading = MeterReading("gas", at_ms, Decimal(self.fed), "m3", stated=self.years is not None)
        return [Frame("G1", (reading,))] if data else []


def _collected(
    monkeypatch: pytest.MonkeyPatch, store: Store, config: Config, meter: _Counting, *, synced: bool = True
) -> Collection:
    """A collection whose clock goes on by ten seconds each time that it is looked at, stopped at its sixth byte."""
    moments = iter(range(0, 10_000_000, 10_000))
    mono = [0]

    def tick() -> int:
        mono[0] = next(moments)
        return mono[0]

    monkeypatch.setattr(collecting, "BACKOFF_S", (0,))
    monkeypatch.setattr(collecting, "link_of", lambda _: _Broken())
    monkeypatch.setattr(collecting, "meter_of", lambda *_: meter)
    spooling = Spooling(Spool(config.spool, store.key.private.public_key().public_bytes_raw()))
    clock = Clock(lambda: NOON_MS + mono[0], tick, lambda: synced)
    collection = Collection(CONFIG, ZoneInfo("UTC"), spooling, clock=clock)
    feed = meter.feed

    def fed(data: bytes, now_ms: int) -> list[Frame]:
        if meter.fed == 5:
            collection.stop()
        return feed(data, now_ms)

    monkeypatch.setattr(meter, "feed", fed)
    collection.run()
    spooling.close()
    return collection


def test_a_link_that_breaks_again_and_again_leaves_one_gap_a_time(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection = _collected(monkeypatch, store, config, _Counting())
    assert collection.health().failures == {"the plug is out": 2}
    assert collection.health().bytes == 6
    [(_, _, why, times)] = _ledger(config, store)
    assert (why, times) == ("link", 2)


@pytest.mark.parametrize(("synced", "believed"), [(True, False), (False, True)])
def test_a_meter_s_clock_years_ahead_is_not_believed_by_a_box_that_knows_the_time(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch, synced: bool, believed: bool
) -> None:
    from appliance.store import series as series_store

    _collected(monkeypatch, store, config, _Counting(years=73), synced=synced)
    seal(store, config.spool, patience_ms=0)
    with store.read() as connection:
        [series] = series_store.every(connection, "gas")
        at_ms = series_store.read(connection, series).at_ms
    assert bool((at_ms > NOON_MS + 10**12).all()) is believed
    assert len(at_ms) == 6
