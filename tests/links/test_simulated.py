"""The simulated house, heard through the serial link and decoded by the real meter."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from appliance.errors import UserError
from appliance.house import House, advance
from appliance.links import simulated
from appliance.meters import dsmr
from appliance.records import Frame
from tests.contracts.links import PATIENCE_S

ZONE = "Europe/Amsterdam"
REGISTERS = {"electricity.import.t1", "electricity.import.t2", "electricity.export.t1", "electricity.export.t2", "gas"}


def _frames(options: simulated.Options, count: int) -> list[Frame]:
    """The first frames that the house's meter sends after being plugged in."""
    link, meter = simulated.Link(options), dsmr.Meter(dsmr.Options(), ZoneInfo(ZONE))
    link.open()
    frames: list[Frame] = []
    while len(frames) < count:
        data = link.read(PATIENCE_S)
        assert data, "the house is silent"
        frames += meter.feed(data, 0)
    link.close()
    assert meter.counters.crc_errors == meter.counters.partial == meter.counters.refused == 0
    return frames


def _registers(frame: Frame) -> dict[str, Decimal]:
    return {reading.role: reading.value for reading in frame.readings if reading.role in REGISTERS}


def _options(anchor: datetime) -> simulated.Options:
    return simulated.Options(
        zone=ZONE, anchor=anchor.isoformat(), import_t1_kwh=Decimal("1234.567"), gas_m3=Decimal(99), interval_s=0.02
    )


def test_reads_its_options_from_text() -> None:
    assert simulated.Options.from_text("") == simulated.Options()
    read = simulated.Options.from_text("zone=Europe/Paris,seed=7,solar_kwp=2.5,gas_m3=1.5,anchor=2026-01-01T00:00:00Z")
    assert read == simulated.Options(
        zone="Europe/Paris", seed=7, solar_kwp=2.5, gas_m3=Decimal("1.5"), anchor="2026-01-01T00:00:00Z"
    )


@pytest.mark.parametrize(
    "text", ["seed", "seed=x", "colour=red,gas_m3=x", "zone=Nowhere", "gas_m3=NaN", "solar_kwp=nan"]
)
def test_refuses_what_sets_nothing(text: str) -> None:
    with pytest.raises(UserError):
        simulated.Options.from_text(text)


def test_says_every_problem_of_a_configuration() -> None:
    with pytest.raises(UserError) as raised:
        simulated.Options(zone="Nowhere", anchor="2026-01-01", solar_kwp=-1, interval_s=0, gas_m3=Decimal(-1))
    assert len(raised.value.problems) == 5


def test_speaks_of_now_and_has_counted_since_the_anchor() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    options = _options(now - timedelta(hours=30))
    frame, *_ = _frames(options, 1)
    at_ms = frame.readings[0].at_ms
    assert now <= datetime.fromtimestamp(at_ms / 1000, UTC) <= now + timedelta(seconds=PATIENCE_S)
    counted = advance(House(1, ZoneInfo(ZONE), 4.0), options.anchored()[1], options.anchored()[0], at_ms)
    registers = _registers(frame)
    assert set(registers) == REGISTERS
    assert registers["electricity.import.t1"] * 1000 == counted.import_t1_wh
    assert registers["electricity.import.t2"] * 1000 == counted.import_t2_wh
    assert counted.import_t1_wh + counted.import_t2_wh > options.anchored()[1].import_t1_wh


def test_never_goes_back_over_a_restart() -> None:
    options = _options(datetime.now(UTC) - timedelta(hours=30))
    frames = [frame for _ in range(3) for frame in _frames(options, 4)]
    for before, after in pairwise(frames):
        assert all(_registers(after)[role] >= value for role, value in _registers(before).items())


def test_two_telegrams_of_one_second_agree() -> None:
    seen: dict[tuple[str, int], Decimal] = {}
    for frame in _frames(_options(datetime.now(UTC) - timedelta(hours=1)), 30):
        for reading in frame.readings:
            assert seen.setdefault((reading.role, reading.at_ms), reading.value) == reading.value


def test_numbers_of_its_own_rise_from_month_to_month_by_more_than_a_house_uses() -> None:
    house = House(1, ZoneInfo(ZONE), 4.0)
    first_ms, first = simulated.Options(zone=ZONE, anchor="2026-01-01T00:00:00+00:00").anchored()
    next_ms, following = simulated.Options(zone=ZONE, anchor="2026-02-01T00:00:00+00:00").anchored()
    used = advance(house, first, first_ms, next_ms)
    assert following.import_t1_wh > used.import_t1_wh
    assert following.import_t2_wh > used.import_t2_wh
    assert following.export_t1_wh > used.export_t1_wh
    assert following.export_t2_wh > used.export_t2_wh
    assert following.gas_litres > used.gas_litres


def test_without_an_anchor_it_is_the_first_of_the_month() -> None:
    at_ms, _ = simulated.Options(zone=ZONE).anchored()
    anchor = datetime.fromtimestamp(at_ms / 1000, UTC)
    assert (anchor.day, anchor.hour, anchor.minute) == (1, 0, 0)
