"""`inglenook bills`, `insight`, `budgets` and `midata`: what a household's energy comes to, on the command line."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.conftest import Box

Written = Callable[[str, bytes], Path]
HOME = {
    "inglenook_tariff": 1,
    "supplier": "Ember",
    "name": "Home",
    "supply": "electricity",
    "zone": "Europe/London",
    "currency": "GBP",
    "charges": [
        {"kind": "rates", "rates": [{"band": "all day", "price": "0.25"}]},
        {"kind": "standing", "price": "0.50", "period": "day"},
    ],
}


@pytest.fixture
def metered(box: Box, written: Written) -> Box:
    """A box with January 2025 at 12 kWh a day, on a tariff that was agreed."""
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    starts = [begin + timedelta(minutes=30 * number) for number in range(48 * 31)]
    rows = [f"0.25, {at:%Y-%m-%dT%H:%M:%SZ}, {at + timedelta(minutes=30):%Y-%m-%dT%H:%M:%SZ}" for at in starts]
    text = "\n".join(["Consumption (kwh), Start, End", *rows, ""])
    box.json("import", written("octopus.csv", text.encode()))
    box.json("import", written("home.json", json.dumps(HOME).encode()))
    said(box, "energy.agreement", "at=2024-11-01", "party=Ember", "supply=electricity", "tariff=Home")
    return box


def said(box: Box, kind: str, *fields: str) -> str:
    return str(box.json("add", kind, *fields)[0]["id"])


def test_a_bill_is_checked_line_by_line(metered: Box) -> None:
    period = "from=2025-01-01", "until=2025-01-31"
    bill = said(metered, "energy.bill", "at=2025-02-03", "party=Ember", "amount=109.00", "unit=GBP", *period)
    undated = said(metered, "energy.bill", "at=2025-03-03", "party=Ember", "amount=5", "unit=GBP")
    zone = "--zone", "Europe/London"
    rows = metered.json("bills", *zone)
    assert [str(each["id"]) for each in rows] == [bill, undated]
    assert "0.50 GBP more" in rows[0]["verdict"]
    assert "says no period" in rows[1]["verdict"]
    [found] = metered.json("bills", "check", bill, *zone)
    assert [each["amount"] for each in found["lines"]] == ["93.00", "15.50"]
    assert (found["difference"], found["unexplained"], found["causes"][0]["kind"]) == ("0.50", "0.00", "days")
    shown = metered.run("bills", "check", bill, *zone)
    assert "- +0.50 GBP: The bill fits if standing charges are counted for 32 days" in shown.out
    assert metered.run("bills", "check", undated, *zone).code == 2


def test_insight_says_what_the_readings_tell(metered: Box) -> None:
    [found] = metered.json("insight", "--zone", "Europe/London", "--to", "2025-01-31")
    assert Decimal(found["used"]) == 372
    assert Decimal(found["baseload"]["baseload_w"]) == 500
    assert found["baseload"]["amount_year"] == "1095.00"  # 4,380 kWh at 0.25
    assert found["methods"][0].startswith("Baseload: ")
    shown = metered.run("insight", "--zone", "Europe/London", "--methods")
    assert "4,380 kWh a year, 1095.00 GBP" in shown.out
    assert "- Baseload: the value below which a tenth" in shown.out
    assert metered.run("insight", "--base", "cold").code == 2
    assert metered.run("insight", "water").code == 2


def test_midata_writes_its_file_or_says_what_it_lacks(metered: Box, tmp_path: Path) -> None:
    lacking = metered.run("midata")
    assert (lacking.code, "meter point's number" in lacking.err) == (2, True)
    point = "supply=electricity", "source=octopus electricity half-hourly", "point=2000050773706"
    said(metered, "energy.supply", "title=Home", *point)
    file = tmp_path / "midata.csv"
    assert metered.run("midata", "--to", file).code == 0
    names, values = file.read_text().splitlines()
    assert names.startswith("customerReferenceNumber,date,fuel")
    assert ",2000050773706,Ember,Home,false,20241101,,," in values
    assert metered.json("midata")[0]["energyUsage"] == "372"
    assert metered.run("midata", "--to", tmp_path / "nowhere" / "midata.csv").code == 2


def test_budgets_say_what_the_month_comes_to_and_what_to_look_at(metered: Box) -> None:
    said(metered, "energy.budget", "at=2025-01-01", "amount=100", "unit=GBP")
    rows = metered.json("budgets", "--at", "2025-01-20T12:00", "--zone", "Europe/London")
    assert [(each["what"], each.get("so_far"), each.get("expected")) for each in rows] == [
        ("used", "228.00", "372.00"),
        ("cost", "66.50", "108.50"),
        ("budget", "66.50", "108.50"),
        ("forecast", None, None),
    ]
    assert "is likely to be spent on day 29" in rows[3]["text"]
    shown = metered.run("budgets", "--at", "2025-01-20T12:00", "--zone", "Europe/London", "--methods")
    assert "- Forecast: the days of the month that were wholly measured" in shown.out
    assert metered.run("budgets", "--at", "soon").code == 2
