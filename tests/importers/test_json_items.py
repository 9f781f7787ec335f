"""The oddities of JSON whose fields are named. What every importer must do is in tests/contracts/importers.py."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from appliance import importers
from appliance.errors import UserError
from appliance.importers import json_items
from appliance.records import Item, Readings, Record, Rejected, Source, Warned

PAYMENTS = 'kind = "money.transaction"\n[columns]\nat = "at"\namount = "a"\ntitle = "t"\n'


def items(data: Any, mapping: str, **more: str) -> list[Item]:
    pieces = iter([json.dumps(data).encode() if not isinstance(data, bytes) else data])
    return list(json_items.extract_forward(pieces, json_items.Options(mapping=mapping, **more)))


def records(data: Any, mapping: str, **more: str) -> list[Record]:
    return [each for each in items(data, mapping, **more) if isinstance(each, Record)]


def payment(**said: Any) -> list[dict[str, Any]]:
    return [{"at": "2026-03-01", "a": 1, "t": "Shop", **said}]


@pytest.mark.parametrize(
    ("said", "values", "amount"),
    [
        (b"0.1", "", "0.1"),
        (b"-1.5e2", "", "-150"),
        (b'"1.234,56"', 'decimal = "comma"', "1234.56"),
        (b'"1,234.56"', "", "1234.56"),
        (b"1234", "minor = 2", "12.34"),
        (b'"-5"', "minor = 3", "-0.005"),
        (b"7", 'sign = "turned round"', "-7"),
    ],
)
def test_amounts_are_exact_and_as_the_mapping_says(said: bytes, values: str, amount: str) -> None:
    data = json.dumps(payment(a="?")).encode().replace(b'"?"', said)
    [found] = records(data, f"{PAYMENTS}[values]\n{values}\n")
    assert found.amount == Decimal(amount)


@pytest.mark.parametrize(
    ("said", "values", "at"),
    [
        ("2026-03-01", "", date(2026, 3, 1)),
        ("2026-03-01T10:00:00Z", "", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01 10:00", "", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("1.3.2026", 'times = "day first"', date(2026, 3, 1)),
        ("3/1/2026", 'times = "month first"', date(2026, 3, 1)),
        (1772323200, 'times = "seconds"', datetime(2026, 3, 1, tzinfo=UTC)),
        ("1772323200500", 'times = "milliseconds"', datetime(2026, 3, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_the_mapping_says(said: object, values: str, at: date) -> None:
    [found] = records(payment(at=said), f"{PAYMENTS}[values]\n{values}\n", zone="Europe/Brussels")
    assert found.at == at


@pytest.mark.parametrize("said", ["1.3.2026", 1772323200, "", None, "2026-02-30", {}, "2026-03-29T02:30"])
def test_a_time_that_is_not_as_the_mapping_says_is_rejected(said: object) -> None:
    found = items(payment(at=said) + payment(), PAYMENTS, zone="Europe/Brussels")
    assert [type(each) for each in found if not isinstance(each, Source | Warned)] == [Rejected, Record]


def test_a_zone_that_nobody_states_is_told() -> None:
    found = items(payment(at="2026-03-01T10:00"), PAYMENTS)
    assert [each.message for each in found if isinstance(each, Warned)] == [
        "Its times are without a zone, and were taken as UTC; state the zone: zone=Europe/London, say."
    ]


def test_each_series_is_a_source_of_its_unit_and_interval() -> None:
    mapping = (
        'kind = "readings"\nsource = "Box"\n[columns]\nat = "at"\nuntil = "to"\namount = "v"\nrole = "r"\n'
        'account = "m"\n'
        '[constants]\nunit = "kWh"\n'
    )
    rows = [
        {"at": "2026-01-01T00:00Z", "to": "2026-01-01T01:00Z", "v": "0.5", "r": "electricity.import", "m": "A"},
        {"at": "2026-01-01T00:00Z", "to": "2026-01-02T00:00Z", "v": 12, "r": "electricity.import", "m": "A"},
        {"at": "2026-01-01T00:00Z", "to": "2026-01-01T01:00Z", "v": 1, "r": "electricity.export", "m": "B"},
    ]
    found = items(rows, mapping)
    assert [each.name for each in found if isinstance(each, Source)] == ["Box A hourly", "Box A daily", "Box B hourly"]
    assert [each.role for each in found if isinstance(each, Readings)] == ["electricity.import"] * 2 + [
        "electricity.export"
    ]


def test_it_is_never_taken_for_another_and_says_what_to_state() -> None:
    assert importers.identified(b'[{"at": "2026-03-01"}]', "a.json") is None
    [told] = json_items.extract_forward(iter([b"[]"]), json_items.Options())
    assert "mapping=" in str(told)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(UserError) as raised:
        json_items.Options(zone="Mars", mapping="kind = ")
    assert len(raised.value.problems) == 2
