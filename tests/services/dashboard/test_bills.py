"""Bills on their page: typed, checked line by line, corrected and withdrawn.

April at 4.8 kWh a day is 144 kWh: at 0.25, with 0.50 a day and 21 % of VAT, 36.00 + 15.00 + 10.71 = 61.71; at 0.33 it
is 47.52 + 15.00 + 13.13 = 75.65.
"""

import html
import io
import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.ingest import stating
from appliance.store.database import Store
from services.dashboard.box import box
from tests.costs.tariffs import known
from tests.pdfs import pdf
from tests.services.dashboard.test_energy import AMSTERDAM, keep_day

Token = Callable[..., str]
HOME = {
    "name": "Home",
    "charges": [
        {"kind": "rates", "rates": [{"band": "all day", "price": "0.25"}]},
        {"kind": "standing", "price": "0.50", "period": "day"},
        {"kind": "tax", "percent": "21"},
    ],
}
TYPED = {
    "party": "Ember",
    "supply": "electricity",
    "at": "2025-05-03",
    "from": "2025-04-01",
    "until": "2025-04-30",
    "unit": "EUR",
}


@pytest.fixture(scope="module")
def store(app: Flask) -> Store:
    """The household's store with April’s quarter-hours, of 50 Wh each."""
    home = box(app).stores.home
    keep_day(home, date(2025, 4, 1), date(2025, 4, 30), wh=50)
    return home


def text(client: FlaskClient, path: str) -> str:
    return html.unescape(client.get(path).text)


def typed(client: FlaskClient, token: str, path: str = "/bills/add", **said: str) -> str:
    """Where the form leads."""
    answer = client.post(path, data={"store": "home", "form_token": token, **said})
    assert answer.status_code == 303, re.findall(r'class="field-problem">([^<]+)', html.unescape(answer.text))
    return answer.headers["Location"]


def test_1_without_any_bill_it_says_what_to_do(app: Flask, ada: FlaskClient) -> None:
    assert '<input type="hidden" name="store" value="home">' in text(ada, "/bills/add?store=home")
    page = text(ada, "/bills?store=home")
    assert "No bill yet" in page
    assert "Type a bill" in page
    assert "It takes readings for that" in page


def test_2_a_bill_that_cannot_be_checked_yet_says_why(store: Store, ada: FlaskClient, token_of: Token) -> None:
    path = typed(ada, token_of(ada), **TYPED, amount="61.71", number="1")
    page = text(ada, path)
    assert "It asks €\u202f61.71, and cannot be checked yet" in page
    assert "is not known from 1 Apr 2025 to 30 Apr 2025; add an agreement for these days" in page
    assert "not checked" in text(ada, "/bills?store=home")


def rows(page: str) -> dict[str, list[str]]:
    """What the page lays beside each other: of each line the bill's, ours, and the difference."""
    found = re.findall(r'<th scope="row">([^<]+)</th>\s*(.*?)</tr>', page, re.DOTALL)
    return {name: [cell.strip() for cell in re.findall(r">([^<]*)</td>", cells)] for name, cells in found}


def test_3_a_right_bill_is_shown_line_by_line(store: Store, ada: FlaskClient) -> None:
    known(store, "Europe/Amsterdam", HOME)
    said = {"party": "Ember", "supply": "electricity", "tariff": "Home", "at": "2025-01-01"}
    stating.add(store, "energy.agreement", said, "Ada", zone=AMSTERDAM)
    fact = fact_of(ada)
    page = text(ada, f"/bills/{fact}?store=home")
    assert "It is right to the last cent" in page
    assert "144.0 kWh at €\u202f0.25 a kWh" in page
    assert "30 days at €\u202f0.50 a day" in page
    assert "21 % of €\u202f51.00" in page
    assert rows(page)["To pay"] == ["€\u202f61.71", "€\u202f61.71", ""]
    assert rows(page)["Tax"] == ["", "€\u202f10.71", ""]
    assert "A text for the supplier" not in page
    assert "Ours are whole: every day was read." in page
    listed = text(ada, "/bills?store=home")
    assert "1 bill of 2025" in listed
    assert '<span class="chip good">right</span>' in listed


def fact_of(client: FlaskClient, place: int = 0) -> str:
    """The number of a bill in the list, the newest one first."""
    found: list[str] = re.findall(r'href="/bills/(\d+)', text(client, "/bills?store=home"))
    return found[place]


def test_4_a_wrong_price_is_corrected_into_a_bill_and_explained(
    store: Store, ada: FlaskClient, token_of: Token
) -> None:
    fact = fact_of(ada)
    path = f"/bills/{fact}/correct"
    form = text(ada, f"{path}?store=home")
    assert 'name="amount" value="61.71"' in form
    changed = {"amount": "€ 75,65", "unit_price": "33ct", "why": "the paper says so"}
    page = text(ada, typed(ada, token_of(ada), path, **TYPED, **changed, number="1"))
    assert "It asks €\u202f13.94 too much" in page
    assert "a kWh costs 0.33 EUR, and the tariff says 0.25" in page
    assert rows(page)["Price of a unit"] == ["€\u202f0.33", "€\u202f0.25", "+€\u202f0.08"]
    assert "Dear Ember," in page
    assert "charges 75.65 EUR for these days. By my meter and my tariff (Home) it comes to 61.71 EUR" in page
    assert "Kind regards,\nAda" in page
    listed = text(ada, "/bills?store=home")
    assert "€\u202f13.94 too much" in listed
    assert "at another price of a unit" in listed
    history = text(ada, f"/records/{fact}?store=home")
    assert "the paper says so" in history
    assert f"/bills/{fact}" in history


