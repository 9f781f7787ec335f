"""The page Budget: what the month will come to, budgets that are set, changed and ended, and days away."""

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import budgets
from appliance.ingest import stating
from appliance.kinds.energy import AWAY
from appliance.store.database import Store
from appliance.supplies.facts import standing
from services.dashboard.box import box
from tests.costs.tariffs import known
from tests.services.dashboard.test_energy import AMSTERDAM, keep_day

Token = Callable[[FlaskClient, str], str]
TODAY = datetime.now(AMSTERDAM).date()
DAYS = ((TODAY.replace(day=1) + timedelta(days=31)).replace(day=1) - TODAY.replace(day=1)).days
RATE = {"kind": "rates", "rates": [{"band": "all day", "price": "0.25"}]}


@pytest.fixture(scope="module")
def store(app: Flask) -> Store:
    """The household's store with 24 kWh on each of the last sixty days."""
    home = box(app).stores.home
    keep_day(home, TODAY - timedelta(days=60), TODAY - timedelta(days=1))
    return home


def page(client: FlaskClient) -> str:
    return re.sub(r"\s+", " ", html.unescape(client.get("/budgets?store=home").text))


def press(client: FlaskClient, token_of: Token, path: str = "/budgets", **typed: str) -> TestResponse:
    return client.post(path, data={"form_token": token_of(client, "/now"), "store": "home", **typed})


def held(store: Store) -> list[tuple[str, Decimal, str]]:
    found = budgets.month(store, AMSTERDAM, datetime.now(AMSTERDAM)).budgets
    return [(each.supply, each.limit, each.unit) for each in found]


def fact(store: Store) -> int:
    return budgets.month(store, AMSTERDAM, datetime.now(AMSTERDAM)).budgets[0].fact


def test_1_without_readings_it_says_where_to_begin(app: Flask, ada: FlaskClient) -> None:
    assert "Nothing to reckon with yet" in page(ada)


def test_2_without_a_tariff_the_month_is_told_in_kwh(store: Store, ada: FlaskClient) -> None:
    found = page(ada)
    assert re.search(rf'Likely by its end</dt> <dd><span class="figure">{24 * DAYS:,}(\.0)? kWh', found)
    assert "What that costs is not known here" in found
    assert "The range is where eight months of ten end" in found


def test_3_a_budget_in_kwh_is_set_changed_and_ended(store: Store, ada: FlaskClient, token_of: Token) -> None:
    typed = {"supply": "electricity", "unit": "kWh, or m³ of water"}
    assert press(ada, token_of, **typed, amount="5000").status_code == 303
    assert held(store) == [("electricity", Decimal(5000), "kWh")]
    assert "likely to be enough" in page(ada)
    assert press(ada, token_of, **typed, amount="100,5").status_code == 303
    assert held(store) == [("electricity", Decimal("100.5"), "kWh")], "the same budget, with another limit"
    assert re.search("spent|likely to be too little", page(ada))
    assert press(ada, token_of, f"/budgets/{fact(store)}", amount="6000").status_code == 303
    assert held(store) == [("electricity", Decimal(6000), "kWh")]
    assert press(ada, token_of, f"/budgets/{fact(store)}/end").status_code == 303
    assert held(store) == []


def test_4_a_budget_in_money_says_what_is_left_and_what_it_lacks(
    store: Store, ada: FlaskClient, token_of: Token
) -> None:
    assert press(ada, token_of, supply="all together", unit="EUR", amount=str(7 * DAYS)).status_code == 303
    assert "What Electricity, The house costs is not known" in page(ada)
    known(store, "Europe/Amsterdam", {"name": "Home", "charges": [RATE]}, currency="EUR")
    said = {"party": "Ember", "supply": "electricity", "tariff": "Home", "at": "2020-01-01"}
    stating.add(store, "energy.agreement", said, "Ada", zone=AMSTERDAM)
    found = page(ada)
    assert f"likely to come to € {6 * DAYS}.00: about € {DAYS}.00 are left over" in found


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"amount": ""}, "is needed"),
        ({"amount": "lots"}, "is no number"),
        ({"amount": "-4"}, "above nought"),
        ({"amount": "0"}, "above nought"),
        ({"amount": "9" * 30}, "is no number"),
        ({"supply": "oil"}, "choose one"),
        ({"unit": "GBP"}, "choose one"),
        ({"supply": "all together", "unit": "kWh, or m³ of water"}, "name one supply"),
    ],
)
def test_5_a_budget_that_cannot_be_comes_back(
    store: Store, ada: FlaskClient, token_of: Token, wrong: dict[str, str], told: str
) -> None:
    before = held(store)
    refused = press(ada, token_of, **{"supply": "gas", "unit": "EUR", "amount": "5", **wrong})
    assert refused.status_code == 422
    assert f'value="{wrong.get("amount", "5")}"' in refused.text
    assert told in html.unescape(refused.text)
    if "amount" in wrong:
        assert press(ada, token_of, f"/budgets/{fact(store)}", **wrong).status_code == 422
    assert held(store) == before


def test_6_days_away_are_kept_ended_and_taken_out(store: Store, ada: FlaskClient, token_of: Token) -> None:
    def absences() -> list[tuple[str, str]]:
        with store.read() as connection:
            return [(each.at, each.fields.get("until", "")) for each in standing(connection, AWAY.name)]

    left = (TODAY - timedelta(days=3)).isoformat()
    assert press(ada, token_of, "/budgets/away", left=left).status_code == 303
    assert "you are away" in page(ada)
    assert "for how long is open" in page(ada)
    [number] = re.findall(r"/budgets/away/(\d+)/back", page(ada))
    assert press(ada, token_of, f"/budgets/away/{number}/back").status_code == 303
    assert absences() == [(left, TODAY.isoformat())]
    for wrong in ({"left": ""}, {"left": "soon"}, {"left": "0001-01-01"}, {"left": left, "back": "2020-01-01"}):
        assert press(ada, token_of, "/budgets/away", **wrong).status_code == 422, wrong
    assert press(ada, token_of, f"/budgets/away/{number}/remove").status_code == 303
    assert absences() == []


def test_7_these_forms_change_no_other_fact_and_obey_nobody_else(
    store: Store, ada: FlaskClient, stranger: FlaskClient, token_of: Token
) -> None:
    before, other = held(store), stating.add(store, "note", {"memo": "Mine", "at": "2026-01-01"}, "Ada").id
    for path in (
        f"/budgets/{other}",
        f"/budgets/{other}/end",
        f"/budgets/away/{other}/remove",
        f"/budgets/{9**30}/end",
    ):
        assert press(ada, token_of, path, amount="1").status_code == 404, path
    for path in ("/budgets", f"/budgets/{fact(store)}", f"/budgets/{fact(store)}/end", "/budgets/away"):
        assert ada.post(path, data={"store": "home", "amount": "1"}).status_code == 403, "no form of ours"
        assert stranger.post(path, data={"store": "home"}).status_code in (303, 403)
    assert stranger.get("/budgets?store=home").headers["Location"].startswith("/sign-in")
    assert held(store) == before
