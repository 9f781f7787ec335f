"""Photos and papers on the pages: chosen on a form, shown on the fact's page, and handed to nobody else."""

import hashlib
import html
import re
import threading
from collections.abc import Callable
from io import BytesIO
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from appliance import people
from appliance.content import InMemory
from appliance.ingest import importing, stating
from appliance.ingest.attaching import LARGEST_BYTES
from appliance.store import originals, timeline
from appliance.store.database import Store
from appliance.store.records import Stored
from appliance.store.timeline import Query
from services.dashboard import access, uploads
from services.dashboard.box import box
from services.dashboard.holding import PEOPLE, Holding, Sent
from tests import photos
from tests.services.dashboard.conftest import PASSWORD

Token = Callable[..., str]
FORM = "/add/energy.meter_reading"
_numbers = count(1)
READING = {"store": "home", "at": "2026-03-01", "register": "4000", "supply": "water"}


@pytest.fixture
def home(app: Flask) -> Store:
    return box(app).stores.home


@pytest.fixture
def meter() -> str:
    """A meter of each test's own."""
    return f"meter {next(_numbers)}"


@pytest.fixture
def send(ada: FlaskClient, token_of: Token, meter: str) -> Callable[..., TestResponse]:
    """Sends a form as a browser does, with a file where one was chosen."""

    def sent(path: str = FORM, file: bytes | None = None, name: str = "meter.jpg", **said: Any) -> TestResponse:
        usual = READING | {"source": meter} if path == FORM else {"store": "home"}
        chosen = [FileStorage(BytesIO(), ""), FileStorage(BytesIO(file or b""), "" if file is None else name)]
        field = said.pop("field", "photo")
        boundary, body = encode_multipart({"form_token": token_of(ada), **usual, **said, field: chosen})
        return ada.post(path, data=body, content_type=f"multipart/form-data; boundary={boundary}")

    return sent


def _of(home: Store, meter: str) -> list[Stored]:
    with home.read() as connection:
        every = timeline.matching(connection, Query(kind="energy.meter_reading"))
        return [each for each in every if each.fields.get("source") == meter]


def _links(page: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r'(?:src|href)="(/records/\d+/files/[^"]*)"', html.unescape(page))))


def test_the_form_takes_a_photo_from_the_camera_or_one_that_is_there(ada: FlaskClient) -> None:
    page = ada.get(f"{FORM}?store=home").text
    assert 'enctype="multipart/form-data"' in page
    inputs = re.findall(r'<input type="file" name="photo" [^>]*>', page)
    assert [("capture=" in each, "image/*" in each) for each in inputs] == [(True, True), (False, True)]
    paper = ada.get("/add/document").text
    assert "capture=" not in paper
    assert "application/pdf" in paper
    assert "multipart" not in ada.get("/add/me.plan").text


def test_a_photo_is_kept_with_the_reading_and_shown_on_its_page_and_among_the_meter_s(
    ada: FlaskClient, home: Store, meter: str, send: Callable[..., TestResponse]
) -> None:
    answer = send(file=photos.JPEG)
    assert answer.status_code == 303, answer.text
    [fact] = _of(home, meter)
    assert fact.fields["photo"] == hashlib.sha256(photos.JPEG).hexdigest()
    page = ada.get(answer.location).text
    [link] = _links(page)
    assert f'<img src="{html.escape(link)}" alt="Photo"' in page
    assert fact.fields["photo"] in page
    shown = ada.get(link)
    assert shown.data == photos.JPEG
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.headers["Content-Disposition"] == f'inline; filename="record-{fact.id}-photo.jpg"'
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Security-Policy"] == access.HEADERS["Content-Security-Policy"]
    assert shown.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "field", "file", "type_", "ending"),
    [
        (FORM, "photo", photos.HEIC, "image/heic", "photo.heic"),
        ("/add/document", "file", photos.PDF, "application/pdf", "file.pdf"),
    ],
)
def test_what_not_every_browser_draws_is_offered_to_be_saved(
    ada: FlaskClient, send: Callable[..., TestResponse], path: str, field: str, file: bytes, type_: str, ending: str
) -> None:
    page = ada.get(send(path, file, field=field, title="Paper").location).text
    [link] = _links(page)
    assert "<img" not in page
    assert "Save it" in page
    saved = ada.get(link)
    assert (saved.data, saved.headers["Content-Type"]) == (file, type_)
    assert re.fullmatch(rf'attachment; filename="record-\d+-{ending}"', saved.headers["Content-Disposition"])


