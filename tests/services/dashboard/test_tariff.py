"""Saying one's supply and tariff: each shape, each problem at its field, prices from a day on."""

import html
import json
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import costs, supplies
from appliance.costs import Cost
from appliance.store.database import Store
from services.dashboard.box import box
from services.dashboard.uploads import FORM_BYTES
from tests.costs.tariffs import INDEX, NIGHT, QUARTER_S, keep_prices, slowly
from tests.meter_series import keep
from tests.services.dashboard.test_energy import AMSTERDAM, FIRST, LAST, keep_day, quarters

Token = Callable[[FlaskClient, str], str]
COMMON = {"supplier": "Ember", "standing": "0,5312", "standing_period": "day", "mine": "no"}
AGREED = {"mine": "yes", "begins": "2025-01-01", "ends": "2025-12-31", "exit_fee": "75", "notice_days": "30"}
NIGHTS = {"day_price": "0.3119", "night_price": "12.07ct", "night_from": "22:00", "night_until": "07:00"}


@pytest.fixture(scope="module")
def store(app: Flask) -> Store:
    """The household's store with two months of quarter-hours and no tariff."""
    home = box(app).stores.home
    keep_day(home, FIRST, LAST)
    return home


@pytest.fixture
def post(ada: FlaskClient, token_of: Token) -> Callable[..., TestResponse]:
    def send(path: str, **said: Any) -> TestResponse:
        return ada.post(path, data={"form_token": token_of(ada, "/now"), "store": "home", **said})

    return send


def problems(response: TestResponse) -> dict[str, str]:
    """What stands at each field of a form that came back, by the field's name."""
    assert response.status_code == 422
    page = html.unescape(response.text)
    found = re.findall(r'name="([^"]+)"(?:(?!name=").)*?field-problem">([^<]+)<', page, re.DOTALL)
    return dict(found)


def cost(store: Store, tariff: str = "") -> Cost:
    return costs.cost(store, supplies.named(store, "", AMSTERDAM), AMSTERDAM, tariff=tariff)


def expected(tariff: str) -> dict[date, Decimal]:
    used = dict.fromkeys(quarters(FIRST, LAST), Decimal("0.25"))
    return slowly(used, tariff, "Europe/Amsterdam", FIRST, LAST)


def by_day(found: Cost) -> dict[date, Decimal | None]:
    return {each.day: each.amount for each in found.days}


def page(client: FlaskClient, path: str = "/tariff?store=home") -> str:
    return html.unescape(client.get(path).text)


def test_1_one_price_with_vat_that_is_mine_costs_every_day(
    store: Store, ada: FlaskClient, post: Callable[..., TestResponse]
) -> None:
    assert "Nobody said yet" in page(ada)
    said = {**COMMON, **AGREED, "name": "Ember <One>", "price": "24.15 ct", "vat": "21"}
    assert post("/tariff/add/one", **said).status_code == 303
    assert by_day(cost(store)) == expected("Flat")
    shown = page(ada)
    assert "Ember <One></strong>" in shown
    assert "It ends on 31 Dec 2025. Leaving before costs €\u202f75.00. Notice: 30 days." in shown
    assert "€\u202f0.2415 a kWh" in shown


def test_2_day_and_night_to_compare_with_is_agreed_to_by_nobody(
    store: Store, ada: FlaskClient, post: Callable[..., TestResponse]
) -> None:
    said = {**COMMON, **NIGHTS, "name": "Night", "weekend": "at the night price"}
    assert post("/tariff/add/day-night", **said).status_code == 303
    assert by_day(cost(store, "Night")) == expected("Night")
    assert by_day(cost(store)) == expected("Flat")


def test_3_a_price_that_follows_a_market(store: Store, ada: FlaskClient, post: Callable[..., TestResponse]) -> None:
    assert "No prices of a market are here yet" in page(ada, "/tariff/add/market?store=home")
    which = quarters(FIRST, LAST)
    keep_prices(store, which.start, which.stop)
    assert f"<option selected>{INDEX}</option>" in page(ada, "/tariff/add/market?store=home")
    said = {**COMMON, "name": "Dynamic", "index": INDEX, "factor": "1.05", "addition": "1.23 ct"}
    assert post("/tariff/add/market", **said).status_code == 303
    assert by_day(cost(store, "Dynamic")) == expected("Dynamic")


