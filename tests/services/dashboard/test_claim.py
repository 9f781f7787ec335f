"""Claiming a box: who reads what it prints becomes its first person."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import config, people
from appliance.store.database import open_store
from appliance.store.keys import KeyRing
from services import sign
from services.dashboard.app import make_app
from services.dashboard.box import box
from services.dashboard.desk import TRIES, Desk

TokenOf = Callable[..., str]

SAID = {
    "household": "Home Farm",
    "zone": "Europe/Amsterdam",
    "currency": "EUR",
    "name": "Ada",
    "password": "a hearth of words",
    "again": "a hearth of words",
}


def _code(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.split()[-1]


def _post(client: FlaskClient, token_of: TokenOf, said: dict[str, str]) -> tuple[int, str]:
    answer = client.post("/claim", data={**said, "form_token": token_of(client, "/claim")})
    return answer.status_code, answer.text


def test_until_it_is_claimed_a_box_has_one_page(new_app: Flask) -> None:
    client = new_app.test_client()
    for path in ("/", "/now", "/records", "/sign-in", "/kit", "/nowhere"):
        assert client.get(path).location == "/claim", path
    assert client.get("/api/now").status_code == 401
    assert client.get("/claim").status_code == 200


def test_the_code_opens_and_the_kits_are_shown_until_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], token_of: TokenOf
) -> None:
    app = make_app(config.load(tmp_path), "http://127.0.0.1:8000/")
    said = capsys.readouterr().out
    assert said.startswith("Claim this box: open http://127.0.0.1:8000/ and enter the code ")
    client = app.test_client()
    answer = client.post(
        "/claim", data={**SAID, "code": said.split()[-1].lower(), "form_token": token_of(client, "/claim")}
    )
    assert answer.location == "/kit"
    page = client.get("/kit").text
    words = [
        line.split("<li>")[1].split("</li>")[0]
        for line in page.replace("</li>", "</li>\n").splitlines()
        if "<li>" in line
    ]
    assert len(words) == 48
    ring = KeyRing(tmp_path)
    ring.prove_kit("ada", words[:24])
    ring.prove_kit("home", words[24:])
    client.post("/kit", data={"form_token": token_of(client)})
    assert words[0] not in client.get("/kit").text.split()
    assert "shown already" in client.get("/kit").text
    assert client.get("/claim").location == "/now"
    assert config.load(tmp_path).zone == "Europe/Amsterdam"
    box(app).stores.close()


def test_a_box_to_which_a_command_added_somebody_is_claimed_and_both_sign_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], token_of: TokenOf
) -> None:
    with open_store(config.load(tmp_path), make=True) as home:
        people.add(config.load(tmp_path), home, "Kim", "kim's own long words")
    app = make_app(config.load(tmp_path))
    code = _code(capsys)
    status, _ = _post(app.test_client(), token_of, {**SAID, "code": code})
    assert status == 303
    for name, password in (("Ada", SAID["password"]), ("Kim", "kim's own long words")):
        client = app.test_client()
        said = {"name": name, "password": password, "form_token": token_of(client, "/sign-in")}
        assert client.post("/sign-in", data=said).location == "/"
        assert client.get("/now").status_code == 200
    box(app).stores.close()


def test_a_claimed_box_prints_no_code(app: Flask, capsys: pytest.CaptureFixture[str]) -> None:
    again = make_app(box(app).config)
    assert box(again).desk is None
    assert capsys.readouterr().out == ""
    box(again).stores.close()


def test_five_wrong_codes_make_a_new_one() -> None:
    said = list[str]()
    desk = Desk(said.append)
    for _ in range(TRIES):
        assert not desk.accepts("AAAA-AAAA")
    assert len(said) == 2
    assert not desk.accepts(said[0])
    assert desk.accepts(said[1].replace("-", " ").lower())


def test_a_code_that_was_read_from_the_card_holds_when_the_box_starts_again(new_app: Flask) -> None:
    again = make_app(box(new_app).config)
    shown = sign.said_last(box(again).config.run)
    box(again).stores.close()
    assert shown
    assert (desk := box(again).desk)
    assert shown.code
    assert (before := box(new_app).desk)
    assert before.accepts(shown.code)
    assert desk.accepts(shown.code)


def test_a_wrong_code_claims_nothing(new_app: Flask, token_of: TokenOf) -> None:
    client = new_app.test_client()
    status, page = _post(client, token_of, {**SAID, "code": "AAAA-AAAA"})
    assert status == 422
    assert "not the code" in page
    assert people.household(box(new_app).stores.home) is None


def test_many_wrong_codes_have_to_wait(new_app: Flask, token_of: TokenOf) -> None:
    client = new_app.test_client()
    pages = [_post(client, token_of, {**SAID, "code": "AAAA-AAAA"})[1] for _ in range(11)]
    assert "Wait" in pages[-1]


def test_every_problem_is_said_at_once_and_what_was_typed_stays(
    capsys: pytest.CaptureFixture[str], new_app: Flask, token_of: TokenOf
) -> None:
    wrong = {"household": "<b>Farm</b>", "zone": "Mars/Base", "currency": "XXX", "name": "", "password": "short"}
    status, page = _post(new_app.test_client(), token_of, {**wrong, "code": _code(capsys)})
    assert status == 422
    for words in ("time zone from the list", "currency from the list", "what you are called", "at least 10"):
        assert words in page
    assert "&lt;b&gt;Farm" in page
    assert "short" not in page.split("<form")[1].split("password-help")[0]
