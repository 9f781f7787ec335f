"""The quality page, and on a fact's page what else tells of its event and what was worked out of it."""

import html
import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.derive import attributes
from appliance.ingest import importing, stating
from appliance.store import timeline
from appliance.store.database import Store
from appliance.store.timeline import Query
from services.dashboard.box import box
from tests.statements import Row, ofx

Token = Callable[[FlaskClient, str], str]
DAY = date(2026, 3, 10)
PAYMENTS = [Row(DAY, "-25.00", "HAZEL 17"), Row(DAY, "-3.00", "Mill"), Row(DAY, "12-3", "Broken")]


@pytest.fixture(scope="module")
def store(app: Flask) -> Store:
    """Ada's own store: two payments, a row that could not be read, and the order of one of them."""
    store = box(app).stores.named("ada")
    importing.import_bytes(store, ofx(PAYMENTS), "s.ofx")
    said = {"party": "Hazel <and> Sons", "at": "2026-03-09", "amount": "25", "unit": "EUR", "title": "Groceries"}
    stating.add(store, "shop.order", said, "Ada")
    attributes.add_table(store, "categories", "mine.csv", b"pattern,category\nhazel,Food\n", "pattern")
    return store


def _fact(store: Store, title: str) -> int:
    with store.read() as connection:
        return [each.id for each in timeline.matching(connection, Query()) if each.title == title][0]  # noqa: RUF015


def test_the_page_says_each_light_in_words_with_why_and_what_to_do(store: Store, ada: FlaskClient) -> None:
    page = html.unescape(ada.get("/quality").text)
    assert "1 row could not be read." in page
    assert 'href="/import/1"' in page
    assert all(word in page for word in ("Something to do", "Good", "Cannot be told", "Does it agree?"))
    assert "There are 2 transactions." in page


def test_what_cannot_be_told_is_not_called_in_order(store: Store, ada: FlaskClient) -> None:
    page = html.unescape(ada.get("/quality").text)
    assert "1 light asks for a look. For 1 of the 2 below, too little is known to tell." in page
    assert "the rest is in order" not in page
    order = page[page.index("<h3>Orders</h3>") :]
    assert "Cannot be told" in order[: order.index("</summary>")]


def test_an_empty_store_is_told_where_to_begin(app: Flask, ada: FlaskClient) -> None:
    assert "Nothing to look at yet" in ada.get("/quality?store=home").text


def test_a_facts_page_says_what_else_tells_of_it_and_a_person_has_the_last_word(
    store: Store, ada: FlaskClient, token_of: Token
) -> None:
    paid, ordered = _fact(store, "HAZEL 17"), _fact(store, "Groceries")
    page = ada.get(f"/records/{ordered}").text
    assert f'href="/records/{paid}"' in page
    assert "the same amount, 1 day apart; both name hazel" in page
    said = {"form_token": token_of(ada, "/records"), "other": str(paid), "why": "<i>another</i>"}
    assert ada.post(f"/records/{ordered}/other", data=said).status_code == 303
    assert "Nothing else in this store" in ada.get(f"/records/{ordered}").text
    assert ada.post(f"/records/{ordered}/same", data=said).status_code == 303
    page = ada.get(f"/records/{paid}").text
    assert "Ada said so: &lt;i&gt;another&lt;/i&gt;" in page
    assert f'href="/records/{ordered}"' in page


def test_a_word_on_what_is_no_record_is_refused(store: Store, ada: FlaskClient, token_of: Token) -> None:
    token = token_of(ada, "/records")
    assert "Record 1<" in ada.get("/records/1").text
    for other, problem in (("99999", "there is no fact 99999"), ("twelve", "no number of a record")):
        answer = ada.post("/records/1/same", data={"form_token": token, "other": other})
        assert answer.status_code == 422
        assert problem in html.unescape(answer.text)
        assert "inglenook records" not in answer.text
    assert ada.post("/records/1/same", data={"other": "2"}).status_code == 403


def test_what_was_worked_out_stands_apart_with_its_rule_and_inputs(store: Store, ada: FlaskClient) -> None:
    page = ada.get(f"/records/{_fact(store, 'HAZEL 17')}").text
    section = page[page.index("Worked out from it") :]
    assert re.search(r"Spending category</dt><dd>Food", section)
    assert "pattern: hazel" in section
    assert "Worked out from it" not in ada.get(f"/records/{_fact(store, 'Mill')}").text
