"""Keeping: policies, archives brought back, and deletion that asks for the words and the password."""

from collections.abc import Callable
from datetime import date
from itertools import count

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import archiving, people
from appliance.ingest import importing
from appliance.store import timeline
from appliance.store.database import Store
from appliance.store.timeline import Query
from services.dashboard.access import SESSION_COOKIE
from services.dashboard.box import box
from tests.services.dashboard.conftest import PASSWORD
from tests.statements import Row, ofx

KIND = "money.transaction"
ROWS = [Row(date(2019, month, 5), f"-{month}.50", f"Shop {month}") for month in range(1, 5)]
Post = Callable[..., TestResponse]
_accounts = count(1)  # what was deleted for good does not come back, so each filling is another account's


@pytest.fixture
def filled(app: Flask) -> Store:
    """Ada's own store with the payments of four months, whatever was deleted before."""
    store = box(app).stores.named("ada")
    importing.import_bytes(store, ofx(ROWS, account=str(next(_accounts))), "2019.ofx")
    return store


@pytest.fixture
def post(ada: FlaskClient, token_of: Callable[..., str]) -> Post:
    def send(path: str, **form: object) -> TestResponse:
        return ada.post(path, data={"form_token": token_of(ada), **form})

    return send


def _count(store: Store) -> int:
    with store.read() as connection:
        return len(list(timeline.matching(connection, Query(kind=KIND))))


def _any(store: Store) -> int:
    with store.read() as connection:
        return list(timeline.matching(connection, Query(kind=KIND)))[0].id  # noqa: RUF015 - all, so that it is closed


def test_a_policy_is_stated_and_shown(filled: Store, ada: FlaskClient, post: Post) -> None:
    assert post("/keeping/policy", kind=KIND, action="summarise", months="24").status_code == 303
    page = ada.get("/keeping").text
    assert '<option value="summarise" selected>' in page
    assert 'value="24"' in page
    refused = post("/keeping/policy", kind=KIND, action="delete", months="")
    assert (refused.status_code, "after how many months" in refused.text) == (422, True)
    assert post("/keeping/policy", kind=KIND, action="keep").status_code == 303


def test_an_archive_is_shown_by_month_and_brought_back(app: Flask, filled: Store, ada: FlaskClient, post: Post) -> None:
    before = _count(filled)
    made = archiving.make(filled, box(app).config.stores / "ada", KIND, date(2019, 3, 1))
    assert made
    page = ada.get("/keeping").text
    assert "facts of 2019 are archived" in page
    assert "<td>2019-02</td>" in page
    assert post(f"/keeping/archives/{made.archive}/attach").status_code == 303
    assert _count(filled) == before
    assert "already" in post(f"/keeping/archives/{made.archive}/attach").text


@pytest.mark.parametrize("words", ["", "fact", "fact 0"])
def test_without_the_words_nothing_is_deleted(filled: Store, post: Post, words: str) -> None:
    before, fact = _count(filled), _any(filled)
    answer = post("/keeping/delete/fact", which=fact, words=words, password=PASSWORD)
    assert (answer.status_code, f"fact {fact}" in answer.text) == (422, True)
    assert _count(filled) == before


def test_without_the_password_nothing_is_deleted(filled: Store, post: Post) -> None:
    before, fact = _count(filled), _any(filled)
    answer = post("/keeping/delete/fact", which=fact, words=f"fact {fact}", password="a guess")
    assert (answer.status_code, "not your password" in answer.text) == (422, True)
    assert _count(filled) == before


def test_a_fact_and_a_kind_are_deleted(filled: Store, ada: FlaskClient, post: Post) -> None:
    before, fact = _count(filled), _any(filled)
    assert f"fact {fact}" in ada.get(f"/keeping/delete/fact?which={fact}").text
    answer = post("/keeping/delete/fact", which=fact, words=f"fact {fact}", password=PASSWORD, why="not mine")
    assert (answer.status_code, "1 fact in 1 version" in answer.text) == (200, True)
    assert _count(filled) == before - 1
    assert "not mine" in ada.get("/keeping").text
    answer = post("/keeping/delete/kind", which=KIND, words=f"kind {KIND}", password=PASSWORD)
    assert answer.status_code == 200
    assert _count(filled) == 0


def test_who_deletes_sees_what_it_is_and_that_a_number_is_nobodys(filled: Store, ada: FlaskClient) -> None:
    with filled.read() as connection:
        [fact] = [each for each in timeline.matching(connection, Query(kind=KIND)) if each.title == "Shop 4"]
    page = ada.get(f"/records/{fact.id}").text
    assert f'href="/keeping/delete/fact?which={fact.id}"' in page
    assert "Shop 4 · 5 Apr 2019 · −€\u202f4.50" in ada.get(f"/keeping/delete/fact?which={fact.id}").text
    assert "2019.ofx" in ada.get(f"/keeping/delete/import?which={fact.import_id}").text
    for what, said in (("fact", "no record 99999"), ("import", "no import 99999")):
        answer = ada.get(f"/keeping/delete/{what}?which=99999")
        assert (answer.status_code, said in answer.text) == (422, True)


def test_pages_name_no_commands(filled: Store, post: Post) -> None:
    assert "inglenook archive" not in post("/keeping/archives/99/attach").text


@pytest.mark.parametrize("path", ["nothing?which=1", "fact?which=x", "fact", "fact?which=99999999999999999999"])
def test_what_is_nothing_to_delete_is_said(ada: FlaskClient, path: str) -> None:
    answer = ada.get(f"/keeping/delete/{path}")
    assert (answer.status_code, "Say what is to be deleted" in answer.text) == (422, True)


def test_a_person_deletes_themself_and_the_last_one_stays(app: Flask, post: Post, token_of: Callable[..., str]) -> None:
    found = box(app)
    refused = post("/keeping/delete/me", words="delete Ada", password=PASSWORD)
    assert (refused.status_code, "last person" in refused.text) == (422, True)
    bob = people.add(found.config, found.stores.home, "Bob", PASSWORD)
    found.stores.named(bob.store)
    browser = app.test_client()
    browser.set_cookie(SESSION_COOKIE, people.sign_in(found.stores.home, "Bob", PASSWORD) or "")
    form = {"form_token": token_of(browser), "words": "delete Bob", "password": PASSWORD}
    answer = browser.post("/keeping/delete/me", data=form)
    assert (answer.status_code, "You and your store are deleted" in answer.text) == (200, True)
    assert not (found.config.stores / bob.store).exists()
    assert browser.get("/now").status_code == 303
    assert people.sign_in(found.stores.home, "Bob", PASSWORD) is None
