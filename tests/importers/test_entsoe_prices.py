"""The oddities of ENTSO-E's prices. What every importer must do is in tests/contracts/importers.py."""

import io
import zipfile
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from appliance import energy
from appliance.content import InMemory
from appliance.ingest import importing
from appliance.records import Readings, Rejected
from appliance.store.database import Store
from tests.contracts.importers import SAMPLES, extracted

SAMPLE = (SAMPLES / "entsoe_prices" / "hours-7-3-clocks-put-back.xml").read_text()
BRUSSELS = ZoneInfo("Europe/Brussels")
NIGHT_BEGAN_MS = 1_761_429_600_000  # 26 October 2025, 0:00 in Brussels
HOUR_MS = 3_600_000
ZONE = "entsoe 10YBE----------2 hourly"


def values(document: str) -> list[Decimal]:
    blocks = [each for each in extracted("entsoe_prices", document.encode()) if isinstance(each, Readings)]
    return [Decimal(value).scaleb(block.exponent) for block in blocks for value in block.values]


def stored(store: Store, role: str = "electricity.price") -> list[int]:
    columns, exponent = energy.raw(store, energy.resolved(store, ZONE, role), None, None)
    assert exponent == -6
    return [int(each) for each in columns.values]


def test_a_price_that_is_left_out_is_the_one_before_it_up_to_the_period_s_end() -> None:
    prices = values(SAMPLE)
    assert len(prices) == 25  # the day on which the clocks are put back
    assert prices[1:4] == [Decimal("0.07")] * 3
    assert prices[-3:] == [Decimal("0.08801")] * 3


@pytest.mark.parametrize("curve", ["<curveType>A01</curveType>", ""])
def test_where_every_price_is_stated_one_that_is_missing_is_not_known(curve: str) -> None:
    assert len(values(SAMPLE.replace("<curveType>A03</curveType>", curve))) == SAMPLE.count("<Point>")


def test_prices_are_drawn_by_hours_and_days_as_means(store: Store) -> None:
    importing.import_bytes(store, SAMPLE.encode(), "prices.xml")
    parts = energy.resolved(store, ZONE, "electricity.price")
    day = energy.stepped(store, parts, NIGHT_BEGAN_MS, NIGHT_BEGAN_MS + 25 * HOUR_MS, BRUSSELS, "day")
    assert (day.totals.tolist(), day.counts.tolist()) == ([sum(stored(store))], [25])
    hours = energy.stepped(store, parts, NIGHT_BEGAN_MS, NIGHT_BEGAN_MS + 25 * HOUR_MS, BRUSSELS, "quarter-hour")
    assert hours.step_s == 3600
    assert hours.lows.tolist()[12] == -3750


def test_a_series_that_is_there_twice_changes_no_mean(store: Store) -> None:
    """As the service answers now and then."""
    begin, end = SAMPLE.index("  <TimeSeries>"), SAMPLE.index("</Publication")
    importing.import_bytes(store, (SAMPLE[:end] + SAMPLE[begin:]).encode(), "prices.xml")
    parts = energy.resolved(store, ZONE, "electricity.price")
    chart = energy.chart(store, ZONE, parts[0].role, NIGHT_BEGAN_MS, NIGHT_BEGAN_MS + HOUR_MS, BRUSSELS, "hour")
    assert chart.values == [0.0712]


def test_several_documents_come_in_one_archive_and_a_later_one_puts_a_price_right(store: Store) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("1.xml", SAMPLE)
        archive.writestr("2.xml", SAMPLE.replace("71.20", "-71.204"))
    done = importing.import_every(store, InMemory("prices.zip", packed.getvalue()))
    assert [each.stored for each in done.reports] == [25, 1]
    assert stored(store)[:2] == [-71_204, 70_000]


def test_a_period_of_a_century_is_no_period() -> None:
    document = SAMPLE.replace("2025-10-26T23:00Z", "2125-10-26T23:00Z")
    [rejected] = [each for each in extracted("entsoe_prices", document.encode()) if isinstance(each, Rejected)]
    assert rejected.count == SAMPLE.count("<Point>")
    assert "longer than a year" in rejected.reason
