"""The oddities of n3rgy's files. What every importer must do is in tests/contracts/importers.py."""

from decimal import Decimal

import pytest

from appliance.errors import UserError
from appliance.importers import n3rgy
from tests.meter_files import blocks, read, rejects, sample, times, values, warnings

SERVICE = sample("n3rgy", "service-2.txt")


def test_a_time_is_the_end_of_its_half_hour() -> None:
    found = read("n3rgy", b"timestamp (UTC),energyConsumption (kWh)\n2024-07-15 00:00,0.3\n")
    assert times(found, "electricity.import") == ["2024-07-14 23:30"]
    assert blocks(found)[0].seconds[0] == 1800


def test_days_are_told_by_how_far_apart_they_are() -> None:
    days = b"timestamp (UTC),energyConsumption (m3)\n2024-07-15 00:00,3\n2024-07-16 00:00,4\n"
    found = read("n3rgy", days)
    assert times(found, "gas") == ["2024-07-14 00:00", "2024-07-15 00:00"]
    assert list(blocks(found)[0].seconds) == [86_400, 86_400]


def test_the_service_says_what_its_values_are_of_and_floating_point_adds_nothing() -> None:
    found = read("n3rgy", SERVICE)
    assert values(found, "electricity.export") == [Decimal("0.3"), Decimal("0.3"), Decimal("0.001")]
    assert [(each.where, each.count) for each in rejects(found)] == [("value 3 to value 4", 2), ("value 5", 1)]


def test_a_span_leads_to_the_service_s_values() -> None:
    first = blocks(read("n3rgy", SERVICE))[0].span
    assert SERVICE[first.first : first.first + first.length].startswith(b'{"primaryValue": 0.3,')


def test_what_is_stated_stands_over_what_is_assumed() -> None:
    nameless = SERVICE.replace(b'"resource"', b'"res"')
    assert "read as electricity.import" in warnings(read("n3rgy", nameless))
    assert {block.role for block in blocks(read("n3rgy", nameless, quantity="gas"))} == {"gas"}
    [reject] = rejects(read("n3rgy", sample("n3rgy", "gas-with-device.csv"), quantity="electricity.import"))
    assert "quantity=gas" in reject.reason


def test_a_device_that_is_replaced_changes_no_series() -> None:
    assert len(blocks(read("n3rgy", sample("n3rgy", "gas-with-device.csv")))) == 1


def test_all_that_is_wrong_with_the_options_is_told() -> None:
    with pytest.raises(UserError) as error:
        n3rgy.Options(zone="London", quantity="water")
    assert len(error.value.problems) == 2
