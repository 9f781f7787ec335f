"""A tariff's own file: what is read, what is refused in which words, and that the schema says the same."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from appliance import tariffs
from appliance.errors import UserError
from appliance.tariffs import format as tariff_file

SCHEMA = Path(tariffs.__file__).with_name(tariff_file.SCHEMA)


def stated(*charges: object, **more: object) -> dict[str, Any]:
    return {
        "inglenook_tariff": 1,
        "supplier": "Ember Energy",
        "name": "Hearth",
        "supply": "electricity",
        "zone": "Europe/Brussels",
        "currency": "EUR",
        "charges": list(charges) or [{"kind": "levy", "price": "0.05"}],
        **more,
    }


def problems(given: object) -> tuple[str, ...]:
    with pytest.raises(UserError) as refused:
        tariffs.read(json.dumps(given), "hearth.json")
    return refused.value.problems


def test_the_published_schema_is_what_the_reader_reads() -> None:
    assert SCHEMA.read_text() == tariff_file.schema_text(), "write it again: make samples"


def test_every_kind_of_charge_comes_back_from_its_file() -> None:
    given = stated(
        {
            "kind": "rates",
            "from": "2024-01-01",
            "until": "2024-07-01",
            "rates": [
                {"band": "day", "price": "0.31"},
                {
                    "band": "night",
                    "price": "0.2415",
                    "times": [
                        {"days": ["saturday", "sunday"]},
                        {"from": "22:00", "until": "07:00", "season": {"from": "11-01", "until": "04-01"}},
                    ],
                },
            ],
        },
        {"kind": "dynamic", "from": "2024-07-01", "index": "day-ahead BE", "factor": "1.05", "floor": "-0.1"},
        {
            "kind": "tiers",
            "name": "Excise",
            "period": "year",
            "tiers": [{"band": "1", "price": "0.05", "up_to": "3000"}, {"band": "2", "price": "0.06"}],
        },
        {"kind": "standing", "price": "0", "period": "year"},
        {"kind": "capacity", "price": "41", "period": "year", "months": 12, "minimum": "2.5"},
        {"kind": "levy", "price": "0.002042"},
        {"kind": "discount", "amount": "50", "from": "2024-01-01"},
        {"kind": "tax", "percent": "6", "on": ["Energy", "Discount"]},
        exit_fee="75",
        notice_days=21,
        learnt="2024-01-01T12:00:00Z",
    )
    tariff = tariffs.read(json.dumps(given))
    assert json.loads(tariffs.write(tariff)) == given
    assert tariffs.read(tariffs.write(tariff)) == tariff
    assert tariff.exit_fee == Decimal(75)


def test_every_problem_is_told_at_once_with_its_place_and_the_next_step() -> None:
    found = problems(
        stated(
            {"kind": "levy", "price": 0.1, "form": "2024-01-01"},
            {"kind": "standing", "price": "NaN", "period": "week"},
            {"kind": "surprise"},
            zone="Europe/Brussels",
            supply="steam",
        )
    )
    assert [each.split(": ")[1] for each in found] == [
        "supply",
        "charges[0]",
        "charges[0].price",
        "charges[1].price",
        "charges[1].period",
        "charges[2]",
    ]
    assert all(each.startswith("hearth.json: ") for each in found)
    assert 'write the number in double quotes, "0.1"' in found[2]
    assert "'form' is no field here" in found[1]
