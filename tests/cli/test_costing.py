"""`inglenook costs` and `tariffs`, as a person runs them."""

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.conftest import Box
from tests.costs.tariffs import FLAT, NIGHT

Written = Callable[[str, bytes], Path]
BEGIN = "Timestamp (UTC),energyConsumption (kWh)\n"


def half_hours(day: str, kwh: str) -> bytes:
    """A day in UTC, each half-hour of which used the same; n3rgy's times are the ends."""
    ends = [f"{day} {minutes // 60:02}:{minutes % 60:02},{kwh}\n" for minutes in range(30, 1440, 30)]
    return (BEGIN + "".join(ends)).encode()


@pytest.fixture
def house(box: Box, written: Written) -> Box:
    """A box with 47 half-hours of each of two days, and two tariffs."""
    usual = {"inglenook_tariff": 1, "supplier": "Ember", "supply": "electricity", "zone": "UTC", "currency": "GBP"}
    box.run("import", written("t.json", json.dumps([{**usual, **FLAT, "code": "F1"}, {**usual, **NIGHT}]).encode()))
    for day in ("2026-01-05", "2026-01-06"):
        box.run("import", written(f"{day}.csv", half_hours(day, "0.2")))
    return box


def test_tariffs_lists_them(house: Box) -> None:
    assert [(row["name"], row["code"], row["supply"]) for row in house.json("tariffs")] == [
        ("Flat", "F1", "electricity"),
        ("Night", "", "electricity"),
    ]
    assert "Known since" in house.run("tariffs").out


def test_a_store_without_tariffs_or_readings_says_what_to_do(box: Box) -> None:
    assert "inglenook import FILE" in box.run("tariffs").out
    said = box.run("costs", "--zone", "UTC")
    assert said.code == 2
    assert "inglenook import FILE" in said.err


def test_costs_are_exact_by_day_month_and_band_and_gaps_are_told(house: Box) -> None:
    said = house.run("costs", "--tariff", "F1", "--by", "day", "--zone", "UTC", "--json")
    used, one = Decimal("9.4"), (Decimal("9.4") * Decimal("0.2415") + Decimal("0.5312")) * Decimal("1.21")
    assert [(row["day"], Decimal(row["used"]), Decimal(row["amount"])) for row in said.rows] == [
        ("2026-01-05", used, one),
        ("2026-01-06", used, one),
    ]
    assert [row["missing"] for row in said.rows] == [2, 2]
    assert "6.78 GBP from 2026-01-05 to 2026-01-06" in said.err
    assert "not read, or only in part: 4 quarter-hours from 2026-01-05 to 2026-01-06" in said.err
    [month] = house.json("costs", "--tariff", "F1", "--zone", "UTC")
    assert (month["month"], Decimal(month["amount"])) == ("2026-01", 2 * one)
    bands = house.json("costs", "--tariff", "Night", "--by", "band", "--zone", "UTC", "--from", "2026-01-06")
    assert [(row["charge"], row["band"], Decimal(row["quantity"])) for row in bands] == [
        ("Energy", "night", Decimal("3.4")),
        ("Energy", "day", Decimal("6.0")),
        ("Standing charge", "", Decimal(1)),
    ]


def test_a_table_is_rounded_and_csv_is_not(house: Box) -> None:
    assert "6.78" in house.run("costs", "--tariff", "F1", "--zone", "UTC").out
    rows = list(csv.DictReader(io.StringIO(house.run("costs", "--tariff", "F1", "--zone", "UTC", "--csv").out)))
    assert Decimal(rows[0]["amount"]) == Decimal("6.779146")
    assert rows[0]["supply"].startswith("Electricity, ")


def test_as_agreed_and_what_is_not_agreed_is_told(house: Box) -> None:
    house.run("add", "energy.agreement", "party=Ember", "supply=electricity", "tariff=F1", "at=2026-01-06")
    said = house.run("costs", "--by", "day", "--zone", "UTC", "--json")
    assert [row["tariff"] for row in said.rows] == ["", "Flat"]
    assert "no agreement is known from 2026-01-05 to 2026-01-05" in said.err


