"""A typed reading that cannot be is refused with what to do; one that hardly can is asked back, and kept when sure."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from sqlalchemy import insert

from appliance.derive import rollups
from appliance.ingest import stating
from appliance.kinds import DoubtError, FieldsError
from appliance.records import Source
from appliance.store import records, series
from appliance.store.database import Store
from appliance.store.models import Setting
from appliance.store.series import Columns, Lineage
from tests import photos

READING, EVENT = "energy.meter_reading", "energy.meter_event"
FIRST_MS = 1_772_323_200_000  # 2026-03-01T00:00:00Z
HOUR_MS = 3_600_000


def _type(store: Store, at: str, register: str, *, sure: bool = False, **said: str) -> int:
    said = {"supply": "electricity"} | said
    return stating.add(store, READING, {"at": at, "register": register, **said}, "Ada", sure=sure).id


def _happened(store: Store, at: str, event: str, **said: str) -> None:
    stating.add(store, EVENT, {"at": at, "event": event, "supply": "electricity", **said}, "Ada")


def _count(store: Store) -> int:
    with store.read() as connection:
        return records.next_id(connection) - 1


def _heard(
    store: Store,
    values: list[str],
    role: str = "electricity.import",
    unit: str = "kWh",
    device: str = "E1",
    hour: int = 0,
) -> None:
    """What the box read of a register at each hour from 1 March 2026 on."""
    with store.write() as connection:
        made = series.found_or_made(connection, Source("house"), role, unit, -3, 0)
        at_ms = FIRST_MS + (hour + np.arange(len(values), dtype=np.int64)) * HOUR_MS
        scaled = np.array([int(Decimal(value).scaleb(-made.exponent)) for value in values], np.int64)
        lineage = Lineage(link="serial", meter="dsmr", device=device, boot="b")
        series.append(connection, made, Columns(at_ms, np.zeros(len(values), np.int64), scaled), lineage)


# ---- refused ----


@pytest.mark.parametrize("at", ["2150-01-01", "2150-01-01T12:00Z", "within the hour"])
def test_a_reading_of_the_future_is_refused_by_the_box_s_clock(store: Store, at: str) -> None:
    if at == "within the hour":
        at = (datetime.now(UTC) + timedelta(hours=1)).isoformat(timespec="seconds")
    with pytest.raises(FieldsError, match=r"still to come: by this box’s clock it is 20\d\d-.*write when you read it"):
        _type(store, at, "4000", sure=True)
    assert _count(store) == 0


def test_today_is_the_household_s_day_and_without_one_the_latest_on_earth(store: Store) -> None:
    latest = datetime.now(UTC) + timedelta(hours=14)
    _type(store, latest.date().isoformat(), "4000")
    with pytest.raises(FieldsError, match="still to come"):
        _type(store, (latest.date() + timedelta(days=1)).isoformat(), "4001")
    with store.write() as connection:
        connection.execute(insert(Setting).values(name="zone", value="Pacific/Pago_Pago"))  # 11 hours behind UTC
    with pytest.raises(FieldsError, match="still to come"):
        _type(store, latest.date().isoformat(), "4001")


@pytest.mark.parametrize(
    ("supply", "unit", "says"),
    [
        ("electricity", "m³", "electricity.import is not counted in m³; write kWh"),
        ("gas", "kWh", "gas is not counted in kWh; write m3 or ft3"),
        ("water", "kWh", "write m3"),
        ("heat", "m3", "write GJ or kWh"),
        ("oil", "kg", "write L"),
    ],
)
def test_a_unit_in_which_no_such_meter_counts_is_refused(store: Store, supply: str, unit: str, says: str) -> None:
    with pytest.raises(FieldsError, match=says):
        _type(store, "2026-03-01", "5", supply=supply, unit=unit, sure=True)
    assert _count(store) == 0


def test_a_unit_that_is_not_that_of_the_series_is_refused_and_one_that_can_be_turned_into_it_is_kept(
    store: Store,
) -> None:
    _heard(store, ["100", "101"], "water", "m3")
    with pytest.raises(FieldsError, match="water is not counted in kWh; write m3"):
        _type(store, "2026-03-01", "101", supply="water", unit="kWh")
    _type(store, "2026-03-02", "101250", supply="water", unit="litres")
    with pytest.raises(DoubtError, match=r"101.1 m3 is less than the 101.25 m3 that you read on 2026-03-02"):
        _type(store, "2026-03-03", "101.1", supply="water", unit="m3")


@pytest.mark.parametrize(
    ("register", "unit", "says"),
    [
        ("123456789", "", "more digits than a meter shows; write the point"),
        ("123456789", "kWh", "more digits"),
        ("43712345", "MWh", "more digits"),
        ("4371.1234567", "", "more decimals"),
        ("-5", "", "below zero"),
    ],
)
def test_what_no_meter_shows_is_refused(store: Store, register: str, unit: str, says: str) -> None:
    with pytest.raises(FieldsError, match=says) as raised:
        _type(store, "2026-03-01", register, unit=unit, sure=True)
    assert set(raised.value.of) == {"register"}


def test_all_that_cannot_be_is_said_at_once_and_no_photo_is_kept(store: Store) -> None:
    said = {"at": "2150-01-01", "register": "999999999", "supply": "gas", "unit": "kWh"}
    with pytest.raises(FieldsError) as raised:
        stating.add(store, READING, said, "Ada", files={"photo": photos.JPEG})
    assert set(raised.value.of) == {"at", "unit", "register"}
    with store.read() as connection:
        assert records.one(connection, 1) is None


# ---- asked back ----


def test_less_than_before_is_asked_back_and_kept_when_one_is_sure(store: Store) -> None:
    first = _type(store, "2026-03-01", "4371.45")
    with pytest.raises(
        DoubtError, match=rf"4300 is less than the 4371.45 .*2026-03-01 \(record {first}\).*meter event"
    ):
        _type(store, "2026-04-01", "4300")
    assert _count(store) == first
    _type(store, "2026-04-01", "4300", sure=True)


def test_more_than_later_is_asked_back(store: Store) -> None:
    _type(store, "2026-03-01", "4000")
    _type(store, "2026-05-01", "4200")
    _type(store, "2026-04-01", "4100")
    with pytest.raises(DoubtError, match=r"4201.5 is more than the 4200 that you read on 2026-05-01"):
        _type(store, "2026-04-20", "4201.5")
    with pytest.raises(DoubtError, match=r"4098.00 is less than the 4100 that you read on 2026-04-01"):
        _type(store, "2026-04-20", "4098.00")


@pytest.mark.parametrize(("before", "now"), [("4371.45", "4371"), ("4372", "4371.9"), ("4371.45", "4371.45")])
def test_decimals_that_were_left_out_or_rounded_are_no_doubt(store: Store, before: str, now: str) -> None:
    _type(store, "2026-03-01", before)
    _type(store, "2026-03-02", now)


def test_a_point_that_was_left_out_is_asked_back(store: Store) -> None:
    _type(store, "2026-03-01", "4371.4", unit="kWh")
    _type(store, "2026-03-31", "4702.9", unit="kWh")
    with pytest.raises(DoubtError, match=r"is 42326.1 kWh away from the 4702.9 kWh .*where the meter has it"):
        _type(store, "2026-04-30", "47029", unit="kWh")


@pytest.mark.parametrize("event", ["swap", "reset", "rollover", "move"])
def test_after_what_a_person_says_happened_a_register_may_show_less(store: Store, event: str) -> None:
    _type(store, "2026-03-01", "99990")
    _happened(store, "2026-03-10", event)
    _type(store, "2026-03-20", "12")
    with pytest.raises(DoubtError, match="10 is less than the 12"):
        _type(store, "2026-03-21", "10")


def test_what_happened_on_the_day_itself_or_at_another_meter_is_told_apart(store: Store) -> None:
    _type(store, "2026-03-01", "4000")
    _happened(store, "2026-03-20", "swap", supply="gas")
    _happened(store, "2026-03-20", "multiplier", factor="0.1")
    with pytest.raises(DoubtError):
        _type(store, "2026-03-20", "12")
    _happened(store, "2026-03-20", "swap")
    _type(store, "2026-03-20", "12")


def test_less_than_the_box_read_itself_is_asked_back(store: Store) -> None:
    _heard(store, ["4371.45", "4371.9", "4372.3"])
    with pytest.raises(DoubtError, match=r"4270 is less than the 4372.3 kWh that the box read itself on 2026-03-01"):
        _type(store, "2026-03-02", "4270")
    with pytest.raises(DoubtError, match=r"4381.0 is more than the 4371.9 kWh that the box read itself"):
        _type(store, "2026-03-01T00:30Z", "4381.0")
    _type(store, "2026-03-01T01:30Z", "4371")
    assert _type(store, "2026-03-02T01:00Z", "4379")


def test_the_sum_of_tariffs_is_what_a_register_over_all_shows(store: Store) -> None:
    for tariff in ("t1", "t2"):
        _heard(store, ["2000", "2001"], f"electricity.import.{tariff}")
    with pytest.raises(DoubtError, match="3900 is less than the 4002 kWh"):
        _type(store, "2026-03-02", "3900")
    _type(store, "2026-03-02", "4003")


def test_a_meter_s_exchange_that_a_rule_found_is_known(store: Store) -> None:
    _heard(store, ["4321", "4322"])
    _type(store, "2026-03-01T01:00Z", "4322")
    _heard(store, ["17", "18"], device="E2", hour=2)
    rollups.refresh(store)
    _type(store, "2026-03-02", "19")


def test_a_clamp_that_counts_for_itself_is_held_against_the_meter_once(store: Store) -> None:
    _heard(store, ["120", "121", "122"])
    with pytest.raises(DoubtError, match="54321 is more than the 122 kWh that the box read itself"):
        _type(store, "2026-03-01T01:30Z", "54321")
    _type(store, "2026-03-01T01:30Z", "54321", sure=True)
    _type(store, "2026-03-01T00:30Z", "54320")
    with pytest.raises(DoubtError, match="54300 is less than the 54321 kWh that you read"):
        _type(store, "2026-03-02", "54300")


def test_meters_are_told_apart(store: Store) -> None:
    _type(store, "2026-03-01", "4000")
    _type(store, "2026-03-02", "12", supply="gas")
    _type(store, "2026-03-02", "12", source="garage")
    _type(store, "2026-03-02", "12", supply="", role="electricity.export")


# ---- corrections ----


def test_a_correction_of_the_register_is_looked_at_and_one_beside_it_is_not(store: Store) -> None:
    _type(store, "2026-03-01", "4000")
    second = _type(store, "2026-04-01", "3000", sure=True)
    stating.correct(store, second, {"memo": "in the rain"}, "Ada")
    stating.correct(store, second, {}, "Ada", files={"photo": photos.JPEG})
    with pytest.raises(DoubtError, match="3001 is less than the 4000"):
        stating.correct(store, second, {"register": "3001"}, "Ada")
    with pytest.raises(FieldsError, match="still to come"):
        stating.correct(store, second, {"at": "2150-01-01"}, "Ada")
    stating.correct(store, second, {"register": "3001"}, "Ada", sure=True)
    stating.correct(store, second, {"register": "4050"}, "Ada")
