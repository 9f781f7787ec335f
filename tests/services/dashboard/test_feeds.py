"""The page of feeds: what is set up, run, stopped and mended there, and what nobody ever reads there."""

import hashlib
import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import connectors
from appliance.connectors import Fetched, Kept
from appliance.ingest import fetching, planning
from appliance.store import feeds
from appliance.store.feeds import Feed
from appliance.web import Web
from services.dashboard.box import box
from tests.web_server import Answered, Asked, serving

TokenOf = Callable[..., str]
SECRET = "nobody may read this"


@dataclass(frozen=True)
class Options:
    user: str = field(default="", metadata={"title": "User"})
    password: str = field(default="", metadata={"title": "Password", "secret": True})


def _fetch(options: Options, kept: Kept, web: Web) -> Iterator[Fetched]:
    yield Fetched(None, {"token": options.password})


def _consent(options: Options, answer_to: str, token: str, verifier: str) -> str:
    return f"https://bank.example/allow?back={answer_to}&asked={_digest(verifier)}&state={token}"


def _consented(options: Options, answer_to: str, code: str, verifier: str, web: Web) -> Kept:
    return {"token": f"for {code} of {_digest(verifier)}"}


def _digest(verifier: str) -> str:
    assert len(verifier) >= 43, "RFC 7636 wants as many characters"
    return hashlib.sha256(verifier.encode()).hexdigest()


