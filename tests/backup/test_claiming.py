"""From the claim page of a new box to the old household: as a person does it, and what the page says where it fails."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect

from appliance import backup
from appliance.backup.restic import PROGRAM
from appliance.config import load
from appliance.store.database import HOME
from appliance.store.keys import KeyRing
from services import state
from services.dashboard import disks
from services.dashboard.app import make_app
from services.dashboard.box import box
from tests import boxes
from tests.backup.house import ADA, DISK, NOW, PASSWORD, House, exports
from tests.p1_cable import until
from tests.rest_server import PASSWORD as PASSWORD_THERE
from tests.rest_server import USER, rest_server

pytestmark = pytest.mark.skipif(
    shutil.which(PROGRAM) is None, reason="restic is not installed; as root: apt-get install restic"
)

BACK_MS = 240_000  # several processes start, on a machine that may be busy
TOKEN = re.compile(r'name="form-token" content="([0-9a-f]{64})"')


@pytest.fixture(autouse=True)
def _where_disks_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disks, "FOLDERS", (str(tmp_path),))


@pytest.fixture
def new(tmp_path: Path) -> Iterator[Flask]:
    """The dashboard of a box that nobody has claimed."""
    app = make_app(load(tmp_path / "new"))
    yield app
    box(app).bringing.stop()
    box(app).stores.close()


def _sent(app: Flask, client: FlaskClient, where: object, words: list[str], **more: str) -> str:
    """The page that comes of sending the form, once what it began has ended."""
    found = TOKEN.search(client.get("/claim/restore").text)
    assert found
    desk = box(app).desk
    assert desk
    said = {"code": desk._code, "where": str(where), "words": " ".join(words), "form_token": found[1]}
    answer = client.post("/claim/restore", data=said | more)
    if answer.status_code == 422:
        return answer.text
    _ended(app)
    return client.get("/claim/restore", follow_redirects=True).text


def _ended(app: Flask) -> None:
    thread = box(app).bringing.thread
    assert thread
    thread.join(BACK_MS / 1000)
    assert not thread.is_alive()


def test_everything_is_back_from_the_claim_page_and_says_the_same(
    backed_up: House, disk: Path, new: Flask, tmp_path: Path
) -> None:
    before = exports(backed_up.config, backed_up.ring, tmp_path / "before")
    backup.back_up(backed_up.config, DISK, NOW)
    shutil.rmtree(backed_up.config.data)
    client = new.test_client()
    assert str(disk) in client.get("/claim/restore").text, "a disk that is plugged in is found"
    assert "Sign in" in _sent(new, client, disk, backed_up.words[HOME])
    config, ring = load(tmp_path / "new"), KeyRing(tmp_path / "new")
    token = TOKEN.search(client.get("/sign-in").text)
    assert token
    said = {"name": "Ada", "password": PASSWORD, "form_token": token[1]}
    assert client.post("/sign-in", data=said).status_code == 303
    assert "Your own kit, please" in client.get("/records", follow_redirects=True).text
    token = TOKEN.search(client.get("/unlock").text)
    assert token
    client.post("/unlock/kit", data={"words": " ".join(backed_up.words[ADA]), "form_token": token[1]})
    assert "Your own kit" not in client.get("/records", follow_redirects=True).text
    assert exports(config, ring, tmp_path / "after") == before
    assert config.zone == "Europe/London"


def test_the_code_of_the_box_comes_first(backed_up: House, disk: Path, new: Flask, tmp_path: Path) -> None:
    page = _sent(new, new.test_client(), disk, backed_up.words[HOME], code="AAAA-AAAA")
    assert "not the code" in page
    assert not box(new).bringing.seen().begun


def test_wrong_words_are_named_and_others_words_do_not_open_it(backed_up: House, disk: Path, new: Flask) -> None:
    client, words = new.test_client(), backed_up.words[HOME]
    page = _sent(new, client, disk, ["hearthh", *words[1:]])
    assert "word 1" in page
    assert " ".join(words[1:]) in page, "nobody types 24 words again for one"
    page = _sent(new, client, disk, backed_up.words[ADA])
    assert "these words do not open it" in page
    assert "Begin again" in page
    assert "I have a backup" in client.get("/claim/restore?other=yes").text


def test_a_disk_that_was_pulled_is_plugged_in_and_the_words_are_not_typed_again(
    backed_up: House, disk: Path, new: Flask
) -> None:
    client, away = new.test_client(), disk.with_name("away")
    disk.rename(away)
    assert "no backup in this place" in _sent(new, client, disk, backed_up.words[HOME])
    away.rename(disk)
    token = TOKEN.search(client.get("/claim/restore").text)
    assert token
    stranger = new.test_client()
    assert "no backup in this place" not in stranger.get("/claim/restore").text
    theirs = TOKEN.search(stranger.get("/claim/restore").text)
    assert theirs
    assert stranger.post("/claim/restore/again", data={"form_token": theirs[1]}).status_code == 403
    assert client.post("/claim/restore/again", data={"form_token": token[1]}).status_code == 303
    _ended(new)
    assert client.get("/claim").location == "/now"


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("/etc/inglenook", "Name a folder in one of"),
        ("nowhere", "is no place for a backup"),
        ("/a/b/c", "is not there"),
    ],
)
def test_a_place_that_may_not_be_is_refused(backed_up: House, new: Flask, where: str, problem: str) -> None:
    assert problem in _sent(new, new.test_client(), where, backed_up.words[HOME])
    assert not box(new).bringing.seen().begun


def test_while_it_is_brought_back_nobody_claims_the_box(
    backed_up: House, disk: Path, new: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    bringing, client = box(new).bringing, new.test_client()
    bringing._running = True
    assert client.get("/claim").location == "/claim/restore"
    assert "Coming home" in client.get("/claim/restore").text
    bringing._running = False
    assert client.get("/claim").status_code == 200


def test_in_a_browser_with_everything_running(house: House, tmp_path: Path, chromium: Browser) -> None:
    """The dashboard begins again by itself, and the collector seals to the store that came back."""
    house.meter()
    with rest_server() as attic:
        backup.add(house.config, "attic", attic.address, USER, PASSWORD_THERE)
        backup.back_up(house.config, "attic", NOW)
        data = tmp_path / "new"
        command = [sys.executable, "-m", "appliance.cli", "run", "--data", str(data)]
        with boxes.running(command) as running:
            page = chromium.new_context().new_page()
            code = running.code()
            page.goto(running.address)
            page.get_by_role("link", name="I have a backup").click()
            page.get_by_label("Code").fill(code)
            page.get_by_label("Place").fill(attic.address)
            page.get_by_text("It needs a user").click()
            page.get_by_label("User, or").fill(USER)
            page.get_by_label("Password, or").fill(PASSWORD_THERE)
            page.get_by_label("The 24 words").fill(" ".join(house.words[HOME]))
            page.get_by_role("button", name="Bring it back").click()
            expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=BACK_MS)
            page.get_by_label("Your name").fill("Ada")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_label("The 24 words").fill(" ".join(house.words[ADA]))
            page.get_by_role("button", name="Open it with the kit").click()
            expect(page.get_by_role("heading", name="Keys")).to_be_visible()
            page.goto(f"{running.address}/records")
            expect(page.get_by_text("28 records").first).to_be_visible()
            until(lambda: _names(state.ask(data / "run")) == ["house"], "the meter that was named is read again")


def _names(said: dict[str, Any] | None) -> list[str]:
    return [each["source"] for each in (said or {"meters": []})["meters"]]
