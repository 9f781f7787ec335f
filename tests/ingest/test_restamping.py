"""Times: what a wrong clock stamped is put right, and no setting of the clock doubles or loses anything."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from appliance.config import Config
from appliance.ingest import clock, frames
from appliance.ingest.clock import Clock, Instant
from appliance.ingest.frames import Origin
from appliance.ingest.restamping import EARLIEST_MS, ESTIMATED
from appliance.ingest.sealing import Sealed, seal
from appliance.ingest.spool import Spool
from appliance.records import Frame, MeterReading
from appliance.store import series as series_store
from appliance.store.database import Store

DAY_MS, HOUR_MS, MINUTE_MS = 86_400_000, 3_600_000, 60_000
STARTED_MS = 1_780_000_000_000  # when the machine really started; a time in 2026
HERE, EARLIER = clock.boot_id(), "an earlier run"


class Machine:
    """A box whose clock can be set. It counts pulses of 1 Wh, one a second, and stamps them itself."""

    def __init__(self, writer: Spool, wrong_by_ms: int = 0, boot: str = HERE) -> None:
        self.mono_ms, self.wrong_by_ms, self.synced = 1_000, wrong_by_ms, False
        self._writer, self._origin = writer, Origin("attic", "gpio", "pulses", boot)
        self._clock = Clock(lambda: STARTED_MS + self.mono_ms + self.wrong_by_ms, lambda: self.mono_ms, self._is_synced)

    def _is_synced(self) -> bool:
        return self.synced

    def set_clock(self, wrong_by_ms: int = 0) -> None:
        self.wrong_by_ms, self.synced = wrong_by_ms, True

    def count(self, pulses: int) -> None:
        for _ in range(pulses):
            now = self._clock.now()
            pulse = MeterReading("electricity.import", now.at_ms, Decimal("0.001"), "kWh", seconds=1)
            self._writer.append(frames.to_bytes(self._origin, Frame("S0", (pulse,)), now))
            self.mono_ms += 1_000

    def hear_p1(self) -> None:
        """A telegram of a meter with a clock of its own, which is right."""
        power = MeterReading("electricity.power", STARTED_MS + self.mono_ms, Decimal("0.25"), "kW", stated=True)
        origin = Origin("house", "serial", "dsmr", self._origin.boot)
        self._writer.append(frames.to_bytes(origin, Frame("E1", (power,)), self._clock.now()))


@pytest.fixture
def writer(config: Config, store: Store) -> Iterator[Spool]:
    spool = Spool(config.spool, store.key.private.public_key().public_bytes_raw(), 65_536)
    yield spool
    spool.close()


def _sealed(config: Config, store: Store, box: Machine, run_for_ms: int = MINUTE_MS) -> Sealed:
    """Sealed on this machine after it has run for a while, whose clock is the box's."""
    now = Instant(STARTED_MS + run_for_ms + box.wrong_by_ms, run_for_ms, box.synced)
    return seal(store, config.spool, now=now)