@pytest.fixture
def bank(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connector that asks for a password and for consent, beside those that there are."""
    module = SimpleNamespace(TITLE="A bank", HELP="From its page.", RHYTHM_S=3_600, Options=Options, fetch=_fetch)
    module.consent, module.consented = _consent, _consented
    really, names = connectors.named, connectors.names
    monkeypatch.setattr(connectors, "names", lambda: [*names(), "bank"])
    monkeypatch.setattr(connectors, "named", lambda name: module if name == "bank" else really(name))


def _only(app: Flask) -> Feed:
    store = box(app).stores.named("ada")
    with store.read() as connection:
        return feeds.every(connection)[0]


@pytest.fixture
def added(app: Flask, ada: FlaskClient, token_of: TokenOf, bank: None) -> Iterator[str]:
    """The address of a feed of hers."""
    said = {"form_token": token_of(ada), "name": "My bank", "user": "ada", "password": SECRET, "rhythm": "21600"}
    answer = ada.post("/feeds/add/bank", data=said)
    assert answer.status_code == 303
    yield answer.location
    store = box(app).stores.named("ada")
    with store.write() as connection:
        for each in feeds.every(connection):
            feeds.remove(connection, each.id)


def test_what_is_set_up_is_planned_and_shown_without_its_secret(app: Flask, ada: FlaskClient, added: str) -> None:
    assert _only(app).rhythm_s == 21_600
    for path in ("/feeds", added):
        assert SECRET not in ada.get(path).text
        assert "My bank" in ada.get(path).text
    store = box(app).stores.named("ada")
    with store.read() as connection:
        assert feeds.sealed(connection, store.key, _only(app)).secrets == {"password": SECRET}


def test_a_service_is_allowed_on_its_own_page_and_only_that_answer_counts(
    app: Flask, ada: FlaskClient, token_of: TokenOf, added: str
) -> None:
    assert "choose Allow" in ada.get(added).text
    assert list(planning.read(box(app).config)) == []
    led = ada.post(f"{added}/allow", data={"form_token": token_of(ada)}).text
    location = html.unescape(led.partition('<a href="')[2].partition('"')[0])
    state, asked = location.rpartition("state=")[2], location.partition("asked=")[2].partition("&")[0]
    assert location.startswith("https://bank.example/allow")
    for wrong in ("", "x", f"{_only(app).id}.ada.guess", f"{_only(app).id}.home.guess"):
        assert ada.get("/feeds/answered", query_string={"state": wrong, "code": "c"}).status_code == 422
    assert ada.get("/feeds/answered", query_string={"state": state}).status_code == 422
    answer = ada.get("/feeds/answered", query_string={"state": state, "code": "c"})
    assert answer.status_code == 303
    store = box(app).stores.named("ada")
    with store.read() as connection:
        assert feeds.sealed(connection, store.key, _only(app)).kept == {"token": f"for c of {asked}"}
    assert [each.feed for each in planning.read(box(app).config)] == [_only(app).id]
    back = app.test_client().get("/feeds/answer", query_string={"state": 'a"><b>', "code": "c"})
    assert back.status_code == 200, "a browser that comes from elsewhere does not say who it is"
    assert "/feeds/answered?state=a%22%3E%3Cb%3E&amp;code=c" in back.text
    assert ada.get("/feeds/answered", query_string={"state": state, "code": "c"}).status_code == 422


def test_it_is_stopped_and_run_and_taken_away(app: Flask, ada: FlaskClient, token_of: TokenOf, added: str) -> None:
    said = {"form_token": token_of(ada)}
    ada.post(f"{added}/run", data=said)
    assert "waits for its turn" in ada.get(added).text
    fetching.fetch(box(app).stores.named("ada"), _only(app).id)
    assert "up to date" in ada.get(added).text
    ada.post(f"{added}/stop", data=said)
    assert "stopped by you" in ada.get(added).text
    assert list(planning.read(box(app).config)) == []
    ada.post(f"{added}/remove", data=said)
    assert ada.get(added).status_code == 404


def test_an_empty_password_keeps_the_one_that_is_set(
    app: Flask, ada: FlaskClient, token_of: TokenOf, added: str
) -> None:
    said = {"form_token": token_of(ada), "user": "ada lovelace", "password": "", "rhythm": "3600"}
    assert ada.post(added, data=said).status_code == 303
    store = box(app).stores.named("ada")
    with store.read() as connection:
        feed = _only(app)
        assert (feed.options, feed.rhythm_s) == ({"user": "ada lovelace"}, 3_600)
        assert feeds.sealed(connection, store.key, feed).secrets == {"password": SECRET}


def test_what_makes_no_sense_is_said_and_stays_in_the_form(ada: FlaskClient, token_of: TokenOf, added: str) -> None:
    said = {"form_token": token_of(ada), "name": "My bank", "user": "bob", "password": SECRET}
    answer = ada.post("/feeds/add/bank", data=said)
    assert answer.status_code == 422
    assert "another name" in answer.text
    assert "bob" in answer.text
    assert SECRET not in answer.text


@pytest.mark.parametrize("path", ["/var/lib", "/", "/media/../etc", "relative"])
def test_a_page_reads_no_folder_of_the_box_itself(ada: FlaskClient, token_of: TokenOf, path: str) -> None:
    said = {"form_token": token_of(ada), "name": "peek", "path": path, "pattern": "*"}
    answer = ada.post("/feeds/add/folder", data=said)
    assert answer.status_code == 422
    assert "by command" in answer.text


def test_nobody_sees_anothers_feed_or_changes_one_without_the_token(
    ada: FlaskClient, stranger: FlaskClient, added: str
) -> None:
    assert stranger.get(added).status_code in (302, 303, 401)
    assert ada.post(f"{added}/run").status_code in (400, 403)
    assert ada.get(added, query_string={"store": "home"}).status_code == 404
    assert ada.get("/feeds/add/nothing").status_code == 404


def _payments(asked: Asked) -> Answered:
    return Answered(b'{"data": [{"day": "2026-02-01", "what": "Bread"}, {"day": "soon", "what": "Cheese"}]}')


def test_a_service_of_ones_own_is_tried_before_anything_is_fetched(
    app: Flask, ada: FlaskClient, token_of: TokenOf
) -> None:
    mapping = 'items = "data"\nkind = "{}"\n[columns]\nat = "day"\ntitle = "what"'
    form_token = {"form_token": token_of(ada)}
    with serving(_payments) as server:
        said = {**form_token, "name": "Mine", "address": f"{server.address}/v1", "token": SECRET, "rhythm": "86400"}
        added = ada.post("/feeds/add/json_api", data={**said, "mapping": mapping.format("note.typo")}).location
        page = ada.get(added).text
        assert "see what comes of it first" in page
        assert "It is right: fetch it" not in page
        assert list(planning.read(box(app).config)) == []
        tried = ada.post(f"{added}/trial", data=form_token).text
        assert "1 item of 2 can be read" in tried
        assert "1 item would be rejected" in tried
        assert "item 2" in tried
        assert "no kind of fact called note.typo" in tried
        assert "No page comes after this one." in tried
        assert ada.post(added, data={**said, "token": "", "mapping": mapping.format("note")}).status_code == 303
        assert list(planning.read(box(app).config)) == [], "it is still not said that it is right"
        tried = ada.post(f"{added}/trial", data=form_token).text
        assert "note.typo" not in tried
        assert "It is right: fetch it" in tried
        server.trouble = "401"
        assert "refused the password or token" in ada.post(f"{added}/trial", data=form_token).text
        assert SECRET not in tried
        ada.post(f"{added}/run", data=form_token)
        assert [each.feed for each in planning.read(box(app).config)] == [_only(app).id]
    ada.post(f"{added}/remove", data=form_token)


def test_what_is_not_tried_first_has_no_trial(ada: FlaskClient, token_of: TokenOf, added: str) -> None:
    assert ada.post(f"{added}/trial", data={"form_token": token_of(ada)}).status_code == 404