def test_the_days_that_a_late_file_changed_are_named(house: Box, written: Written) -> None:
    [*_, newest] = sorted(row["at"] for row in house.json("imports"))
    house.run("import", written("late.csv", half_hours("2026-01-06", "0.3")))
    rows = house.json("costs", "--tariff", "F1", "--zone", "UTC", "--changed-since", newest)
    assert [(row["day"], row["used_before"], row["used"], row["why"]) for row in rows] == [
        ("2026-01-06", "9.4", "14.1", "readings")
    ]


def test_a_day_that_is_none_and_a_tariff_that_is_not_there_are_refused(house: Box) -> None:
    assert "--from 5 May: write a day such as" in house.run("costs", "--from", "5 May", "--zone", "UTC").err
    said = house.run("costs", "--tariff", "Nowhere", "--zone", "UTC")
    assert said.code == 2
    assert "no tariff is called 'Nowhere'; there are: Flat (F1), Night" in said.err


def test_several_supplies_are_added_up_and_one_that_may_count_the_same_is_not(house: Box, written: Written) -> None:
    gas = written("gas.csv", half_hours("2026-01-05", "0.5"))
    house.run("import", gas, "--set", "quantity=gas", "--source", "gas meter")
    house.run("add", "energy.agreement", "party=Ember", "supply=electricity", "tariff=Flat", "at=2026-01-01")
    said = house.run("costs", "--zone", "UTC", "--from", "2026-01-05").err
    [alone] = [line for line in said.splitlines() if "GBP from 2026-01-05" in line]
    amount = alone.split(": ")[2].split(" from")[0]
    assert f"all together: {amount}" in said
    second = written("second.csv", half_hours("2026-01-05", "0.1"))
    house.run("import", second, "--source", "garage")
    said = house.run("costs", "--zone", "UTC", "--from", "2026-01-05").err
    assert "all together" not in said, "no supply that surely adds up has a tariff"
    assert said.count("is not in that: several meters count the same kind, and nobody said which") == 2
    assert "inglenook add energy.supply title=NAME supply=electricity source='garage' role=electricity.import" in said


def test_costs_by_register_and_by_appliance(house: Box, written: Written) -> None:
    """0.2 kWh each half-hour, of which a freezer uses 0.05 in 40 of the 94."""
    said = "costs", "--tariff", "F1", "--zone", "UTC"
    rate, standing = Decimal("0.2415") * Decimal("1.21"), 2 * Decimal("0.5312") * Decimal("1.21")
    assert "no appliance counted by itself" in house.run(*said, "--by", "appliance").err
    [register, rest] = house.json(*said, "--by", "role")
    assert (register["role"], Decimal(register["amount"])) == ("electricity.import", Decimal("18.8") * rate)
    assert (rest["role"], Decimal(rest["amount"])) == ("everything else", standing)
    layout = {"kind": "readings", "columns": ["at", "amount"], "order": "year first", "role": "plug.energy"}
    how = "--as", "table", "--source", "Freezer", "--zone", "UTC", "--set"
    rows = "".join(f"2026-01-05 {half // 2:02}:{half % 2 * 30:02},0.05\n" for half in range(40))
    stated = json.dumps({**layout, "unit": "kWh", "seconds": 1800, "header": 1, "decimal": "point"})
    house.json("import", *how, f"layout={stated}", written("freezer.csv", f"At,kWh\n{rows}".encode()))
    [freezer, rest] = house.json(*said, "--by", "appliance")
    assert (freezer["appliance"], freezer["used"], Decimal(freezer["amount"])) == ("Freezer", "2", 2 * rate)
    assert Decimal(rest["amount"]) == Decimal("16.8") * rate + standing
    assert "Counted by itself" in house.run(*said, "--by", "appliance").out
