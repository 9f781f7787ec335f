"""The devices behind the series: after whatever happens at a meter the sum and the days are right, and it is listed."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from appliance import energy
from appliance.config import Config
from appliance.derive import rollups
from appliance.devices import episodes, happened, ledger, typed
from appliance.devices.ledger import State
from appliance.ingest import frames, stating
from appliance.ingest.clock import boot_id
from appliance.ingest.frames import LINK, Gap, Origin
from appliance.ingest.sealing import seal
from appliance.ingest.spool import Spool
from appliance.records import Frame, MeterReading, Outage, Source
from appliance.store import imports, series
from appliance.store.database import Store
from appliance.store.series import Columns, Lineage

FIRST_MS = 1_772_323_200_000  # 2026-03-01T00:00:00Z
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
UTC = ZoneInfo("UTC")
ROLE = "electricity.import"


@pytest.fixture
def writer(config: Config, store: Store) -> Iterator[Spool]:
    spool = Spool(config.spool, store.key.private.public_key().public_bytes_raw(), 65_536)
    yield spool
    spool.close()


def _heard(
    writer: Spool, values: Sequence[str], *, from_hour: int = 0, device: str = "E1", source: str = "house"
) -> None:
    """A reading of the register each hour."""
    for hour, value in enumerate(values, from_hour):
        _said(writer, hour, value, device=device, source=source)


def _said(
    writer: Spool,
    hour: float,
    value: str,
    gap: Gap | None = None,
    *,
    device: str = "E1",
    source: str = "house",
    role: str = ROLE,
    seconds: int = 0,
    outages: tuple[Outage, ...] = (),
) -> None:
    at_ms = FIRST_MS + round(hour * HOUR_MS)
    reading = MeterReading(role, at_ms, Decimal(value), "kWh", seconds, stated=True)
    origin = Origin(source, "serial", "dsmr", boot_id())
    writer.append(frames.to_bytes(origin, Frame(device, (reading,), outages), gap=gap))


def _brought(
    store: Store, hours: range, each: int, *, source: str = "supplier", role: str = ROLE, quality: str = ""
) -> int:
    """What was used in each of these hours, in Wh, as an import has it."""
    at_ms = FIRST_MS + np.array(hours, np.int64) * HOUR_MS
    columns = Columns(at_ms, np.full(len(at_ms), 3600, np.int64), np.full(len(at_ms), each * 1000, np.int64))
    said = {"at_us": 0, "file": "f", "format": "x", "sha256": None, "named_source": "", "options": {}, "retry_of": None}
    with store.write() as connection:
        made = series.found_or_made(connection, Source(source), role, "kWh", -6, 3600)
        number = imports.begin(connection, **said)
        series.append(connection, made, columns, Lineage(number, quality=quality))
    return number


def _days(store: Store, days: int, source: str = "house", role: str = ROLE) -> list[Decimal]:
    """What was used on each day."""
    parts = energy.resolved(store, source, role)
    values = energy.stepped(store, parts, FIRST_MS, FIRST_MS + days * DAY_MS, UTC, "day")
    return [energy.decimal(each, values.exponent) for each in values.totals.tolist()]


def _listed(store: Store) -> list[tuple[str, str, bool]]:
    rollups.refresh(store)
    with store.read() as connection:
        return [(each.source, each.what, each.is_sure) for each in happened.steps(connection)]


def _event(store: Store, **said: str) -> None:
    stating.add(store, "energy.meter_event", {"source": "house", "supply": "electricity", **said}, "Ada")


def _counting(begin: str, hours: int, each: str = "0.5") -> list[str]:
    """A register that goes up by as much each hour."""
    return [str(Decimal(begin) + number * Decimal(each)) for number in range(hours)]


def test_a_meter_swap_is_an_episode_each_and_the_days_are_what_was_used(
    config: Config, store: Store, writer: Spool
) -> None:
    _heard(writer, _counting("4321.5", 37))
    _heard(writer, _counting("17", 36), from_hour=37, device="E2")
    seal(store, config.spool)
    assert _listed(store) == [("house", "swap", True)]
    assert _days(store, 3) == [Decimal("12"), Decimal("11.5"), Decimal("12")]
    with store.read() as connection:
        found = episodes.every(connection)
    assert [(each.device, (each.first_ms - FIRST_MS) // HOUR_MS, each.roles) for each in found] == [
        ("E2", 37, (ROLE,)),
        ("E1", 0, (ROLE,)),
    ]
    assert [(each.last_ms - FIRST_MS) // HOUR_MS for each in found] == [72, 36]
    _event(store, event="swap", at="2026-03-02T12:30:00Z", old_register="4339.75", new_register="16.75")
    assert _days(store, 3) == [Decimal("12"), Decimal("12"), Decimal("12")]
    assert _listed(store) == []
    with store.read() as connection:
        [said] = happened.events(connection)
        assert happened.sources_of(said, series.every(connection)) == {"house"}


@pytest.mark.parametrize(
    ("values", "what", "is_sure", "days"),
    [
        ([*_counting("812", 13), *_counting("0.5", 36)], "reset", True, ["12", "12"]),
        ([*_counting("99994", 12), *_counting("0", 37)], "rollover", True, ["12", "12"]),
        ([*_counting("500", 12), "4000000", *_counting("506.5", 36)], "spike", True, ["12", "12"]),
        ([*_counting("500", 12), "9000", *_counting("9000.5", 36)], "jump", False, ["11.5", "12"]),
        ([*_counting("500", 13), *_counting("300", 36)], "back", False, ["11.5", "12"]),
    ],
)
def test_what_a_counter_does_beside_counting_is_listed_and_spoils_no_day(
    config: Config, store: Store, writer: Spool, values: list[str], what: str, is_sure: bool, days: list[str]
) -> None:
    _heard(writer, values)
    seal(store, config.spool)
    assert _listed(store) == [("house", what, is_sure)]
    assert _days(store, 2) == [Decimal(each) for each in days]
    with store.read() as connection:
        assert happened.counts(connection) == {"house": 1}


def test_what_a_person_says_of_a_leap_is_counted_so(config: Config, store: Store, writer: Spool) -> None:
    _heard(writer, [*_counting("500", 12), "9000", *_counting("9000.5", 36)])
    seal(store, config.spool)
    _event(store, event="swap", at="2026-03-01", old_register="505.75", new_register="8999.75")
    assert _days(store, 2) == [Decimal("12"), Decimal("12")]


def test_a_mistaken_multiplier_is_put_right_for_the_days_that_it_held(
    config: Config, store: Store, writer: Spool
) -> None:
    _heard(writer, [*_counting("100", 25), *_counting("117", 23, "5"), *_counting("227.5", 25)])
    seal(store, config.spool)
    assert sum(_days(store, 3)) == Decimal("139.5")
    _event(store, event="multiplier", at="2026-03-02T00:00:00Z", factor="0.1", until="2026-03-02")
    assert _days(store, 3) == [Decimal("12"), Decimal("11.55"), Decimal("12")]


def test_a_house_move_counts_nothing_between_the_two_homes(config: Config, store: Store, writer: Spool) -> None:
    _heard(writer, _counting("400", 25))
    _heard(writer, _counting("8000", 25), from_hour=48)
    seal(store, config.spool)
    _event(store, event="move", at="2026-03-02")
    assert _days(store, 3) == [Decimal("12"), Decimal("0"), Decimal("12")]
    assert _listed(store) == []


def _ledger(config: Config, store: Store, source: str = "house") -> list[ledger.Missing]:
    seal(store, config.spool)
    rollups.refresh(store)
    with store.read() as connection:
        return ledger.of(connection, source)


def _states(found: list[ledger.Missing]) -> list[tuple[str, str, tuple[str, ...], bool]]:
    return [(each.quantity, each.state, each.by, each.estimated) for gap in found for each in gap.closed]


def test_a_register_counts_on_while_nobody_listens(config: Config, store: Store, writer: Spool) -> None:
    _said(writer, 0, "100")
    _said(writer, 10, "105", Gap(FIRST_MS, LINK))
    [gap] = found = _ledger(config, store)
    assert (gap.why, gap.times, gap.last_ms - gap.first_ms) == ("link", 1, 10 * HOUR_MS)
    assert _states(found) == [(ROLE, State.COUNTED, (), False)]
    assert not ledger.is_open(gap)


def test_pulses_that_nobody_heard_are_missing_until_an_import_brings_them(
    config: Config, store: Store, writer: Spool
) -> None:
    _said(writer, 0, "0.1", seconds=1)
    _said(writer, 10, "0.1", Gap(FIRST_MS, LINK), seconds=1)
    [gap] = found = _ledger(config, store)
    assert _states(found) == [(ROLE, State.MISSING, (), False)]
    assert ledger.is_open(gap)
    _brought(store, range(0, 5), 500, source="half")
    assert _states(_ledger(config, store)) == [(ROLE, State.PARTLY, ("half",), False)]
    _brought(store, range(-24, 24), 500, source="guess", quality="estimated")
    assert _states(_ledger(config, store)) == [(ROLE, State.MEASURED, ("guess",), True)]
    _brought(store, range(-24, 24), 500)
    [gap] = found = _ledger(config, store)
    assert _states(found) == [(ROLE, State.MEASURED, ("supplier",), False)]
    assert not ledger.is_open(gap)


def test_the_meters_own_history_closes_a_gap_and_says_that_it_is_an_estimate(
    config: Config, store: Store, writer: Spool
) -> None:
    _said(writer, 0, "0.1", seconds=1)
    _said(writer, 4, "0.1", Gap(FIRST_MS, LINK), seconds=1)
    seal(store, config.spool)
    origin = Origin("house", "serial", "currentcost", boot_id())
    for hour in (0, 2):
        at_ms = FIRST_MS + hour * HOUR_MS
        kept = MeterReading(f"{ROLE}.history", at_ms, Decimal("1.2"), "kWh", 7200, stated=True, quality="estimated")
        writer.append(frames.to_bytes(origin, Frame("E1", (kept,))))
    assert _states(_ledger(config, store)) == [(ROLE, State.MEASURED, ("house",), True)]


def test_another_meter_of_the_house_tells_nothing_of_this_one(config: Config, store: Store, writer: Spool) -> None:
    _said(writer, 0, "0.1", seconds=1)
    for quarter in range(48):
        _said(writer, quarter / 4, str(100 + quarter), source="heat pump")
    _said(writer, 10, "0.1", Gap(FIRST_MS, LINK), seconds=1)
    assert _states(_ledger(config, store)) == [(ROLE, State.MISSING, (), False)]


def test_a_meter_that_was_exchanged_in_a_gap_keeps_what_it_counted_to_itself(
    config: Config, store: Store, writer: Spool
) -> None:
    _said(writer, 0, "4321")
    _said(writer, 10, "17", Gap(FIRST_MS, LINK), device="E2")
    [gap] = found = _ledger(config, store)
    assert _states(found) == [(ROLE, State.EXCHANGED, (), False)]
    assert ledger.is_open(gap)
    _event(store, event="swap", at="2026-03-01", old_register="4325", new_register="16")
    assert _states(_ledger(config, store)) == [(ROLE, State.COUNTED, (), False)]


def test_without_power_nothing_was_used_and_nothing_is_asked(config: Config, store: Store, writer: Spool) -> None:
    outage = Outage(FIRST_MS + HOUR_MS, FIRST_MS + 2 * HOUR_MS)
    _said(writer, 3, "100", outages=(outage,))
    [gap] = found = _ledger(config, store)
    assert _states(found) == [(ROLE, State.POWERLESS, (), False)]
    assert not ledger.is_open(gap)


def test_how_long_nothing_was_heard_counts_no_moment_twice(config: Config, store: Store, writer: Spool) -> None:
    outage = Outage(FIRST_MS + HOUR_MS, FIRST_MS + 2 * HOUR_MS)
    _said(writer, 0, "100")
    _said(writer, 10, "105", Gap(FIRST_MS, LINK), outages=(outage,))
    _said(writer, 10.5, "105", Gap(FIRST_MS + 9 * HOUR_MS, frames.METER))
    seal(store, config.spool)
    with store.read() as connection:
        assert ledger.missing_ms(connection, FIRST_MS - DAY_MS, FIRST_MS + DAY_MS) == {"house": 10.5 * HOUR_MS}
        assert ledger.missing_ms(connection, FIRST_MS + 9 * HOUR_MS, FIRST_MS + DAY_MS) == {"house": 1.5 * HOUR_MS}
        assert ledger.missing_ms(connection, FIRST_MS + DAY_MS, FIRST_MS + 2 * DAY_MS) == {}
        assert ledger.totals(connection) == {"house": (3, 12.5 * HOUR_MS)}


def _typed(store: Store, at: str, register: str, *, sure: bool = False, **said: str) -> int:
    fields = {"at": at, "register": register, "supply": "electricity", **said}
    return stating.add(store, "energy.meter_reading", fields, "Ada", sure=sure).id


def _registers(store: Store) -> tuple[list[typed.Register], list[typed.Lost]]:
    rollups.refresh(store)
    with store.read() as connection:
        return typed.registers_of(connection, UTC)


def test_typed_readings_tell_how_far_a_pulse_counter_drifts_and_anchor_it(
    config: Config, store: Store, writer: Spool
) -> None:
    for minute in range(0, 48 * 60, 10):
        _said(writer, minute / 60, "0.1", seconds=1)
    seal(store, config.spool)
    _typed(store, "2026-03-01T06:05:00Z", "4000")
    _typed(store, "2026-03-02T06:05:00Z", "4015")
    [found], lost = _registers(store)
    assert lost == []
    assert (found.source, found.role, found.unit) == ("house", ROLE, "kWh")
    [drift] = found.drifts
    assert (drift.typed, drift.counted, drift.off) == (Decimal(15), Decimal("14.4"), Decimal("-0.6"))
    assert drift.per_cent == Decimal("-4.00")
    assert found.now == Decimal("4015") + Decimal("10.7")  # at 06:10, and every ten minutes until 23:50
    assert (found.until_ms - FIRST_MS) // 60_000 == 48 * 60 - 10


def test_a_typed_reading_of_a_day_is_taken_as_of_noon_and_tariffs_are_one_register(
    config: Config, store: Store, writer: Spool
) -> None:
    for hour in range(72):
        _said(writer, hour, str(100 + hour), role=f"{ROLE}.t1")
        _said(writer, hour, str(50 + hour * Decimal("0.5")), role=f"{ROLE}.t2")
    seal(store, config.spool)
    _typed(store, "2026-03-01", "168")
    _typed(store, "2026-03-02", "204")
    [found], _ = _registers(store)
    [drift] = found.drifts
    assert (found.role, drift.typed, drift.counted, drift.off) == (ROLE, Decimal(36), Decimal(36), Decimal(0))
    assert drift.first.day_only
    assert found.now == Decimal(204) + Decimal("1.5") * 35


def test_over_a_meter_s_exchange_a_typed_reading_is_held_against_both_registers(
    config: Config, store: Store, writer: Spool
) -> None:
    for hour in range(48):
        _said(writer, hour, "0.5", seconds=1)
    seal(store, config.spool)
    _typed(store, "2026-03-01T02:00:00Z", "900")
    _typed(store, "2026-03-02T02:00:00Z", "15", sure=True)
    [found], _ = _registers(store)
    assert found.drifts[0].typed is None
    _event(store, event="swap", at="2026-03-01T12:00:00Z", old_register="905", new_register="8")
    [found], _ = _registers(store)
    assert (found.drifts[0].typed, found.drifts[0].off) == (Decimal(12), Decimal(0))
    _event(store, event="swap", at="2026-03-02T12:00:00Z")
    [found], _ = _registers(store)
    assert found.now is None


@pytest.mark.parametrize(
    ("then", "device", "shows", "used"),
    [
        (_counting("17", 36), "E2", "23.5", "18.5"),  # a swap: what flowed in between is in neither count
        (_counting("0.5", 36), "E1", "7", "19"),  # a reset, that began at zero
    ],
)
def test_over_what_a_rule_found_a_typed_reading_is_held_against_the_count_and_anchors_nothing_before(
    config: Config, store: Store, writer: Spool, then: Sequence[str], device: str, shows: str, used: str
) -> None:
    _heard(writer, _counting("4321.5", 37))
    _heard(writer, then, from_hour=37, device=device)
    seal(store, config.spool)
    _typed(store, "2026-03-01T12:00:00Z", "4327.5")
    [found], _ = _registers(store)
    assert found.now is None
    _typed(store, "2026-03-03T02:00:00Z", shows, sure=True)
    [found], _ = _registers(store)
    assert (found.drifts[0].typed, found.drifts[0].off) == (Decimal(used), Decimal(0))
    assert found.now == Decimal(shows) + Decimal("11")


def test_a_leap_that_no_rule_explains_anchors_nothing_before_it(config: Config, store: Store, writer: Spool) -> None:
    _heard(writer, [*_counting("100", 24), *_counting("90000", 24)])
    seal(store, config.spool)
    _typed(store, "2026-03-01T12:00:00Z", "106")
    [found], _ = _registers(store)
    assert found.now is None


def test_what_happened_on_the_day_of_a_typed_reading_is_counted_on_neither_side_of_it(
    config: Config, store: Store, writer: Spool
) -> None:
    for hour in range(24 * 9):
        _said(writer, hour, "0.5", seconds=1)
    seal(store, config.spool)
    for day, register in (("2026-03-01", "900"), ("2026-03-05", "8"), ("2026-03-09", "56")):
        _typed(store, day, register, sure=True)
    _event(store, event="swap", at="2026-03-05", old_register="948", new_register="8")
    [found], _ = _registers(store)
    assert [each.typed for each in found.drifts] == [None, None]
    assert [each.counted for each in found.drifts] == [Decimal(48), Decimal(48)]


def test_an_exchange_of_one_tariff_s_register_is_not_told_from_the_sum_of_both(
    config: Config, store: Store, writer: Spool
) -> None:
    for hour in range(72):
        for tariff in ("t1", "t2"):
            _said(writer, hour, str(100 + hour), role=f"{ROLE}.{tariff}")
    seal(store, config.spool)
    _typed(store, "2026-03-01T02:00:00Z", "204")
    _typed(store, "2026-03-02T02:00:00Z", "252")
    said = {"at": "2026-03-01T12:00:00Z", "old_register": "112", "new_register": "112"}
    _event(store, event="swap", role=f"{ROLE}.t2", **said)
    [found], _ = _registers(store)
    assert found.drifts[0].typed is None


def test_a_typed_reading_that_fits_no_register_says_why(config: Config, store: Store, writer: Spool) -> None:
    of_another_kind = _typed(store, "2026-03-01", "5", supply="", source="house", role="pool", unit="m³")
    for source in ("house", "barn"):
        _heard(writer, _counting("1", 3), source=source)
    _said(writer, 0, "5", role="pool")
    seal(store, config.spool)
    said = {
        _typed(store, "2026-03-01", "5"): "several meters count that (barn, house): say which",
        _typed(store, "2026-03-01", "5", supply="gas"): "no meter here counts that",
        _typed(store, "2026-03-01", "5", supply=""): "it says neither meter nor series nor supply",
        of_another_kind: "its unit is not that of the series, kWh",
    }
    found, lost = _registers(store)
    assert {each.fact: each.why for each in lost} == said
    assert found == []