def test_5_an_estimated_bill_says_to_send_a_reading(store: Store, ada: FlaskClient, token_of: Token) -> None:
    more = {"used": "200", "estimated": "yes", "amount": "78.65", "adjustments": "-20"}
    page = text(ada, typed(ada, token_of(ada), **TYPED | more | {"amount": "58.65"}, number="2"))
    assert "It asks €\u202f16.94 too much" in page
    assert "its readings are <strong>estimated</strong>" in page
    assert "Read your meter, and send the supplier what it shows" in page
    assert "It counts 200 kWh, and my meter 144 kWh (+16.94 EUR). Its readings are estimated." in page
    assert rows(page)["Used"] == ["200.0 kWh", "144.0 kWh", "+56.0 kWh"]
    assert rows(page)["Not for these days"][0] == "−€\u202f20.00"
    assert rows(page)["To pay"][0] == "€\u202f58.65"
    assert "estimated readings, counts more than your readings" in text(ada, "/bills?store=home")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"amount": ""}, "is needed"),
        ({"from": ""}, "it says which readings are meant"),
        ({"until": "2035-01-01"}, "it would be for 3,563 days"),
        ({"until": "2025-03-01"}, "before"),
        ({"amount": "1,234"}, "is not a number"),
        ({"amount": "9" * 30}, "is not a number"),
        ({"unit": "euros"}, "no currency"),
        ({"supply": "steam"}, "steam"),
    ],
)
def test_6_what_makes_no_sense_is_refused_at_its_field(
    store: Store, ada: FlaskClient, token_of: Token, said: dict[str, str], words: str
) -> None:
    sent = {"store": "home", "form_token": token_of(ada), **TYPED, "amount": "5", **said}
    answer = ada.post("/bills/add", data=sent)
    assert answer.status_code == 422
    assert words in html.unescape(answer.text)
    assert 'class="field-problem"' in answer.text


def test_7_absurd_numbers_are_told_and_break_nothing(store: Store, ada: FlaskClient, token_of: Token) -> None:
    absurd = {"used": "9" * 18, "units_charge": "9" * 18, "levies": "-5", "tax": "1" * 18, "register_after": "0.1"}
    path = typed(ada, token_of(ada), **TYPED, amount="1" + "0" * 11, number="3", **absurd)
    assert "No home uses" in text(ada, path)
    fact = path.split("/")[2].partition("?")[0]
    assert ada.get("/bills?store=home").status_code == 200
    withdrawn = {"store": "home", "form_token": token_of(ada)}
    assert ada.post(f"/bills/{fact}/withdraw", data=withdrawn).status_code == 422
    answer = ada.post(f"/bills/{fact}/withdraw", data={**withdrawn, "why": "typed at random"})
    assert "Let it stand again" in text(ada, answer.headers["Location"])
    assert ada.get(f"/bills/{fact}?store=home").status_code == 404


def test_7_days_that_cannot_be_are_told_and_break_nothing(store: Store, ada: FlaskClient) -> None:
    for first, last in (("9999-12-01", "9999-12-31"), ("0001-01-01", "0001-01-02"), ("1925-01-01", "2025-01-31")):
        said = {**TYPED, "from": first, "until": last, "amount": "5"}
        fact = stating.add(store, "energy.bill", said, "Ada", zone=AMSTERDAM).id
        assert "would be for" in text(ada, f"/bills/{fact}?store=home"), first
        assert ada.get("/bills?store=home").status_code == 200, first
        stating.withdraw(store, fact, "Ada", "it was a test")


def test_8_a_pdf_leads_from_its_report_to_the_bill(store: Store, ada: FlaskClient, token_of: Token) -> None:
    paper = pdf(
        [
            "Ember Energy Ltd",
            "Your electricity bill",
            "Bill date: 3 May 2025",
            "Billing period: 1 April 2025 to 30 April 2025",
            "Electricity used 144 kWh",
            "Amount due €61.71",
        ]
    )
    sent = {"form_token": token_of(ada), "file": (io.BytesIO(paper), "bill.pdf")}
    report = ada.post("/import", data=sent, headers={"X-Requested-With": "fetch"}).text
    [path] = re.findall(r'href="(/bills/\d+)"', report)
    page = text(ada, path)
    assert "It is right to the last cent" in page, "Ada’s own bill is checked by the household’s readings"


def test_9_nobody_else_reads_or_writes(store: Store, ada: FlaskClient, stranger: FlaskClient) -> None:
    fact = fact_of(ada)
    for path in ("/bills", f"/bills/{fact}", "/bills/add", f"/bills/{fact}/correct"):
        assert stranger.get(f"{path}?store=home").status_code == 303, path
    for path in ("/bills/add", f"/bills/{fact}/correct", f"/bills/{fact}/withdraw"):
        assert ada.post(path, data={"store": "home", "why": "x", **TYPED}).status_code == 403, path
        assert stranger.post(path, data={"store": "home", "why": "x"}).status_code in (303, 403), path
    for path in (f"/bills/{1 << 70}", "/bills?year=1066", "/bills?year=x", f"/bills/{fact}?store=bob"):
        assert ada.get(path if "store" in path else f"{path}{'&' if '?' in path else '?'}store=home").status_code in (
            403,
            404,
        ), path
