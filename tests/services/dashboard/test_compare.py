"""The comparison of tariffs on its page, for a printer and for a spreadsheet."""

import csv
import html
import io
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.ingest import stating
from appliance.store.database import Store
from services.dashboard.box import box
from tests.costs.tariffs import DYNAMIC, FLAT, NIGHT, known, slowly
from tests.services.dashboard.test_energy import AMSTERDAM, keep_day, quarters

LAST = datetime.now(AMSTERDAM).date() - timedelta(days=1)
FIRST = (LAST + timedelta(days=1)).replace(year=LAST.year - 1)


@pytest.fixture(scope="module")
def store(app: Flask) -> Store:
    """The household's store with the last year's quarter-hours."""
    home = box(app).stores.home
    keep_day(home, FIRST, LAST)
    return home


def page(client: FlaskClient) -> str:
    return html.unescape(client.get("/compare?store=home").text)


def yearly(tariff: str) -> Decimal:
    used = dict.fromkeys(quarters(FIRST, LAST), Decimal("0.25"))
    return sum(slowly(used, tariff, "Europe/Amsterdam", FIRST, LAST).values(), Decimal(0))


def said(amount: Decimal) -> str:
    return f"€\u202f{amount:,.2f}"


def test_1_without_readings_or_tariffs_it_says_what_it_takes(app: Flask, ada: FlaskClient) -> None:
    assert "Nothing to compare with yet" in page(ada)
    assert ada.get("/compare.csv?store=home").status_code == 422


def test_2_without_tariffs_the_next_step_is_to_add_one(store: Store, ada: FlaskClient) -> None:
    found = page(ada)
    assert "No tariff of Electricity" in found
    assert "Add a tariff" in found
    assert "inglenook import" not in found


def test_3_while_nobody_said_what_is_agreed_nothing_is_said_to_be_saved(store: Store, ada: FlaskClient) -> None:
    known(store, "Europe/Amsterdam", FLAT, {**NIGHT, "name": "=Night"}, DYNAMIC)
    found = page(ada)
    assert "What you would save is not known yet" in found
    assert "Say which tariff you are on" in found
    assert "inglenook add" not in found


def test_4_it_ranks_by_the_first_year_and_says_what_is_saved(store: Store, ada: FlaskClient) -> None:
    agreed = {"party": "Ember", "supply": "electricity", "tariff": "Flat", "at": "2020-01-01", "amount": "50"}
    stating.add(store, "energy.agreement", {**agreed, "unit": "EUR"}, "Ada", zone=AMSTERDAM)
    found, flat, night = page(ada), yearly("Flat"), yearly("Night")
    assert f"You would save {said(flat - night - 50)} in the first year" in found
    assert f"saves {said(flat - night)}." in found, "each year after has no exit fee"
    assert said(flat) in found
    assert said(night + 50) in found
    assert found.index("<strong>=Night") < found.index("<strong>Flat</strong>")
    assert "Not compared" in found
    assert "<strong>Dynamic</strong> of Ember: there are no prices of" in found
    assert "On what this stands" in found


def test_5_a_spreadsheet_has_it_exactly_and_takes_no_name_for_a_formula(store: Store, ada: FlaskClient) -> None:
    answer = ada.get("/compare.csv?store=home")
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [each["tariff"] for each in rows] == ["'=Night", "Flat"]
    assert Decimal(rows[0]["yearly"]) == yearly("Night")
    assert Decimal(rows[0]["saving"]) == yearly("Flat") - yearly("Night") - 50
    assert rows[1]["agreed_now"] == "True"


def test_6_it_reckons_with_washing_that_moves(store: Store, ada: FlaskClient) -> None:
    as_it_is = page(ada)
    moved = html.unescape(ada.get("/compare?store=home&moved=2").text)
    assert "2 kWh a day moved to the cheapest hours" in moved
    assert 'value="2"' in moved
    assert said(yearly("Night") + 50) in as_it_is
    assert said(yearly("Night") + 50) not in moved, "what is moved costs less at night"
    assert "moved=2" in moved[moved.index("/compare.csv") :]
    for wrong in ("many", "-1", "1e99999999999", "NaN"):
        assert "write" in html.unescape(ada.get(f"/compare?store=home&battery={wrong}").text), wrong
        assert ada.get(f"/compare.csv?store=home&battery={wrong}").status_code == 422, wrong


def test_7_a_stranger_gets_neither(store: Store, stranger: FlaskClient) -> None:
    assert stranger.get("/compare?store=home").status_code == 303
    assert stranger.get("/compare.csv?store=home").status_code == 303