def test_a_file_is_handed_to_those_alone_who_may_see_the_store(
    app: Flask, ada: FlaskClient, stranger: FlaskClient, send: Callable[..., TestResponse]
) -> None:
    [link] = _links(ada.get(send(file=photos.JPEG).location).text)
    own = box(app).stores.named("ada")
    private = stating.add(own, "document", {"title": "Lease"}, "Ada", files={"file": photos.PNG})
    of_mine = f"/records/{private.id}/files/{private.fields['file']}"
    assert ada.get(of_mine).data == photos.PNG
    for path in (link, of_mine):
        assert stranger.get(path).location.startswith("/sign-in")
    people.add(box(app).config, box(app).stores.home, "Ben", PASSWORD)
    stranger.set_cookie(access.SESSION_COOKIE, people.sign_in(box(app).stores.home, "Ben", PASSWORD) or "")
    assert stranger.get(link).data == photos.JPEG
    assert stranger.get(of_mine).status_code == 404
    assert stranger.get(f"{of_mine}?store=ada").status_code == 403


def test_a_fact_hands_out_its_own_files_alone(
    ada: FlaskClient, home: Store, meter: str, send: Callable[..., TestResponse]
) -> None:
    send(file=photos.JPEG)
    other = importing.keep_refused(home, InMemory("s.html", b"<html>a bank's statement"), "no format").original
    [fact] = _of(home, meter)
    for path in (f"/records/{fact.id}/files/{other}", "/records/99999/files/" + fact.fields["photo"]):
        assert ada.get(f"{path}?store=home").status_code == 404
    with home.write() as connection:
        originals.discard(connection, fact.fields["photo"])
    assert ada.get(f"/records/{fact.id}/files/{fact.fields['photo']}?store=home").status_code == 404
    assert fact.fields["photo"] in ada.get(f"/records/{fact.id}?store=home").text
    with home.write() as connection:
        originals.keep(connection, home.key, photos.JPEG)


@pytest.mark.parametrize("file", [b"<html><script>alert(1)</script></html>", b"GIF89a", b""])
def test_what_is_no_photo_is_refused_beside_its_input_whatever_its_name_says(
    home: Store, meter: str, send: Callable[..., TestResponse], file: bytes
) -> None:
    answer = send(file=file, name="meter.jpg")
    assert answer.status_code == 422
    assert "neither JPEG, PNG, WebP nor HEIC" in answer.text
    assert 'value="4000"' in answer.text, "what was typed stays"
    assert "is chosen" not in answer.text
    assert _of(home, meter) == []


def test_a_file_that_is_too_large_is_told_the_next_step(
    home: Store, meter: str, send: Callable[..., TestResponse]
) -> None:
    answer = send(file=photos.photo(1, LARGEST_BYTES + 1))
    assert (answer.status_code, "larger than 15 MB" in answer.text) == (422, True)
    answer = send(file=photos.photo(1, uploads.ATTACHED_BYTES))
    assert (answer.status_code, "Go back and choose a smaller one" in answer.text) == (413, True)
    assert _of(home, meter) == []


def test_a_form_waits_for_no_import_and_one_large_photo_for_another(
    app: Flask, send: Callable[..., TestResponse], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "WAIT_S", 0.01)
    large = photos.photo(1, 1 << 20)
    with box(app).uploading:
        assert send(file=large).status_code == 303
    with box(app).attaching:
        assert send(file=large, at="2026-03-02").status_code == 503
        assert send(at="2026-03-03").status_code == 303
    assert send(file=large, at="2026-03-04").status_code == 303


