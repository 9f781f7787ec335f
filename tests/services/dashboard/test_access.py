"""Who may ask for what."""

import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from services.dashboard import access, uploads
from services.dashboard.app import FOLDER
from services.dashboard.throttle import REMEMBERED, Throttle
from tests.services.dashboard.conftest import NAME, PASSWORD

TokenOf = Callable[..., str]

DOORS = {"/claim", "/claim/restore", "/claim/restore/progress", "/sign-in", "/join", "/feeds/answer"}
DOORS |= {"/metrics"}  # for this machine alone: test_metrics.py
TRUST = "/trust"  # the same for everybody: tests/services/test_https.py
OWN_CODE = ("app.py", "templates", "static")
ELSEWHERE = re.compile(r"""(?:https?:)?//[a-z0-9][a-z0-9.-]*\.[a-z]{2,}""", re.IGNORECASE)
NAMES_ONLY = ("http://www.w3.org/2000/svg",)


def _paths(app: Flask, method: str) -> list[str]:
    return [_path(rule) for rule in app.url_map.iter_rules() if method in (rule.methods or ())]


def _path(rule: Rule) -> str:
    return re.sub(r"<(int:)?[a-z_]+>", "1", rule.rule)


def test_every_page_but_the_doors_needs_somebody_signed_in(app: Flask, stranger: FlaskClient) -> None:
    paths = {path for path in _paths(app, "GET") if not path.startswith(("/static/", TRUST))} - DOORS
    assert len(paths) > 8
    for path in paths:
        answer = stranger.get(path)
        if path.startswith("/api/"):
            assert (answer.status_code, "error" in answer.text) == (401, True), path
        else:
            assert (answer.status_code, answer.location.split("?")[0]) == (303, "/sign-in"), path


def test_of_a_box_that_is_claimed_the_way_back_says_nothing(stranger: FlaskClient) -> None:
    assert stranger.get("/claim/restore").location == "/"
    assert stranger.get("/claim/restore/progress").text == ""


def test_an_address_that_does_not_exist_tells_a_stranger_nothing(stranger: FlaskClient) -> None:
    assert stranger.get("/nowhere").location == "/sign-in?next=/nowhere"


def test_a_session_that_nobody_opened_opens_nothing(stranger: FlaskClient) -> None:
    stranger.set_cookie(access.SESSION_COOKIE, "x" * 43)
    assert stranger.get("/records").status_code == 303


def test_every_form_needs_its_token(app: Flask, ada: FlaskClient) -> None:
    paths = _paths(app, "POST")
    assert len(paths) > 4
    for path in paths:
        assert ada.post(path, data={"form_token": "0" * 64}).status_code == 403, path
        assert ada.post(path).status_code == 403, path


def test_another_browsers_token_is_refused(app: Flask, ada: FlaskClient, token_of: TokenOf) -> None:
    foreign = token_of(app.test_client(), "/sign-in")
    assert ada.post("/sign-out", data={"form_token": foreign}).status_code == 403


