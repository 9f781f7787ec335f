"""A tariff's own file: what is read, what is refused in which words, and that the schema says the same."""

import json
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance import tariffs
from appliance.errors import UserError
from appliance.tariffs import Tariff
from appliance.tariffs import format as tariff_file
from tests.tariffs import strategies
from tests.tariffs.schema_walk import fits

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


def problems(said: object) -> tuple[str, ...]:
    with pytest.raises(UserError) as refused:
        tariffs.read(json.dumps(said), "hearth.json")
    return refused.value.problems


def test_the_published_schema_is_what_the_reader_reads() -> None:
    assert SCHEMA.read_text() == tariff_file.schema_text(), "write it again: make samples"


def test_every_kind_of_charge_comes_back_from_its_file() -> None:
    said = stated(
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
    tariff = tariffs.read(json.dumps(said))
    assert json.loads(tariffs.write(tariff)) == said
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


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.tariffs())
def test_any_tariff_comes_back_from_its_file_which_is_as_the_schema_says(tariff: Tariff) -> None:
    text = tariffs.write(tariff)
    assert tariffs.read(text) == tariff
    assert fits(json.loads(text), json.loads(SCHEMA.read_text()))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.tariffs(), st.data())
def test_a_file_with_something_wrong_in_it_is_read_only_where_the_schema_allows_it(
    tariff: Tariff, data: st.DataObject
) -> None:
    said = json.loads(tariffs.write(tariff))
    holder, place = data.draw(st.sampled_from(places(said)))
    junk: st.SearchStrategy[object] = st.sampled_from(
        [None, True, -1, 13, 0.5, "", "x" * 200, "1e3", "-0.5", "NaN", "2024-13-01", "2024-01-01", [], {}]
    )
    if data.draw(st.booleans()) and isinstance(holder, dict):
        name = data.draw(st.sampled_from(["surprise", "kind", "from", "until", "on", "times", "price", "season"]))
        holder[name] = data.draw(junk)
    elif data.draw(st.booleans()):
        holder[place] = data.draw(junk)
    else:
        del holder[place]
    with suppress(UserError):  # nothing else is raised
        tariffs.read(json.dumps(said))
        assert fits(said, json.loads(SCHEMA.read_text()))


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a value: what holds it, and its name or number there."""
    names = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    return [(value, name) for name in names] + [each for name in names for each in places(value[name])]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "line 1, column 1: Expecting value; mend the JSON there"),
        (b'{"inglenook_tariff": 1,\n "name": }', "line 2, column 10"),
        (b"\xff\xfe{", "byte 0 is not UTF-8; save the file as UTF-8"),
        (b"[" * 200_000, "is no JSON of a tariff"),
        (b'{"a": 1, "a": 2}', "'a' stands twice in one object"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "is no JSON of a tariff"),
        (b"{}", '"inglenook_tariff" is None; this box reads files in which it is 1'),
        (b'{"inglenook_tariff": 2}', '"inglenook_tariff" is 2; this box reads'),
        (b'{"inglenook_tariff": true}', '"inglenook_tariff" is True; this box reads'),
        (b"[]", '"inglenook_tariff" is None'),
        (b" " * 1_000_001, "it has 1,000,001 bytes; a tariff has at most 1,000,000"),
    ],
)
def test_what_is_no_file_of_a_tariff(raw: bytes, problem: str) -> None:
    with pytest.raises(UserError) as refused:
        tariffs.read(raw, "hearth.json")
    assert str(refused.value).startswith("hearth.json: ")
    assert problem in str(refused.value)


def test_a_tariff_of_too_many_charges_is_refused_and_one_full_of_problems_told_in_part() -> None:
    (found,) = problems(stated(*[{"kind": "levy", "price": "1"}] * 5_001))
    assert "charges: it has 5001 entries; make it 1 to 5000" in found
    many = problems(stated(*[{"kind": "levy", "price": 1}] * 100))
    assert len(many) == 21
    assert many[-1].endswith("and 80 more; mend these first")


def test_only_gas_is_priced_by_the_kwh_or_by_the_cubic_metre() -> None:
    assert problems(stated(per="m3")) == ("hearth.json: per: electricity is not priced a m3; remove it",)
    assert tariffs.read(json.dumps(stated(per="m3", supply="gas")), "hearth.json").unit == "m3"
    assert tariffs.read(json.dumps(stated(supply="gas")), "hearth.json").unit == "kWh"
    assert problems(stated(per="kWh", supply="water")) == ("hearth.json: per: water is not priced a kWh; remove it",)
