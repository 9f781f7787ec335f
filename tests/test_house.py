"""The simulated house: plausible over a year, exact to the millijoule, and heard rightly by the real meter."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.house import House, Registers, advance, history, telegram
from appliance.links import simulated
from appliance.meters import Counters, dsmr

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAY_MS = 86_400_000
ZONES = ["Europe/Amsterdam", "Europe/London", "Australia/Lord_Howe", "America/New_York", "Asia/Kathmandu", "UTC"]

_instants = st.integers(1_577_836_800_000, 1_577_836_800_000 + 20 * 366 * DAY_MS)
_houses = st.builds(
    House, st.integers(0, 2**40), st.sampled_from(ZONES).map(ZoneInfo), st.sampled_from([0.0, 4.0, 15.0])
)
_registers = st.builds(Registers, *[st.integers(0, 10**14)] * 4, st.integers(0, 10**13))


def month(number: int) -> tuple[int, int]:
    """The first millisecond of a month of 2025 in Amsterdam, and of the next month."""
    first = datetime(2025, number, 1, tzinfo=AMSTERDAM)
    following = datetime(2025 + number // 12, number % 12 + 1, 1, tzinfo=AMSTERDAM)
    return int(first.timestamp() * 1000), int(following.timestamp() * 1000)


def total_kwh(registers: Registers) -> tuple[float, float]:
    """What was taken and what was given."""
    taken = registers.import_t1_wh + registers.import_t2_wh
    return taken / 1000, (registers.export_t1_wh + registers.export_t2_wh) / 1000


@pytest.fixture(scope="module")
def months() -> list[Registers]:
    """What a house with solar panels counts in each month of 2025."""
    house = House(1, AMSTERDAM, 4.0)
    return [advance(house, Registers(), *month(number)) for number in range(1, 13)]


def test_a_year_is_plausible(months: list[Registers]) -> None:
    taken, given_back = (sum(total_kwh(each)[part] for each in months) for part in (0, 1))
    bare = House(1, AMSTERDAM, 0.0)
    used, none = total_kwh(advance(bare, Registers(), month(1)[0], month(12)[1]))
    assert none == 0
    assert 3000 < used < 4000
    assert 3000 < used - taken + given_back < 3800  # what the panels made
    assert 1000 < sum(each.gas_litres for each in months) / 1000 < 1400


def test_winter_takes_more_and_burns_more_and_summer_gives_more(months: list[Registers]) -> None:
    winter, summer = months[0], months[6]
    assert total_kwh(winter)[0] > 1.3 * total_kwh(summer)[0]
    assert total_kwh(summer)[1] > 2 * total_kwh(winter)[1]
    assert winter.gas_mm3 > 3 * summer.gas_mm3


def test_no_month_uses_more_than_the_simulated_link_allows_for(months: list[Registers]) -> None:
    bare = House(1, AMSTERDAM, 0.0)
    most = [advance(bare, Registers(), *month(number)) for number in (1, 12)]
    for each in most:
        assert max(each.import_t1_wh, each.import_t2_wh) < simulated._MONTHLY_IMPORT_KWH * 1000
        assert each.gas_litres < simulated._MONTHLY_GAS_M3 * 1000
    allowed_wh = simulated._MONTHLY_EXPORT_KWH_PER_KWP * 4 * 1000
    assert all(max(each.export_t1_wh, each.export_t2_wh) < allowed_wh for each in months)


@given(house=_houses, start=_registers, at_ms=_instants, steps=st.lists(st.integers(-DAY_MS, DAY_MS), max_size=4))
@settings(max_examples=40, deadline=None)
def test_registers_never_go_back(house: House, start: Registers, at_ms: int, steps: list[int]) -> None:
    registers = start
    for step in steps:
        after = advance(house, registers, at_ms, at_ms + step)
        assert after.import_t1_mj >= registers.import_t1_mj
        assert after.import_t2_mj >= registers.import_t2_mj
        assert after.export_t1_mj >= registers.export_t1_mj
        assert after.export_t2_mj >= registers.export_t2_mj
        assert after.gas_mm3 >= registers.gas_mm3
        registers, at_ms = after, at_ms + step


@given(house=_houses, at_ms=_instants, cut=st.integers(0, DAY_MS))
@settings(max_examples=40, deadline=None)
def test_the_parts_add_up_to_the_whole(house: House, at_ms: int, cut: int) -> None:
    whole = advance(house, Registers(), at_ms, at_ms + DAY_MS)
    part = advance(house, Registers(), at_ms, at_ms + cut)
    assert advance(house, part, at_ms + cut, at_ms + DAY_MS) == whole


@given(house=_houses, registers=_registers, at_ms=_instants)
@settings(max_examples=150, deadline=None)
def test_the_meter_hears_what_the_house_says(house: House, registers: Registers, at_ms: int) -> None:
    at_ms -= at_ms % 1000
    meter = dsmr.Meter(dsmr.Options(), house.zone)
    (frame,) = meter.feed(telegram(house, registers, at_ms), 0)
    said = {reading.role: reading for reading in frame.readings}
    assert meter.counters == Counters(telegrams=1)
    assert frame.device == house.serial
    assert said["electricity.import.t1"].value == Decimal(registers.import_t1_wh) / 1000
    assert said["electricity.import.t2"].value == Decimal(registers.import_t2_wh) / 1000
    assert said["electricity.export.t1"].value == Decimal(registers.export_t1_wh) / 1000
    assert said["electricity.export.t2"].value == Decimal(registers.export_t2_wh) / 1000
    import_w, export_w = house.power_w(at_ms)
    assert said["electricity.power"].value * 1000 == import_w
    assert said["electricity.power.export"].value * 1000 == export_w
    phases = [(said[f"electricity.power.l{n}"].value, said[f"electricity.power.export.l{n}"].value) for n in (1, 2, 3)]
    assert sum(taken - given_back for taken, given_back in phases) * 1000 == import_w - export_w
    assert {reading.at_ms for reading in frame.readings if reading.role != "gas"} == {at_ms}
    assert said["gas"].at_ms == at_ms - at_ms % 300_000


@pytest.mark.parametrize(("zone", "day"), [("Europe/Amsterdam", "2025-10-26"), ("Australia/Lord_Howe", "2025-04-06")])
def test_every_telegram_of_the_doubled_hour_is_placed_rightly(zone: str, day: str) -> None:
    house = House(1, ZoneInfo(zone), 4.0)
    start = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    for minute in range(0, 5 * 60, 5):
        at_ms = int((start + timedelta(minutes=minute)).timestamp() * 1000)
        (frame,) = dsmr.Meter(dsmr.Options(), house.zone).feed(telegram(house, Registers(), at_ms), 0)
        assert frame.readings[0].at_ms == at_ms


def test_gas_is_the_same_in_all_telegrams_of_one_stamp() -> None:
    house, seen = House(1, AMSTERDAM, 4.0), dict[int, Decimal]()
    meter = dsmr.Meter(dsmr.Options(), AMSTERDAM)
    start_ms, registers = month(1)[0] + 7 * 3_600_000, Registers.of(gas_m3=Decimal(1000))
    for at_ms, now, _, _ in history(house, registers, start_ms, start_ms + 3_600_000, step_s=37):
        (frame,) = meter.feed(telegram(house, now, at_ms), 0)
        gas = next(reading for reading in frame.readings if reading.role == "gas")
        assert seen.setdefault(gas.at_ms, gas.value) == gas.value
    values = list(seen.values())
    assert values == sorted(values)
    assert values[-1] > values[0]


def test_history_goes_step_by_step_and_meets_the_sum() -> None:
    house, first = House(3, AMSTERDAM, 4.0), month(3)[0]
    rows = list(history(house, Registers(), first, first + 2 * DAY_MS, step_s=600))
    assert [at_ms for at_ms, *_ in rows] == list(range(first, first + 2 * DAY_MS, 600_000))
    assert all(before.import_t1_mj <= after.import_t1_mj for (_, before, *_), (_, after, *_) in pairwise(rows))
    at_ms, registers, import_w, export_w = rows[-1]
    assert registers == advance(house, Registers(), first, at_ms)
    assert (import_w, export_w) == house.power_w(at_ms)


def test_the_low_tariff_holds_at_night_and_on_weekends() -> None:
    house = House(1, AMSTERDAM, 4.0)
    for text, low in [
        ("2025-03-28T06:59", True),
        ("2025-03-28T07:00", False),
        ("2025-03-28T22:59", False),
        ("2025-03-28T23:00", True),
        ("2025-03-30T12:00", True),  # a Sunday, and the day on which clocks change
        ("2025-03-31T07:00", False),
    ]:
        at = datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)
        assert house.minute(int(at.timestamp() * 1000))[2] is low, text


def test_houses_differ_by_their_seed() -> None:
    first, second = (House(seed, AMSTERDAM, 4.0) for seed in (1, 2))
    at = [month(5)[0] + hour * 3_600_000 for hour in range(48)]
    assert [first.power_w(at_ms) for at_ms in at] != [second.power_w(at_ms) for at_ms in at]
