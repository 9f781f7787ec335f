"""The oddities of Octopus Energy's service. What every importer must do is in tests/contracts/importers.py."""

import json
from decimal import Decimal
from typing import Any

import pytest

from appliance.errors import UserError
from appliance.importers import octopus_api
from appliance.records import Item, Readings, Record, Rejected, Source

HOUSE = {"supply": "electricity", "direction": "import"}
LINK = "https://api.octopus.energy/v1/gas-meter-points/1234567890/meters/E6S1/consumption/?page=2"


def half_hour(value: object, minutes: int = 30) -> dict[str, Any]:
    hours, rest = divmod(minutes, 60)
    return {
        "consumption": value,
        "interval_start": "2026-01-01T00:00:00Z",
        "interval_end": f"2026-01-{1 + hours // 24:02}T{hours % 24:02}:{rest:02}:00Z",
    }


def page(*rows: object, **more: Any) -> bytes:
    return json.dumps({"count": len(rows), "next": None, "previous": None, "results": rows, **more}).encode()


def items(data: bytes, **stated: str) -> list[Item]:
    return list(octopus_api.extract(data, octopus_api.Options(**stated)))


def values(given: list[Item]) -> list[Decimal]:
    blocks = (each for each in given if isinstance(each, Readings))
    return [Decimal(value).scaleb(block.exponent) for block in blocks for value in block.values]


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("0.063", "0.063"),
        ("0", "0"),
        ("-1.5", "-1.5"),
        ("1e-3", "0.001"),
        ("2E2", "200"),
        ("0.30000000000000004", "0.3"),
        ("0.0719999999999999973", "0.072"),
        ("123456789.123456789", "123456789.123456789"),
    ],
)
def test_values_are_exact_but_for_the_noise_of_floating_point(said: str, value: str) -> None:
    data = page(half_hour(0)).replace(b'"consumption": 0', f'"consumption": {said}'.encode())
    assert values(items(data, **HOUSE)) == [Decimal(value)]


def test_what_was_rounded_is_no_finer_than_what_was_not() -> None:
    """A series is as fine as its first page: noise in a later one must not make that one finer."""
    [block] = [each for each in items(page(half_hour(0.1 + 0.2)), **HOUSE) if isinstance(each, Readings)]
    assert block.exponent >= -6


@pytest.mark.parametrize(
    ("minutes", "length"),
    [
        (15, "quarter-hourly"),
        (30, "half-hourly"),
        (60, "hourly"),
        (1440, "daily"),
        (23 * 60, "daily"),
    ],
)
def test_each_length_of_intervals_is_a_source_of_its_own(minutes: int, length: str) -> None:
    found = items(page(half_hour(1, minutes)), **HOUSE, point="1000000000000")
    assert [each.name for each in found if isinstance(each, Source)] == [f"octopus 1000000000000 {length}"]


def test_a_page_s_links_say_what_it_is_of() -> None:
    for name in ("next", "previous"):
        found = items(page(half_hour(1), **{name: LINK}), unit="m3")
        assert [(each.role, each.unit) for each in found if isinstance(each, Readings)] == [("gas", "m3")]
    prices = page(
        {"value_exc_vat": 1, "value_inc_vat": 1.05, "valid_from": "2026-01-01T00:00:00Z", "valid_to": None},
        next="https://api.octopus.energy/v1/products/X/gas-tariffs/G-1R-X-A/standing-charges/?page=2",
    )
    [rate] = [each for each in items(prices) if isinstance(each, Record)]
    assert (rate.title, rate.unit, rate.fields["supply"]) == ("G-1R-X-A standing charge", "p/day", "gas")


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ({}, "state supply=electricity or supply=gas"),
        ({"supply": "gas"}, "state unit=m3 or unit=kWh"),
        ({"supply": "electricity"}, "state direction=import or direction=export"),
        ({**HOUSE, "unit": "m3"}, "electricity is not measured in m3"),
    ],
)
def test_nothing_is_guessed(stated: dict[str, str], words: str) -> None:
    found = items(page(half_hour(1), half_hour(2)), **stated)
    rejects = [each.reason for each in found if isinstance(each, Rejected) and each.count == 2]
    assert len(rejects) == 1
    assert words in rejects[0]


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(UserError) as raised:
        octopus_api.Options(supply="heat", unit="ft3")
    assert len(raised.value.problems) == 2