def test_4_every_problem_stands_at_its_field_and_what_was_typed_stays(
    store: Store, post: Callable[..., TestResponse]
) -> None:
    wrong = problems(post("/tariff/add/one", price="dear", standing="53.12", vat="x", mine="yes", ends="soon"))
    assert wrong["supplier"] == wrong["name"] == wrong["begins"] == "is needed"
    assert "write it in figures" in wrong["price"]
    assert "write 53.12ct" in wrong["standing"]
    assert "in figures" in wrong["vat"]
    assert "write one such as 2025-03-31" in wrong["ends"]
    said = {**COMMON, **NIGHTS, "name": "Other", "night_until": "22:00"}
    answer = post("/tariff/add/day-night", **said)
    assert "the same as from" in problems(answer)["night_until"]
    assert 'value="12.07ct"' in answer.text
    assert (
        "on the quarter-hour"
        in problems(post("/tariff/add/day-night", **{**said, "night_until": "07:07"}))["night_until"]
    )
    assert "is more than anybody pays" in problems(post("/tariff/add/one", **COMMON, name="N", price="24.15"))["price"]
    assert (
        "give this one another name" in problems(post("/tariff/add/one", **COMMON, name="night", price="0.1"))["name"]
    )
    said = {**COMMON, **AGREED, "name": "N", "price": "0.1", "ends": "2024-12-31", "exit_fee": "-1", "notice_days": "x"}
    wrong = problems(post("/tariff/add/one", **said))
    assert {"ends", "exit_fee", "notice_days"} == wrong.keys()
    with store.read() as connection:
        assert len(supplies.tariffs(connection)) == 3


def test_4_several_prices_by_hours_days_and_months(store: Store, post: Callable[..., TestResponse]) -> None:
    said = {
        "supplier": "Ember", "name": "Peaks", "mine": "no", "price": "0.20",
        "band_1": "peak", "price_1": "0.40", "from_1": "17:00", "until_1": "20:00", "days_1": "Monday to Friday",
        "band_2": "spring", "price_2": "0.10", "from_2": "10:00", "until_2": "16:00", "days_2": "every day",
        "first_month_2": "April", "last_month_2": "April",
    }  # fmt: skip
    assert post("/tariff/add/times", **said).status_code == 303
    weekday, sunday, april = (by_day(cost(store, "Peaks"))[date(2025, *day)] for day in ((3, 3), (3, 2), (4, 7)))
    assert weekday == 21 * Decimal("0.20") + 3 * Decimal("0.40")
    assert sunday == 24 * Decimal("0.20")
    assert april == 15 * Decimal("0.20") + 3 * Decimal("0.40") + 6 * Decimal("0.10")
    overlapping = {**said, "name": "Twice", "from_2": "19:00", "until_2": "21:00"}
    assert (
        "the first price holds at the same time, Monday 19:00"
        in problems(post("/tariff/add/times", **overlapping))["from_2"]
    )
    never = {**said, "name": "Never", "from_1": "", "until_1": "", "days_1": "", "last_month_2": ""}
    wrong = problems(post("/tariff/add/times", **never))
    assert "when does this price hold?" in wrong["from_1"]
    assert wrong.keys() == {"from_1", "last_month_2"}


def test_4_a_price_by_how_much_and_all_else_that_a_bill_has(store: Store, post: Callable[..., TestResponse]) -> None:
    said = {
        "supplier": "Ember", "name": "Blocks", "mine": "no", "price": "0.20", "up_to": "100", "counted": "month",
        "beyond": "0.30", "levy": "1ct", "peak": "36.50", "peak_months": "12", "peak_least": "2.5", "discount": "73",
        "discount_period": "year", "vat": "10",
    }  # fmt: skip
    assert post("/tariff/add/tiers", **said).status_code == 303
    # A kW all day: the peak counts as 2.5 kW, of 36.50 a year, as the discount is 73.
    first = Decimal(24) * Decimal("0.21") + Decimal("2.5") * Decimal("0.1") - Decimal("0.2")
    assert by_day(cost(store, "Blocks"))[date(2025, 3, 2)] == first * Decimal("1.1")
    later = Decimal(24) * Decimal("0.31") + Decimal("2.5") * Decimal("0.1") - Decimal("0.2")
    assert by_day(cost(store, "Blocks"))[date(2025, 3, 20)] == later * Decimal("1.1")
    odd = {**said, "name": "Odd", "up_to": "", "peak_months": "13", "levy": "much"}
    assert problems(post("/tariff/add/tiers", **odd)).keys() == {"up_to", "peak_months", "levy"}


def test_5_a_price_from_a_day_on_leaves_the_days_before_as_they_were(
    store: Store, ada: FlaskClient, post: Callable[..., TestResponse]
) -> None:
    with store.read() as connection:
        fact = next(each.fact for each in supplies.tariffs(connection) if each.name == "Ember <One>")
    assert 'value="0.2415"' in page(ada, f"/tariff/{fact}/prices?store=home")
    same = {"price-1-0": "0.5312", "percent-2-0": "21"}
    assert post(f"/tariff/{fact}/prices", **same, **{"from": "2025-04-01", "rates-0-0": "0.3"}).status_code == 303
    found, was = by_day(cost(store)), expected("Flat")
    for day, amount in found.items():
        before = was[day] if day.month == 3 else (Decimal("24") * Decimal("0.3") + Decimal("0.5312")) * Decimal("1.21")
        assert (day, amount) == (day, before)
    assert "€\u202f0.30 a kWh" in page(ada)
    assert "Its prices over time" in page(ada)
    assert post(f"/tariff/{fact}/prices", **same, **{"from": "2025-04-01", "rates-0-0": "0.2"}).status_code == 303
    assert by_day(cost(store))[LAST] == (Decimal("4.8") + Decimal("0.5312")) * Decimal("1.21"), "put right, not twice"
    wrong = problems(post(f"/tariff/{fact}/prices", **same, **{"from": "2025-05-01", "rates-0-0": ""}))
    assert wrong == {"rates-0-0": "is needed"}
    answer = post(f"/tariff/{fact}/prices", **same, **{"from": "2025-05-01", "rates-0-0": "0.2"})
    assert "says so already" in html.unescape(answer.text)


