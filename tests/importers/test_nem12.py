"""The oddities of NEM12 and NEM13. What every importer must do is in tests/contracts/importers.py."""

from decimal import Decimal

import pytest

from appliance.errors import UserError
from appliance.importers import nem12
from appliance.records import Source
from tests.meter_files import blocks, read, rejects, sample, times, total, values, warnings

HALF_HOURS = ["1"] * 48


def stream(suffix: str = "E1", unit: str = "kWh", minutes: int = 30) -> str:
    return f"200,6305000001,E1B1,1,{suffix},N1,METER1,{unit},{minutes},\r\n"


def a_day(stated: list[str], quality: str = "A", date: str = "20240301") -> str:
    return f"300,{date},{','.join(stated)},{quality},,,20240302120025,\r\n"


def document(*records: str) -> bytes:
    return "".join(["100,NEM12,202403021200,MDP1,Ret1\r\n", *records, "900\r\n"]).encode()


@pytest.mark.parametrize(
    ("suffix", "unit", "role", "kept", "value"),
    [
        ("E1", "kWh", "electricity.import.t1", "kWh", "1"),
        ("E2", "KWH", "electricity.import.t2", "kWh", "1"),
        ("B1", "Wh", "electricity.export.t1", "kWh", "0.001"),
        ("B1", "MWh", "electricity.export.t1", "kWh", "1000"),
        ("K1", "kVArh", "electricity.reactive.export.t1", "kvarh", "1"),
        ("Q1", "varh", "electricity.reactive.import.t1", "kvarh", "0.001"),
        ("T1", "kVAh", "electricity.apparent.t1", "kVAh", "1"),
        ("N1", "kWh", "electricity.net.t1", "kWh", "1"),
        ("E1", "W", "electricity.power", "kW", "0.001"),
        ("B1", "MW", "electricity.power.export", "kW", "1000"),
        ("V1", "kV", "electricity.voltage", "V", "1000"),
        ("Z1", "A", "electricity.current", "A", "1"),
        ("EA", "kWh", "electricity.import.t10", "kWh", "1"),
    ],
)
def test_a_stream_is_what_its_name_and_unit_say(suffix: str, unit: str, role: str, kept: str, value: str) -> None:
    found = read("nem12", document(stream(suffix, unit), a_day(HALF_HOURS)))
    assert {(block.role, block.unit) for block in blocks(found)} == {(role, kept)}
    assert set(values(found, role)) == {Decimal(value)}


@pytest.mark.parametrize(("suffix", "sort"), [("F1", "check"), ("D1", "average")])
def test_what_counts_the_same_once_more_is_another_source(suffix: str, sort: str) -> None:
    found = read("nem12", document(stream(), a_day(HALF_HOURS), stream(suffix), a_day(HALF_HOURS)))
    assert [item.name for item in found if isinstance(item, Source)] == [
        "nmi 6305000001 half-hourly",
        f"nmi 6305000001 half-hourly {sort}",
    ]


@pytest.mark.parametrize("minutes", [5, 15, 30])
def test_a_day_begins_at_midnight_of_eastern_standard_time_in_summer_too(minutes: int) -> None:
    many = 1440 // minutes
    summer = document(stream(minutes=minutes), a_day(["1"] * many, date="20240115"))
    found = read("nem12", summer)
    assert times(found, "electricity.import.t1")[0] == "2024-01-14 14:00"
    [block] = blocks(found)
    assert (len(block.values), set(block.seconds)) == (many, {minutes * 60})
    assert times(read("nem12", summer, offset="+08:00"), "electricity.import.t1")[0] == "2024-01-14 16:00"


def test_days_on_which_eastern_clocks_are_changed_have_24_hours_in_the_market() -> None:
    days = [a_day(HALF_HOURS, date=date) for date in ("20240406", "20240407", "20240408", "20241006", "20241007")]
    at = times(read("nem12", document(stream(), *days)), "electricity.import.t1")
    assert len(at) == len(set(at)) == 5 * 48


