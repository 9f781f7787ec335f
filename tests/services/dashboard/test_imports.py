"""Import: what becomes of a file that somebody hands over."""

from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from services.dashboard.progress import REMEMBERED, Progress, Step
from tests.ingest.test_archives import packed
from tests.statements import Row, ofx

TokenOf = Callable[..., str]
DAY = date(2026, 3, 10)
SAMPLES = Path(__file__).parents[2] / "samples"


def _send(client: FlaskClient, token: str, data: bytes, name: str, **said: str) -> TestResponse:
    form = {"form_token": token, "file": (BytesIO(data), name), **said}
    return client.post("/import", data=form)


def _sample(name: str) -> tuple[bytes, str]:
    return (SAMPLES / name).read_bytes(), Path(name).name


def test_a_form_without_scripts_leads_to_the_report(ada: FlaskClient, token_of: TokenOf) -> None:
    answer = _send(ada, token_of(ada), *_sample("ofx/bank-sgml.ofx"))
    assert answer.status_code == 303
    page = ada.get(answer.location).text
    assert "All of it is stored" in page
    again = ada.get(_send(ada, token_of(ada), *_sample("ofx/bank-sgml.ofx")).location).text
    assert "nothing was stored twice" in again


def test_a_script_gets_the_report_alone(ada: FlaskClient, token_of: TokenOf) -> None:
    data, name = _sample("ofx/twins.ofx")
    headers = {"X-Form-Token": token_of(ada), "X-Requested-With": "fetch", "X-Progress": "a-token"}
    answer = ada.post("/import", data={"file": (BytesIO(data), name)}, headers=headers)
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith("<article")
    assert "twins.ofx" in answer.text
    assert ada.get("/import/progress/a-token").json == {"items": 0, "done": True}


def test_days_that_no_statement_covers_are_said_after_the_import(ada: FlaskClient, token_of: TokenOf) -> None:
    for first, last in ((date(2026, 1, 1), date(2026, 2, 28)), (date(2026, 4, 1), date(2026, 4, 30))):
        data = ofx([Row(first)], account="gap-1", covers=(first, last))
        page = ada.get(_send(ada, token_of(ada), data, f"{first}.ofx").location).text
    assert "Account gap-1: no statement covers 1 to 31 March 2026." in page


def test_an_archive_shows_a_report_a_file_and_what_was_not_read(ada: FlaskClient, token_of: TokenOf) -> None:
    statement, name = _sample("ofx/twins.ofx")
    data = packed({name: statement, "use.xml": _sample("green_button/hourly-electricity.xml")[0], "a.jpg": b"\xff"})
    headers = {"X-Form-Token": token_of(ada), "X-Requested-With": "fetch"}
    answer = ada.post("/import", data={"file": (BytesIO(data), "all.zip")}, headers=headers)
    assert answer.status_code == 200
    assert answer.text.count("<article") == 2
    assert "all.zip/use.xml" in answer.text
    assert "a.jpg" in answer.text
    page = _send(ada, token_of(ada), data, "all.zip")
    assert "a.jpg" in page.text
    assert "all.zip/twins.ofx" in page.text


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (b"\x00" * 4000, "no format"), (b"PK\x03\x04", "damaged"), (b"\x1f\x8b", "unpack")],
)
def test_a_file_that_cannot_be_read_says_why(ada: FlaskClient, token_of: TokenOf, data: bytes, words: str) -> None:
    answer = _send(ada, token_of(ada), data, "<b>odd</b>.bin")
    assert answer.status_code == 422
    assert words in answer.text
    assert "<b>odd" not in answer.text


def test_no_file_at_all(ada: FlaskClient, token_of: TokenOf) -> None:
    assert ada.post("/import", data={"form_token": token_of(ada)}).status_code == 422


def test_rejected_rows_are_shown_and_read_again_once_a_person_says_what_the_file_does_not(
    ada: FlaskClient, token_of: TokenOf
) -> None:
    report = _send(ada, token_of(ada), *_sample("green_button/gas-no-unit.xml"), store="home").location
    page = ada.get(report).text
    assert report.endswith("store=home")
    assert "Unit, where the file states none" in page
    again = ada.post(report.replace("?", "/retry?"), data={"form_token": token_of(ada), "store": "home", "unit": "m3"})
    assert again.status_code == 303
    assert "All of it is stored" in ada.get(again.location).text
    assert "read by import" in ada.get(report).text


def test_balances_beside_the_rows_are_said(ada: FlaskClient, token_of: TokenOf) -> None:
    said = b"<LEDGERBAL><BALAMT>7.00<DTASOF>20260131</LEDGERBAL></STMTRS>"
    only = ofx([], "balances", said="1").replace(b"</STMTRS>", said)
    page = ada.get(_send(ada, token_of(ada), only, "balance.ofx").location).text
    assert "has no rows. Stored besides: 1 balance that it states." in " ".join(page.split())
    assert "Undo this import" in page
    broken = ofx([Row(DAY, "12-3", "Mill")], "broken", said="2").replace(b"</STMTRS>", said)
    page = ada.get(_send(ada, token_of(ada), broken, "broken.ofx").location).text
    assert "None of its rows could be read; see below why. Stored besides: 1 balance" in " ".join(page.split())


def test_an_import_that_was_taken_back_is_not_called_stored(ada: FlaskClient, token_of: TokenOf) -> None:
    token = token_of(ada)
    report = _send(ada, token, ofx([Row(DAY, "-3.00", "Elm")], "undone"), "undone.ofx").location
    ada.post(f"{report}/undo", data={"form_token": token})
    page = ada.get(report).text
    assert "Taken back" in page
    assert "All of it is stored" not in page
    assert "taken back" in ada.get("/import").text


def test_an_option_that_makes_no_sense_is_refused(ada: FlaskClient, token_of: TokenOf) -> None:
    report = _send(ada, token_of(ada), *_sample("green_button/gas-no-unit.xml")).location
    answer = ada.post(f"{report}/retry", data={"form_token": token_of(ada), "unit": "furlongs"})
    assert answer.status_code == 422
    assert "furlongs" in answer.text


@pytest.mark.parametrize("path", ["/import/999", "/import/" + "9" * 30])
def test_an_import_that_is_not_there(ada: FlaskClient, path: str) -> None:
    assert ada.get(path).status_code == 404


def test_progress_is_bounded_and_ones_own() -> None:
    progress = Progress()
    for number in range(2 * REMEMBERED):
        progress.set(str(number), Step(1, number))
    assert progress.of("0", 1) is None
    assert progress.of(str(2 * REMEMBERED - 1), 2) is None
    assert progress.of(str(2 * REMEMBERED - 1), 1) == Step(1, 2 * REMEMBERED - 1)
    progress.set("x" * 1000, Step(1, 1))
    assert progress.of("x" * 1000, 1) is None
