"""The oddities of Octopus's half-hours. What every importer must do is in tests/contracts/importers.py."""

import pytest

from appliance.errors import UserError
from appliance.importers import octopus
from appliance.records import Source
from tests.meter_files import blocks, read, rejects, sample, times, total, warnings

HALF_HOURS = sample("octopus", "half-hours.csv")
LOCAL = sample("octopus", "local-times.csv")


@pytest.mark.parametrize(
    ("quantity", "source"),
    [
        ("electricity.import", "octopus electricity half-hourly"),
        ("electricity.export", "octopus electricity half-hourly"),
        ("gas", "octopus gas kWh half-hourly"),
    ],
)
def test_what_a_file_is_of_is_stated_or_assumed_aloud(quantity: str, source: str) -> None:
    found = read("octopus", HALF_HOURS, quantity=quantity)
    assert [block.role for block in blocks(found)] == [quantity]
    assert [item.name for item in found if isinstance(item, Source)] == [source]
    assert "does not say what it is of" not in warnings(found)
    assert "read as electricity.import" in warnings(read("octopus", HALF_HOURS))


def test_cubic_metres_are_gas_and_nothing_else() -> None:
    gas = sample("octopus", "gas-cubic-metres.csv")
    assert [block.role for block in blocks(read("octopus", gas))] == ["gas"]
    [reject] = rejects(read("octopus", gas, quantity="electricity.import"))
    assert reject.count == 2
    assert "quantity=gas" in reject.reason


def test_an_export_says_so_in_its_heading() -> None:
    data = HALF_HOURS.replace(b"Consumption (kwh)", b"Export (kWh)")
    assert {block.role for block in blocks(read("octopus", data))} == {"electricity.export"}


def test_the_zone_of_local_times_is_londons_unless_another_is_stated() -> None:
    assert times(read("octopus", LOCAL), "electricity.import")[0] == "2024-03-31 00:30"
    assert "Europe/London" in warnings(read("octopus", LOCAL))
    told = read("octopus", LOCAL, zone="Europe/Paris")
    assert times(told, "electricity.import")[0] == "2024-03-30 23:30"
    assert "zone" not in warnings(told)


def test_offsets_need_no_zone() -> None:
    assert read("octopus", HALF_HOURS, zone="Australia/Sydney") == read("octopus", HALF_HOURS)


def test_the_doubled_hour_adds_up() -> None:
    assert total(read("octopus", LOCAL, zone="Europe/London"), "electricity.import") * 10 == 34  # all but the lost one


def test_all_that_is_wrong_with_the_options_is_told() -> None:
    with pytest.raises(UserError) as error:
        octopus.Options(zone="London", quantity="water")
    assert len(error.value.problems) == 2


def test_a_heading_that_lacks_what_is_needed_rejects_every_row_as_one() -> None:
    [reject] = rejects(read("octopus", HALF_HOURS.replace(b"Start", b"Begin")))
    assert (reject.count, "no consumption, start and end" in reject.reason) == (6, True)


@pytest.mark.parametrize("heading", [b"Consumption (MWh),Start,End\n", b"Consumption (kWh),Start\n", b"Start,End\n"])
def test_another_heading_is_another_format(heading: bytes) -> None:
    assert not octopus.identify(heading, "consumption.csv")