def test_each_interval_has_the_quality_of_its_range() -> None:
    records = ["400,1,20,F14,76,\r\n", "400,21,24,A,,\r\n", "400,25,48,S14,1,\r\n"]
    found = read("nem12", document(stream(), a_day(HALF_HOURS, "V"), *records))
    assert [(block.quality, len(block.values)) for block in blocks(found)] == [
        ("final substituted (F14)", 20),
        ("actual", 4),
        ("substituted (S14)", 24),
    ]


def test_a_span_leads_to_the_values_of_its_block() -> None:
    data = document(stream(), a_day([str(at) for at in range(48)], "V"), "400,1,2,A,,\r\n", "400,3,48,E52,,\r\n")
    spans = [block.span for block in blocks(read("nem12", data))]
    assert data[spans[0].first : spans[0].first + spans[0].length] == b"0,1"
    assert data[spans[1].first : spans[1].first + spans[1].length].startswith(b"2,3,4,")


def test_quotes_around_cells_cost_no_reading() -> None:
    plain = document(stream(), a_day(HALF_HOURS, "V"), "400,1,2,A,,\r\n", "400,3,48,E52,,\r\n")
    quoted = plain.replace(b"20240301,", b'"20240301",')
    assert total(read("nem12", quoted), "electricity.import.t1") == 48
    assert not rejects(read("nem12", quoted))


def test_intervals_of_which_there_is_no_data_are_no_zeros() -> None:
    found = read("nem12", document(stream(), a_day(HALF_HOURS, "V"), "400,1,40,A,,\r\n", "400,41,48,N,,\r\n"))
    assert total(found, "electricity.import.t1") == 40
    [reject] = rejects(found)
    assert (reject.where, reject.count) == ("interval 41 of 20240301 to interval 48 of 20240301", 8)


def test_a_day_that_cannot_be_read_stops_nothing_and_counts_as_its_intervals() -> None:
    found = read("nem12", document(stream(), a_day(["1"] * 24), a_day(HALF_HOURS, date="20240302")))
    assert [reject.count for reject in rejects(found)] == [48]
    assert "24 values" in rejects(found)[0].reason
    assert total(found, "electricity.import.t1") == 48


def test_several_files_in_one_are_read_on() -> None:
    both = document(stream(), a_day(HALF_HOURS)) + document(stream("B1"), a_day(HALF_HOURS))
    assert {block.role for block in blocks(read("nem12", both))} == {"electricity.import.t1", "electricity.export.t1"}
    assert "900" not in warnings(read("nem12", both))


def test_a_file_that_lost_its_end_is_said() -> None:
    assert "900" in warnings(read("nem12", document(stream(), a_day(HALF_HOURS)).replace(b"900\r\n", b"")))


def test_estimates_ahead_of_a_register_s_reading_are_not_counted() -> None:
    found = read("nem12", sample("nem12", "accumulated.csv"))
    assert values(found, "electricity.import.t1") == [Decimal("1312.1")]
    assert any("estimate" in reject.reason for reject in rejects(found))
    assert {block.role for block in blocks(found)} >= {"electricity.import.t4", "electricity.demand.stream7"}


def test_western_australia_is_told_to_state_its_offset() -> None:
    west = sample("nem12", "western-power.csv")
    assert "offset=+08:00" in warnings(read("nem12", west))
    assert "offset" not in warnings(read("nem12", west, offset="+08:00"))


def test_an_offset_that_is_none_is_told() -> None:
    with pytest.raises(UserError, match=r"\+10:00"):
        nem12.Options(offset="10")


@pytest.mark.parametrize("head", [b"100,NEM14,1\n", b"200,1,2\n", b"300,20240301,1\n", b"200,a,b,c,E1,,,furlong,30\n"])
def test_other_records_are_another_format(head: bytes) -> None:
    assert not nem12.identify(head, "nem12.csv")