def test_6_a_tariff_file_is_read_and_what_is_wrong_of_it_is_said(
    store: Store, ada: FlaskClient, post: Callable[..., TestResponse]
) -> None:
    usual = {"inglenook_tariff": 1, "supplier": "Ash", "supply": "electricity", "zone": "UTC", "currency": "EUR"}
    good, bad = {**usual, **NIGHT, "name": "Of a file"}, {**usual, "name": "Bad", "charges": []}
    answer = post("/tariff/file", file=(BytesIO(json.dumps([good, bad]).encode()), "t.json"))
    assert answer.status_code == 422
    assert "charges" in html.unescape(answer.text)
    assert "Of a file" in page(ada)
    many = [{**good, "name": f"Tariff {number}"} for number in range(700)]
    assert len(json.dumps(many)) > FORM_BYTES, "more than a form without a file may bring"
    assert post("/tariff/file", file=(BytesIO(json.dumps(many).encode()), "t.json")).status_code == 303
    assert "Tariff 699" in page(ada)
    assert "Choose a file first" in page_of(post("/tariff/file"))
    assert post("/tariff/file", file=(BytesIO(b"no tariff"), "t.json")).status_code == 422
    with store.read() as connection:
        fact = next(each.fact for each in supplies.tariffs(connection) if each.name == "Of a file")
    assert post(f"/tariff/{fact}/mine", begins="2025-04-01").status_code == 303
    assert {each.tariff for each in cost(store).days} == {"Ember <One>", "Of a file"}
    assert problems(post(f"/tariff/{fact}/mine", begins=""))["begins"] == "is needed"


def page_of(response: TestResponse) -> str:
    return html.unescape(response.text)


def test_7_a_supply_that_the_series_suggest_is_kept_by_its_name(
    store: Store, ada: FlaskClient, post: Callable[..., TestResponse]
) -> None:
    assert "Is this a supply of your home?" in page(ada)
    wrong = problems(post("/tariff/supply", title="Power", point="871685900000000001"))
    assert "point" in wrong
    assert post("/tariff/supply", title="Power & light", point="").status_code == 303
    assert "Is this a supply of your home?" not in page(ada)
    [supply] = supplies.every(store, AMSTERDAM)
    assert (supply.name, supply.source, supply.role) == ("Power & light", "house", "electricity.import")


def test_8_nothing_is_written_for_a_stranger_or_without_the_form(
    store: Store, ada: FlaskClient, stranger: FlaskClient
) -> None:
    said = {**COMMON, "store": "home", "name": "Forged", "price": "0.1"}
    for path in ("/tariff/add/one", "/tariff/file", "/tariff/supply", "/tariff/1/mine", "/tariff/1/prices"):
        assert ada.post(path, data=said).status_code == 403, path
        assert stranger.post(path, data=said).status_code == 303, path
    with store.read() as connection:
        assert "Forged" not in {each.name for each in supplies.tariffs(connection)}
    assert ada.get("/tariff/99999/prices?store=home").status_code == 404
    assert ada.get("/tariff/add/nothing?store=home").status_code == 404


def test_9_gas_is_priced_by_the_kwh_or_by_the_cubic_metre(store: Store, post: Callable[..., TestResponse]) -> None:
    keep(
        store, "gas", [0, 2000], first_ms=quarters(FIRST, LAST).start * QUARTER_S * 1000, unit="m3", source="cellar",
        seconds=0, every_s=3600, exponent=-3,
    )  # fmt: skip
    said = {"supply": "gas@cellar", "supplier": "Ember", "name": "Flame", "mine": "no"}
    assert problems(post("/tariff/add/one", **said, price="0.1"))["per"] == "is needed: look on the bill"
    wrong = problems(post("/tariff/add/one", **said, per="kWh", price="1.4512", levy="72.6ct"))
    assert wrong.keys() == {"price", "levy"}
    assert "where it is the price of a cubic metre, say so above" in wrong["price"]
    assert post("/tariff/add/one", **said, per="m³", price="1.4512", levy="72.6ct").status_code == 303
    gas = supplies.named(store, "gas", AMSTERDAM)
    found = costs.cost(store, gas, AMSTERDAM, tariff="Flame")
    assert found.totals == {"EUR": 2 * (Decimal("1.4512") + Decimal("0.726"))}
    assert {band.unit for band in found.bands} == {"m3"}
    assert sum(each.used for each in found.days) > 20, "what was used is shown in kWh"
