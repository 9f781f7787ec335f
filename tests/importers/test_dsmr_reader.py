"""The oddities of DSMR-reader's exports. What every importer must do is in tests/contracts/importers.py."""

from decimal import Decimal

from appliance.importers import dsmr_reader
from appliance.records import Source
from tests.meter_files import blocks, read, sample, times, values, warnings


def test_a_day_is_one_of_the_house_s_own_clock() -> None:
    found = read("dsmr_reader", sample("dsmr_reader", "days.csv"))
    used = [block for block in blocks(found, "electricity.import.t1") if block.seconds[0]]
    assert [list(block.seconds) for block in used] == [[86_400, 82_800, 86_400]]
    assert [list(block.seconds) for block in blocks(read("dsmr_reader", sample("dsmr_reader", "dagen.csv")), "gas")][
        1
    ] == [
        86_400,
        90_000,
    ]


def test_registers_stand_at_the_time_that_is_stated_and_are_a_source_of_their_own() -> None:
    found = read("dsmr_reader", sample("dsmr_reader", "days.csv"))
    names = [item.name for item in found if isinstance(item, Source)]
    assert set(names) == {"dsmr-reader daily", "dsmr-reader meter"}
    [registers] = [block for block in blocks(found, "electricity.export.t2") if not block.seconds[0]]
    assert [Decimal(value).scaleb(registers.exponent) for value in registers.values] == [
        Decimal("7450.128"),
        Decimal("7452.878"),
    ]
    assert "2024-03-29 23:05" in times(found, "gas")


def test_the_doubled_hour_is_told_by_its_offset_or_by_its_order() -> None:
    with_offsets = read("dsmr_reader", sample("dsmr_reader", "hours.csv"))
    assert times(with_offsets, "electricity.import.t1") == ["2024-10-27 00:00", "2024-10-27 01:00", "2024-10-27 02:00"]
    without = read("dsmr_reader", sample("dsmr_reader", "uren-oudere-uitgave.csv"))
    assert times(without, "gas")[1:] == ["2019-10-27 00:00", "2019-10-27 01:00", "2019-10-27 02:00"]
    assert values(without, "gas") == [Decimal(each) for each in ("0.5", "0.6", "0.6", "0.7")]


def test_the_zone_matters_where_no_offset_is_stated() -> None:
    days = sample("dsmr_reader", "days.csv")
    assert "Europe/Amsterdam" in warnings(read("dsmr_reader", days))
    assert "zone" not in warnings(read("dsmr_reader", days, zone="Europe/Brussels"))
    assert "zone" not in warnings(read("dsmr_reader", sample("dsmr_reader", "hours.csv")))


def test_amounts_are_not_kept_and_that_is_said() -> None:
    assert "Fixed Cost" in warnings(read("dsmr_reader", sample("dsmr_reader", "days.csv")))


def test_a_bank_s_dates_are_another_format() -> None:
    assert not dsmr_reader.identify(b"Date,Gas,Electricity\n", "dsmrreader-data-export.csv")
    assert not dsmr_reader.identify(b"Read At,Value\n", "dsmrreader-data-export.csv")
