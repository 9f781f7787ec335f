"""The days on which clocks change: quarter-hours and days of a meter add up to its register, each where it belongs.

London and Brussels change by an hour at different local times, Lord Howe by half an hour.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from appliance import energy
from appliance.config import Config
from appliance.derive import rollups
from appliance.house import House, Registers, telegram
from appliance.ingest import frames
from appliance.ingest.frames import Origin
from appliance.ingest.sealing import seal
from appliance.ingest.spool import Spool
from appliance.meters import dsmr
from appliance.records import Frame, MeterReading
from appliance.store import series as series_store
from appliance.store.database import Store

CHANGES = [
    ("Europe/London", date(2026, 3, 29), 92),
    ("Europe/London", date(2026, 10, 25), 100),
    ("Europe/Brussels", date(2026, 3, 29), 92),
    ("Europe/Brussels", date(2026, 10, 25), 100),
    ("Australia/Lord_Howe", date(2026, 10, 4), 94),
    ("Australia/Lord_Howe", date(2026, 4, 5), 98),
]
ORIGIN = Origin("house", "serial", "dsmr", "boot")
ROLE = "electricity.import"
EVERY_S = 70  # so that few readings fall on a quarter's boundary


def _day(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """A local day's beginning and end, seconds since 1970 UTC."""
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone)
    return int(begin.timestamp()), int(end.timestamp())


@pytest.fixture
def writer(config: Config, store: Store) -> Spool:
    return Spool(config.spool, store.key.private.public_key().public_bytes_raw())


@pytest.mark.parametrize(("name", "day", "quarters"), CHANGES, ids=lambda each: str(each))
def test_quarters_and_days_add_up_to_the_register(
    config: Config, store: Store, writer: Spool, name: str, day: date, quarters: int
) -> None:
    zone = ZoneInfo(name)
    begin_s, end_s = _day(day, zone)
    assert end_s - begin_s == quarters * 900
    used_wh = np.random.default_rng(1).integers(0, 40, (end_s - begin_s + 7200) // EVERY_S)
    for number, total in enumerate(np.cumsum(used_wh).tolist()):
        at_ms = (begin_s - 3600 + number * EVERY_S) * 1000
        reading = MeterReading(ROLE, at_ms, Decimal(total).scaleb(-3), "kWh", stated=True)
        writer.append(frames.to_bytes(ORIGIN, Frame("E1", (reading,))))
    writer.close()
    seal(store, config.spool)
    parts = energy.resolved(store, "house", ROLE)
    in_quarters = energy.stepped(store, parts, begin_s * 1000, end_s * 1000, zone, "quarter-hour")
    in_days = energy.stepped(store, parts, begin_s * 1000, end_s * 1000, zone, "day")
    assert len(in_quarters.totals) == quarters
    assert in_quarters.starts_s.tolist() == list(range(begin_s, end_s, 900))
    assert int(in_quarters.totals.sum()) == _difference(store, begin_s, end_s)
    assert in_days.starts_s.tolist() == [begin_s]
    assert in_days.totals.tolist() == [_difference(store, begin_s, end_s)]


def _difference(store: Store, begin_s: int, end_s: int) -> int:
    """What the register counted from its last reading at or before the beginning to that at or before the end."""
    with store.read() as connection:
        [series] = series_store.every(connection, ROLE)
        ends = [series_store.last_before(connection, series, at_s * 1000 + 1) for at_s in (begin_s, end_s)]
    assert ends[0] is not None
    assert ends[1] is not None
    return ends[1] - ends[0]


@pytest.mark.parametrize(("name", "day", "quarters"), CHANGES[:4], ids=lambda each: str(each))
def test_a_meter_that_states_local_time_loses_and_doubles_no_hour(
    config: Config, store: Store, writer: Spool, name: str, day: date, quarters: int
) -> None:
    """Its telegrams say S or W: the doubled hour is two, and the skipped one none. P1 is not spoken on Lord Howe."""
    zone = ZoneInfo(name)
    begin_s, end_s = _day(day, zone)
    house, meter = House(1, zone, 0.0), dsmr.Meter(dsmr.Options(), zone)
    for at_s in range(begin_s, end_s + 1, 300):
        data = telegram(house, Registers.of(Decimal(at_s - begin_s) / 1000), at_s * 1000)
        for frame in meter.feed(data, at_s * 1000 + 500):
            writer.append(frames.to_bytes(ORIGIN, frame))
    writer.close()
    seal(store, config.spool)
    rollups.refresh(store)
    parts = energy.resolved(store, "house", f"{ROLE}.t1")
    values = energy.stepped(store, parts, begin_s * 1000, end_s * 1000, zone, "quarter-hour")
    assert values.totals.tolist() == [900 * 1000] * quarters