def _readings(store: Store) -> list[tuple[int, int, str]]:
    """When each was after the real start, its Wh, and its quality."""
    with store.read() as connection:
        [series] = series_store.every(connection, "electricity.import")
        columns, qualities = series_store.read_with_quality(connection, series)
    at_ms = [at - STARTED_MS for at in columns.at_ms.tolist()]
    return list(zip(at_ms, (columns.values // 1_000).tolist(), qualities, strict=True))


@pytest.mark.parametrize("wrong_by_ms", [-STARTED_MS, -3 * DAY_MS, -HOUR_MS, 2 * HOUR_MS, 400 * DAY_MS])
def test_what_was_read_before_the_clock_was_set_has_its_own_time_after(
    config: Config, store: Store, writer: Spool, wrong_by_ms: int
) -> None:
    box = Machine(writer, wrong_by_ms)
    box.count(5)
    assert _sealed(config, store, box) == Sealed(), "it waits for the clock"
    box.set_clock()
    box.count(5)
    assert _sealed(config, store, box) == Sealed(10, 10, 0)
    assert _readings(store) == [(1_000 * second, 1, "") for second in range(1, 11)]


@pytest.mark.parametrize("jump_ms", [-40 * MINUTE_MS, -1_500, 1_500, DAY_MS])
def test_a_jump_of_a_clock_that_was_set_doubles_and_loses_nothing(
    config: Config, store: Store, writer: Spool, jump_ms: int
) -> None:
    box = Machine(writer)
    box.set_clock()
    box.count(100)
    _sealed(config, store, box)
    box.set_clock(jump_ms)
    box.count(100)
    assert _sealed(config, store, box) == Sealed(100, 100, 0)
    readings = _readings(store)
    assert sum(wh for _, wh, _ in readings) == 200
    assert len({at for at, _, _ in readings}) == 200


def test_a_box_that_has_no_time_server_is_believed_after_a_while(config: Config, store: Store, writer: Spool) -> None:
    box = Machine(writer, HOUR_MS)
    box.count(3)
    assert _sealed(config, store, box) == Sealed()
    assert _sealed(config, store, box, 11 * MINUTE_MS) == Sealed(3, 3, 0)
    assert [at for at, _, _ in _readings(store)] == [HOUR_MS + 1_000 * second for second in (1, 2, 3)]


def test_a_clock_in_1970_is_never_believed_and_holds_nothing_up_for_ever(
    config: Config, store: Store, writer: Spool
) -> None:
    box = Machine(writer, -STARTED_MS)
    box.count(3)
    assert _sealed(config, store, box, DAY_MS - 1) == Sealed()
    assert len(list(config.spool.iterdir())) == 1
    assert _sealed(config, store, box, DAY_MS) == Sealed(3, 3, 0)
    assert [(at + STARTED_MS - EARLIEST_MS, quality) for at, _, quality in _readings(store)] == [
        (1_000, ESTIMATED),
        (2_000, ESTIMATED),
        (3_000, ESTIMATED),
    ]


@pytest.mark.parametrize("wrong_by_ms", [-STARTED_MS, -5 * DAY_MS])
def test_a_meter_that_knows_the_time_tells_it_for_the_others_where_no_time_server_does(
    config: Config, store: Store, writer: Spool, wrong_by_ms: int
) -> None:
    box = Machine(writer, wrong_by_ms)
    box.count(3)
    box.hear_p1()
    box.count(2)
    assert _sealed(config, store, box) == Sealed(), "a time server may yet"
    assert _sealed(config, store, box, 11 * MINUTE_MS).stored == 6
    assert _readings(store) == [(1_000 * second, 1, "") for second in (1, 2, 3, 4, 5)]


@pytest.mark.parametrize("wrong_by_ms", [-STARTED_MS, 5 * DAY_MS])
def test_a_run_that_was_never_set_is_put_before_the_next_and_marked(
    config: Config, store: Store, writer: Spool, wrong_by_ms: int
) -> None:
    Machine(writer, wrong_by_ms, EARLIER).count(3)
    now = Machine(writer)
    assert _sealed(config, store, now) == Sealed()
    now.set_clock()
    now.count(2)
    assert _sealed(config, store, now) == Sealed(5, 5, 0)
    assert [at for at, _, quality in _readings(store) if quality == ESTIMATED] == [-2_000, -1_000, 0]
    assert [at for at, _, quality in _readings(store) if not quality] == [1_000, 2_000]


def test_a_run_whose_unset_clock_may_have_been_right_stays_as_it_is(
    config: Config, store: Store, writer: Spool
) -> None:
    Machine(writer, -DAY_MS, EARLIER).count(3)
    now = Machine(writer)
    now.set_clock()
    assert _sealed(config, store, now) == Sealed(3, 3, 0)
    assert [at + DAY_MS for at, _, _ in _readings(store)] == [1_000, 2_000, 3_000]


def test_the_clock_runs_evenly_and_takes_over_only_what_was_set() -> None:
    wall, mono = iter([1_000_000, 1_001_300, 1_001_900, 900_000, 901_000]), iter([0, 1_000, 2_000, 3_000, 4_000])
    even = Clock(lambda: next(wall), lambda: next(mono), lambda: True)
    said = [even.now() for _ in range(4)]
    assert said == [
        Instant(1_001_000, 1_000, True),
        Instant(1_002_000, 2_000, True),
        Instant(900_000, 3_000, True),
        Instant(901_000, 4_000, True),
    ]
    assert even.jumps == 1


def test_this_machine_s_clock_is_read() -> None:
    now = Clock().now()
    assert now.at_ms == pytest.approx(clock.wall_ms(), abs=60_000)
    assert 0 < now.mono_ms <= clock.mono_ms()
    assert len(clock.boot_id()) == 36
