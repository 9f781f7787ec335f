"""The oddities of HomeWizard's exports. What every importer must do is in tests/contracts/importers.py."""

from decimal import Decimal

import pytest

from appliance.errors import UserError
from appliance.importers import homewizard
from appliance.records import Source
from tests.meter_files import blocks, read, rejects, sample, times, values, warnings


def test_registers_are_read_at_instants() -> None:
    found = read("homewizard", sample("homewizard", "p1-quarter-hours.csv"))
    assert {block.role for block in blocks(found)} == {
        f"electricity.{way}.t{tariff}" for way in ("import", "export") for tariff in (1, 2)
    }
    assert {seconds for block in blocks(found) for seconds in block.seconds} == {0}


@pytest.mark.parametrize(
    ("zone", "date", "hour", "first"),
    [
        ("Europe/London", "2024-10-27", 1, "2024-10-27 00:00"),
        ("Europe/Brussels", "2024-10-27", 2, "2024-10-27 00:00"),
        ("Australia/Sydney", "2024-04-07", 2, "2024-04-06 15:00"),
    ],
)
def test_the_doubled_hour_is_neither_doubled_nor_lost(zone: str, date: str, hour: int, first: str) -> None:
    shown = [f"{hour:02}:00", f"{hour:02}:30"]
    clock = [f"{hour - 1:02}:30", *shown, *shown, f"{hour + 1:02}:00"]
    rows = "".join(f"{date} {time},{count}\n" for count, time in enumerate(clock))
    found = read("homewizard", f"time,Total gas used\n{rows}".encode(), zone=zone)
    at = times(found, "gas")
    assert at[1] == first
    assert len(at) == len(set(at)) == 6
    assert at == sorted(at)
    assert values(found, "gas") == [Decimal(count) for count in range(6)]


def test_water_is_kept_in_cubic_metres_exactly() -> None:
    found = read("homewizard", sample("homewizard", "water.csv"))
    assert values(found, "water") == [Decimal(0), Decimal("0.0116"), Decimal("0.0303")]
    litres = read("homewizard", b"time,total water used (l)\n2025-01-01 00:00,1500\n")
    assert values(litres, "water") == [Decimal("1.5")]


def test_what_a_kwh_meter_measures_is_stated() -> None:
    found = read("homewizard", sample("homewizard", "kwh-meter.csv"), role="solar")
    assert {block.role for block in blocks(found)} >= {"solar.electricity.import", "solar.electricity.power.l1.max"}
    assert [item.name for item in found if isinstance(item, Source)] == ["homewizard kwh"]


def test_a_battery_is_not_the_house() -> None:
    roles = {block.role for block in blocks(read("homewizard", sample("homewizard", "battery.csv")))}
    assert roles == {"battery.electricity.import", "battery.electricity.export", "battery.charge"}


def test_a_row_that_was_cut_off_is_rejected_and_not_read_short() -> None:
    data = sample("homewizard", "p1-quarter-hours.csv").rstrip()[: -len("7450.502") - 1]
    assert ["may be missing" in reject.reason for reject in rejects(read("homewizard", data))] == [True]


def test_what_is_not_kept_is_said() -> None:
    assert "Sunshine" in warnings(read("homewizard", sample("homewizard", "broken-rows.csv")))


def test_all_that_is_wrong_with_the_options_is_told() -> None:
    with pytest.raises(UserError) as error:
        homewizard.Options(zone="Amsterdam", role="My Roof")
    assert len(error.value.problems) == 2


def test_a_time_beside_other_things_is_another_format() -> None:
    assert not homewizard.identify(b"time,Import kWh per hour,Price\n", "P1e.csv")
    assert not homewizard.identify(b"date,Import kWh\n", "P1e.csv")


def test_a_row_without_the_cell_of_its_time_is_rejected_wherever_that_stands() -> None:
    found = read("homewizard", b"Import T1 kWh,time\n1.0,2025-10-26 01:45\n1.1\n")
    assert len(rejects(found)) == 1
    assert values(found, "electricity.import.t1") == [Decimal("1.0")]