def test_a_form_sent_by_another_site_is_refused(ada: FlaskClient, token_of: TokenOf) -> None:
    said = {"form_token": token_of(ada)}
    answer = ada.post("/sign-out", data=said, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", "", "10.0.0.5"]
)
def test_a_name_that_is_not_this_machines_is_refused(ada: FlaskClient, host: str) -> None:
    assert ada.get("/now", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"])
def test_this_machines_own_names_are_answered(stranger: FlaskClient, host: str) -> None:
    assert stranger.get("/sign-in", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/now", "/history", "/records", "/import", "/api/now", "/nowhere", "/records/1"])
def test_every_answer_carries_the_headers_and_is_not_kept(ada: FlaskClient, path: str) -> None:
    answer = ada.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    for name, value in access.HEADERS.items():
        assert answer.headers[name] == value, path
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_cookies_are_out_of_scripts_and_other_sites_reach(stranger: FlaskClient, token_of: TokenOf) -> None:
    said = {"name": NAME, "password": PASSWORD, "form_token": token_of(stranger, "/sign-in")}
    set_cookie = stranger.post("/sign-in", data=said).headers["Set-Cookie"]
    assert "HttpOnly" in set_cookie
    assert "SameSite=Strict" in set_cookie


def test_signing_in_and_out(stranger: FlaskClient, token_of: TokenOf) -> None:
    token = token_of(stranger, "/sign-in")
    said = {"name": NAME, "password": PASSWORD, "form_token": token, "next": "/records"}
    assert stranger.post("/sign-in", data={**said, "password": "something else"}).status_code == 422
    assert stranger.post("/sign-in", data=said).location == "/records"
    assert stranger.get("/records").status_code == 200
    assert stranger.post("/sign-out", data={"form_token": token_of(stranger)}).location == "/sign-in"
    assert stranger.get("/records").status_code == 303


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example/", "evil", "/\n/evil.example"]
)
def test_signing_in_leads_nowhere_else(path: str) -> None:
    assert access.own_path(path) == "/"


def test_guessing_is_slowed_down() -> None:
    moment = [0.0]
    throttle = Throttle(free=5, now=lambda: moment[0])
    waits = []
    for _ in range(9):
        throttle.wrong("ada")
        waits.append(throttle.wait_s("ada"))
    assert waits == [0, 0, 0, 0, 1, 2, 4, 8, 16]
    moment[0] = 16.0
    assert throttle.wait_s("ada") == 0
    for number in range(2 * REMEMBERED):
        throttle.wrong(str(number))
    assert len(throttle._wrong) == REMEMBERED


def test_nobody_reads_another_persons_store(ada: FlaskClient) -> None:
    assert ada.get("/records?store=home").status_code == 200
    assert ada.get("/records?store=ben").status_code == 403
    assert ada.get("/import?store=../home").status_code == 403


def test_a_file_that_is_too_large_is_told_the_next_step(ada: FlaskClient, token_of: TokenOf) -> None:
    headers = {"X-Form-Token": token_of(ada), "X-Requested-With": "fetch"}
    body = BytesIO(bytes(uploads.UPLOAD_BYTES + 1))
    answer = ada.post("/import", input_stream=body, content_length=uploads.UPLOAD_BYTES + 1, headers=headers)
    assert not body.read(1), "a browser shows the answer only once it has sent everything"
    assert answer.status_code == 413
    assert "inbox folder" in answer.text


def test_other_forms_are_small(ada: FlaskClient) -> None:
    assert ada.post("/sign-out", data={"form_token": "x" * uploads.FORM_BYTES}).status_code == 413


def test_an_upload_stays_in_memory(app: Flask) -> None:
    with app.test_request_context("/import", method="POST"):
        assert isinstance(app.request_class({})._get_file_stream(1 << 30, None), BytesIO)


def test_one_upload_at_a_time(app: Flask, ada: FlaskClient, token_of: TokenOf, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.dashboard.box import box

    monkeypatch.setattr(uploads, "WAIT_S", 0.01)
    headers = {"X-Form-Token": token_of(ada)}
    with box(app).uploading:
        assert ada.post("/import", headers=headers).status_code == 503
    assert ada.post("/import", headers=headers).status_code == 422


def _own_files() -> list[Path]:
    every = [path for folder in ("templates", "static") for path in (FOLDER / folder).rglob("*") if path.is_file()]
    return [path for path in every if "vendor" not in path.parts]


def test_no_page_names_another_host() -> None:
    for path in _own_files():
        text = path.read_text(encoding="utf-8")
        for name in NAMES_ONLY:
            text = text.replace(name, "")
        assert not ELSEWHERE.search(text), path


def test_no_template_has_code_or_style_of_its_own() -> None:
    inline = re.compile(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
    for path in (FOLDER / "templates").rglob("*.html"):
        assert not inline.search(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("path", ["/now", "/history", "/records", "/import"])
def test_a_page_is_light(ada: FlaskClient, path: str) -> None:
    page = ada.get(path).text
    loaded = set(re.findall(r'(?:src|href)="/static/[0-9a-f]+/([^"]+)"', page))
    charts = {"chart.js"} if path in ("/now", "/history") else set()
    sizes = [(FOLDER / "static" / each).stat().st_size for each in loaded | charts]
    assert len(sizes) > 2
    assert len(page.encode()) + sum(sizes) < 120_000


@pytest.mark.parametrize("said", [{"why": "a\0b"}, {"\0": "b"}])
def test_a_character_that_no_database_keeps_is_refused(
    ada: FlaskClient, token_of: TokenOf, said: dict[str, str]
) -> None:
    assert ada.post("/records/1/note", data={**said, "form_token": token_of(ada)}).status_code == 400
    assert ada.get("/records", query_string=said).status_code == 400
