"""The oddities of UCI's layout. What every importer must do is in tests/contracts/importers.py."""

from decimal import Decimal

import pytest

from tests.meter_files import blocks, read, rejects, sample, times, values, warnings

HEADING = "Date;Time;Global_active_power;Global_reactive_power;Voltage;Global_intensity;Sub_metering_1\n"


def minutes(*times_: str) -> bytes:
    return (HEADING + "".join(f"{each};1.5;0.1;240.1;6.2;3\n" for each in times_)).encode()


def test_each_column_is_its_quantity_in_the_unit_that_is_kept() -> None:
    found = read("uci_household_power", sample("uci_household_power", "minutes.txt"))
    first = {block.role: (block.unit, Decimal(block.values[0]).scaleb(block.exponent)) for block in blocks(found)[:7]}
    assert first == {
        "electricity.power": ("kW", Decimal("4.216")),
        "electricity.reactive.power": ("kvar", Decimal("0.418")),
        "electricity.voltage": ("V", Decimal("234.84")),
        "electricity.current": ("A", Decimal("18.4")),
        "submetering1.electricity.import": ("kWh", Decimal(0)),
        "submetering2.electricity.import": ("kWh", Decimal("0.001")),
        "submetering3.electricity.import": ("kWh", Decimal("0.017")),
    }
    assert {seconds for block in blocks(found) for seconds in block.seconds} == {60}


def test_minutes_without_a_reading_are_one_reject_a_run_with_their_count() -> None:
    found = read("uci_household_power", sample("uci_household_power", "minutes.txt"))
    assert [(reject.where, reject.count) for reject in rejects(found)] == [("row 3 to row 4", 2)]
    assert len(values(found, "electricity.power")) == 3
    assert len(values(found, "electricity.reactive.power")) == 2
    assert "1 row has no value" in warnings(found)


@pytest.mark.parametrize(
    ("zone", "never", "before", "after"),
    [
        ("Europe/Paris", "25/3/2007;02:30:00", "25/3/2007;01:59:00", "25/3/2007;03:00:00"),
        ("Europe/London", "25/3/2007;01:30:00", "25/3/2007;00:59:00", "25/3/2007;02:00:00"),
        ("Australia/Sydney", "28/10/2007;02:30:00", "28/10/2007;01:59:00", "28/10/2007;03:00:00"),
    ],
)
def test_the_hour_that_spring_leaves_out_is_refused_where_the_zone_is_stated(
    zone: str, never: str, before: str, after: str
) -> None:
    data = minutes(before, never, never, after)
    found = read("uci_household_power", data, zone=zone)
    [reject] = rejects(found)
    assert (reject.count, zone in reject.reason) == (2, True)
    assert len(values(found, "electricity.power")) == 2
    assert not rejects(read("uci_household_power", data))
    assert "UTC" in warnings(read("uci_household_power", data))


def test_an_hour_that_the_file_has_once_is_the_first_pass() -> None:
    found = read(
        "uci_household_power",
        minutes("28/10/2007;01:59:00", "28/10/2007;02:00:00", "28/10/2007;03:00:00"),
        zone="Europe/Paris",
    )
    assert times(found, "electricity.power") == ["2007-10-27 23:59", "2007-10-28 00:00", "2007-10-28 02:00"]
