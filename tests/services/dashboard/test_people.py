"""The page of people: somebody is invited, joins on their own device, and is nobody else's business."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import config, people
from appliance.deleting import whole
from appliance.people import Household
from appliance.store.keys import KeyRing
from services.dashboard.access import SESSION_COOKIE
from services.dashboard.app import make_app
from services.dashboard.box import box
from tests.services.dashboard.conftest import NAME, PASSWORD

TokenOf = Callable[..., str]
CODE = re.compile(r"\b([A-Z2-9]{4}-[A-Z2-9]{4}-[A-Z2-9]{4})\b")
BEN = {"name": "Ben", "password": "another hearth of words", "again": "another hearth of words"}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """A household of one, of each test's own: people join it."""
    app = make_app(config.load(tmp_path))
    found = box(app)
    people.claim(found.config, found.stores.home, Household("Home Farm", "Europe/Amsterdam", "EUR"), NAME, PASSWORD)
    yield app
    found.stores.close()


def _invite(ada: FlaskClient, token_of: TokenOf, name: str = "Ben") -> str:
    page = ada.post("/people", data={"name": name, "form_token": token_of(ada)}).text
    found = CODE.search(page.replace("ABCD-EFGH-JKLM", ""))
    assert found
    return found[1]


def _join(browser: FlaskClient, token_of: TokenOf, **said: str) -> tuple[int, str]:
    answer = browser.post("/join", data={**BEN, **said, "form_token": token_of(browser, "/join")})
    return answer.status_code, answer.location or answer.text


def test_who_was_invited_joins_with_a_name_password_store_and_kit_of_their_own(
    app: Flask, ada: FlaskClient, stranger: FlaskClient, token_of: TokenOf
) -> None:
    code = _invite(ada, token_of)
    assert "invited, until" in ada.get("/people").text
    assert code not in ada.get("/people").text
    assert _join(stranger, token_of, code=code.lower()) == (303, "/kit")
    words = re.findall(r"<li>([a-z]+)</li>", stranger.get("/kit").text)
    assert len(words) == 24, "their own store's alone"
    ring = KeyRing(box(app).config.data)
    ring.prove_kit("ben", words)
    assert stranger.get("/records").status_code == 200
    assert stranger.get("/records?store=ada").status_code == 403
    assert ada.get("/records?store=ben").status_code == 403
    assert "shown already" in ada.get("/kit").text
    page = ada.get("/people").text
    assert "Ben" in page
    assert "invited, until" not in page


def test_a_code_works_once(app: Flask, ada: FlaskClient, stranger: FlaskClient, token_of: TokenOf) -> None:
    code = _invite(ada, token_of)
    _join(stranger, token_of, code=code)
    status, page = _join(app.test_client(), token_of, code=code, name="Eve")
    assert (status, "lets nobody in" in page) == (422, True)
    assert [each.name for each in people.people(box(app).stores.home)] == [NAME, "Ben"]


def test_an_invitation_promises_no_other_device_while_the_pages_open_here_alone(
    ada: FlaskClient, token_of: TokenOf
) -> None:
    page = ada.post("/people", data={"name": "Ben", "form_token": token_of(ada)}).text
    assert "On this machine, in another browser or a private window" in page


def test_an_invitation_is_withdrawn(ada: FlaskClient, stranger: FlaskClient, token_of: TokenOf) -> None:
    code = _invite(ada, token_of)
    action = re.search(r'action="(/people/\d+/withdraw)"', ada.get("/people").text)
    assert action
    ada.post(action[1], data={"form_token": token_of(ada)})
    assert _join(stranger, token_of, code=code)[0] == 422


def test_who_guesses_has_to_wait_even_with_the_right_code(
    app: Flask, ada: FlaskClient, stranger: FlaskClient, token_of: TokenOf
) -> None:
    code = _invite(ada, token_of)
    for _ in range(6):
        page = _join(stranger, token_of, code="AAAA-AAAA-AAAA")[1]
    assert "Wait" in page
    assert "Wait" in _join(app.test_client(), token_of, code=code)[1]


@pytest.mark.parametrize(
    "said", [{"name": ""}, {"name": NAME.upper()}, {"password": "short", "again": "short"}, {"again": "differs"}]
)
def test_what_is_wrong_is_said_and_the_code_stays_good(
    ada: FlaskClient, stranger: FlaskClient, token_of: TokenOf, said: dict[str, str]
) -> None:
    code = _invite(ada, token_of)
    status, page = _join(stranger, token_of, code=code, **said)
    assert (status, 'role="alert"' in page, code in page) == (422, True, True)
    assert _join(stranger, token_of, code=code)[0] == 303


def test_who_is_signed_in_joins_nothing(ada: FlaskClient, token_of: TokenOf) -> None:
    assert ada.get("/join").location == "/people"
    answer = ada.post("/join", data={**BEN, "code": _invite(ada, token_of), "form_token": token_of(ada)})
    assert answer.location == "/people"


def test_an_invitation_needs_a_name(ada: FlaskClient, token_of: TokenOf) -> None:
    assert ada.post("/people", data={"name": " ", "form_token": token_of(ada)}).status_code == 422


def test_a_session_of_the_old_person_is_not_the_new_one_s(
    ada: FlaskClient, stranger: FlaskClient, token_of: TokenOf
) -> None:
    _join(stranger, token_of, code=_invite(ada, token_of))
    assert "Ben" in stranger.get("/now").text
    assert stranger.get_cookie(SESSION_COOKIE) != ada.get_cookie(SESSION_COOKIE)


def test_a_person_whose_deletion_was_stopped_is_said_to_go(
    app: Flask, ada: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = box(app)
    people.add(found.config, found.stores.home, "Old Bob", "another hearth of words")
    assert "being deleted" not in ada.get("/people").text

    def stopped(*_: object) -> None:
        raise InterruptedError

    monkeypatch.setattr(whole, "remove", stopped)
    with pytest.raises(InterruptedError):
        whole.person(found.config, found.stores.home, "Old Bob", "Ada")
    page = ada.get("/people").text
    assert page.count("Old Bob") == 1
    assert "being deleted" in page
