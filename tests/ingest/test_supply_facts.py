"""What is said of a supply and cannot be so is refused, with what to write; the rest becomes a fact."""

import json

import pytest

from appliance.ingest import stating
from appliance.kinds import FieldsError
from appliance.store.database import Store
from tests.contracts.importers import SAMPLES

SUPPLY = {"title": "Gas", "supply": "gas", "source": "house", "role": "gas"}
QUALITY = {"at": "2026-01-01", "calorific_value": "39.4"}


def added(store: Store, kind: str, said: dict[str, str]) -> dict[str, str]:
    return dict(stating.add(store, kind, said, "Ada").fields)


def test_a_gas_meter_point_whose_check_digits_are_others_is_refused(store: Store) -> None:
    assert added(store, "energy.supply", SUPPLY | {"point": "3938 4244 03"})["point"] == "3938424403"
    for kind, said in (("energy.supply", SUPPLY), ("energy.gas_quality", QUALITY)):
        with pytest.raises(FieldsError, match="as it stands on the bill"):
            stating.add(store, kind, said | {"point": "3938424430"}, "Ada")
    assert added(store, "energy.supply", SUPPLY | {"supply": "electricity", "point": "3938424430"})


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"calorific_value": "394"}, "calorific_value"),
        ({"calorific_value": "39.4", "calorific_unit": "kWh/m3"}, "calorific_value"),
        ({"correction": "1022.64"}, "correction"),
    ],
)
def test_an_energy_that_no_gas_has_is_refused(store: Store, said: dict[str, str], wrong: str) -> None:
    with pytest.raises(FieldsError) as refused:
        stating.add(store, "energy.gas_quality", QUALITY | said, "Ada")
    assert list(refused.value.of) == [wrong]


def test_an_agreement_says_what_leaving_costs_and_when_it_may_end(store: Store) -> None:
    said = {
        "at": "2026-01-01",
        "party": "Ecopower",
        "tariff": "Groene burgerstroom",
        "amount": "75",
        "unit": "€",
        "notice_days": "30",
        "fixed_until": "2026-12-31",
    }
    fact = stating.add(store, "energy.agreement", said, "Ada")
    assert (str(fact.amount), fact.unit, fact.fields["notice_days"]) == ("75.00", "EUR", "30")
    with pytest.raises(FieldsError, match="without a minus"):
        stating.correct(store, fact.id, {"notice_days": "-30"}, "Ada")


def test_a_tariff_is_what_its_definition_says_and_one_that_makes_no_sense_is_refused(store: Store) -> None:
    definition = json.dumps(json.loads((SAMPLES / "tariff_file" / "two-tariffs.txt").read_text())[1])
    assert added(store, "energy.tariff", {"title": "Night Fens", "definition": definition})
    with pytest.raises(FieldsError, match="rates") as refused:
        stating.add(store, "energy.tariff", {"title": "x", "definition": definition.replace("00:30", "25:00")}, "Ada")
    assert "25:00" in refused.value.of["definition"]