# ---- asked back ----


def test_a_reading_that_is_asked_back_keeps_its_photo_until_the_person_is_sure(
    app: Flask, ada: FlaskClient, home: Store, meter: str, send: Callable[..., TestResponse]
) -> None:
    send(register="4100")
    asked = send(file=photos.PNG, name="cellar.png", at="2026-04-01", register="4000")
    assert asked.status_code == 422
    page = html.unescape(asked.text)
    assert "Nothing is kept yet" in page
    assert "4000 is less than the 4100 that you read on 2026-03-01" in page
    assert re.search(rf"cellar\.png, {len(photos.PNG)} bytes</strong> is chosen", page)
    assert f"/add/energy.meter_event?source={meter.replace(' ', '+')}&supply=water&store=home" in page
    first, second = re.findall(r"<button class=\"button[^>]*>[^<]*", page)[-2:]
    assert "sure" not in first, "Enter presses the first"
    assert 'name="sure"' in second
    assert len(_of(home, meter)) == 1
    [held] = re.findall(r'name="held" value="([^"]+)"', page)
    again = {"at": "2026-04-01", "register": "4000", "held": held}
    for _ in range(2):
        assert send(**again).status_code == 422, "nobody said that it is right"
    assert send(**again, sure="yes").status_code == 303
    assert {each.fields.get("photo") for each in _of(home, meter)} == {None, hashlib.sha256(photos.PNG).hexdigest()}
    person = next(each for each in people.people(home) if each.name == "Ada")
    assert box(app).holding.of(person.id, held) == {}


def test_a_photo_that_waits_is_replaced_or_left_out(home: Store, meter: str, send: Callable[..., TestResponse]) -> None:
    for register, then in ((4001, {"file": photos.WEBP}), (4002, {"photo:none": "on"}), (4003, {"held": "another"})):
        page = send(file=photos.PNG, at="", register=str(register)).text
        [held] = re.findall(r'name="held" value="([^"]+)"', page)
        send(**{"register": str(register), "held": held, **then})
    kept = {each.fields["register"]: each.fields.get("photo") for each in _of(home, meter)}
    assert kept == {"4001": hashlib.sha256(photos.WEBP).hexdigest(), "4002": None, "4003": None}


def test_a_correction_attaches_replaces_and_takes_out_and_the_history_leads_to_each(
    ada: FlaskClient, home: Store, meter: str, send: Callable[..., TestResponse]
) -> None:
    send()
    [fact] = _of(home, meter)
    path = f"/records/{fact.id}/correct"
    for file in (photos.JPEG, photos.PNG):
        assert send(path, file).status_code == 303
    assert "One is kept already" in ada.get(f"{path}?store=home").text
    assert send(path).status_code == 422, "nothing was changed"
    assert send(path, **{"photo:none": "on"}).status_code == 303
    assert "photo" not in _of(home, meter)[0].fields
    page = ada.get(f"/records/{fact.id}?store=home").text
    assert {ada.get(each).data for each in _links(page)} == {photos.JPEG, photos.PNG}


def test_what_is_held_is_the_person_s_own_and_of_a_few_people_for_a_while() -> None:
    holding, file = Holding(), {"photo": Sent("m.jpg", photos.JPEG)}
    token = holding.hold(1, file)
    assert holding.of(1, token) == file
    assert holding.of(2, token) == holding.of(1, "another") == {}
    assert holding.hold(1, dict(file)) == token, "going back to an earlier answer finds the same photo"
    newer = holding.hold(1, {"photo": Sent("n.jpg", photos.JPEG)})
    assert (holding.of(1, token), len(holding.of(1, newer))) == ({}, 1)
    for person in range(2, 2 + PEOPLE):
        holding.hold(person, file)
    assert holding.of(1, newer) == {}
    gone = threading.Event()

    class Short(Holding):
        def let_go(self, person: int, token: str) -> None:
            super().let_go(person, token)
            gone.set()

    short = Short(0.01)
    token = short.hold(1, file)
    assert gone.wait(10)
    assert short.of(1, token) == {}
