"""`inglenook compare` as a person runs it."""

import csv
import io
from decimal import Decimal

import pytest

from appliance.config import Config
from appliance.store.database import open_store
from tests.cli.conftest import Box
from tests.costs.tariffs import FLAT, NIGHT, known
from tests.switching.household import a_year, agreed


@pytest.fixture
def home(box: Box) -> Box:
    """A box with a year of half-hours, two tariffs, and an agreement."""
    with open_store(Config(box.data), make=True) as store:
        a_year(store)
        known(store, "Europe/Brussels", FLAT, NIGHT)
        agreed(store, "Flat")
    return box


def test_the_table_ranks_and_says_what_it_stands_on(home: Box) -> None:
    said = home.run("compare", "--zone", "Europe/Brussels")
    assert said.code == 0
    assert said.out.index("Night") < said.out.index("Flat") < said.out.index("what you have now")
    assert "the use is that of 2025-01-01 to 2025-12-31" in said.err
    assert "prices are those that hold on" in said.err


def test_json_has_everything_and_csv_a_row_a_tariff(home: Box) -> None:
    [found] = home.json("compare", "house/electricity.import", "--zone", "Europe/Brussels")
    assert found["staying"]["tariff"] == "Flat"
    best = found["offers"][0]
    assert (best["tariff"], best["agreed_now"]) == ("Night", False)
    assert Decimal(best["saving"]) == Decimal(found["staying"]["yearly"]) - Decimal(best["yearly"]) > 0
    assert sum(Decimal(line["amount"]) for line in best["lines"]) == Decimal(best["yearly"])
    assert found["assumptions"]
    rows = list(csv.DictReader(io.StringIO(home.run("compare", "--csv", "--zone", "Europe/Brussels").out)))
    assert [(row["rank"], row["tariff"], row["saving"]) for row in rows] == [
        ("1", "Night", best["saving"]),
        ("2", "Flat", "0"),
    ]


def test_what_if_is_said_and_saves(home: Box) -> None:
    said = home.run("compare", "--battery", "5", "--move", "1.5", "--zone", "Europe/Brussels")
    assert "with a battery of 5 kWh, and 1.5 kWh a day moved to the cheapest hours" in said.out
    assert "costs to buy is not counted" in said.err
    [before] = home.json("compare", "--zone", "Europe/Brussels")
    [found] = home.json("compare", "--battery", "5", "--zone", "Europe/Brussels")
    assert found["staying"] == before["staying"]
    assert Decimal(found["offers"][0]["saving"]) > Decimal(before["offers"][0]["saving"])
    refused = home.run("compare", "--battery", "big")
    assert (refused.code, "such as 5 or 2.5" in refused.err) == (2, True)


def test_nothing_to_compare_says_what_is_missing(box: Box) -> None:
    said = box.run("compare")
    assert said.code == 2
    assert "import readings of a supply, and tariffs" in said.err
