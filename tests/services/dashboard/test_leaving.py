"""Leaving: a last export, and a factory reset after which nothing opens what was there."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import config, exporting, people
from appliance.certificates import authority
from appliance.config import METERS_FILE
from appliance.deleting import whole
from appliance.errors import UserError
from appliance.ingest import importing
from appliance.people import Household
from appliance.store.database import HOME, open_store
from appliance.store.keys import KeyRing
from services import setup
from services.dashboard import disks, leaving
from services.dashboard.access import SESSION_COOKIE
from services.dashboard.app import make_app
from services.dashboard.box import box
from services.dashboard.certified import Certified
from tests.statements import ofx
from tests.test_archiving import ROWS

TokenOf = Callable[..., str]
PASSWORD = "a hearth of words"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Flask]:
    """The dashboard of Ada, who was first, and Ben; each has a statement, and the folders are an appliance's."""
    data = tmp_path / "box"
    setup.make(data)
    for name in ("spool", "run", "stores", "stores/home"):
        (data / name).mkdir(exist_ok=True)
        (data / name).chmod(0o2770)
    app = make_app(config.load(data))
    found = box(app)
    people.claim(found.config, found.stores.home, Household("Home Farm", "Europe/Amsterdam", "EUR"), "Ada", PASSWORD)
    people.add(found.config, found.stores.home, "Ben", PASSWORD)
    for name in (HOME, "ada", "ben"):
        importing.import_bytes(found.stores.named(name), ofx(ROWS), "2019.ofx")
    (data / METERS_FILE).write_text("")
    (data / "run" / "lock").touch()
    yield app
    found.stores.close()


def _browser(app: Flask, name: str) -> FlaskClient:
    token = people.sign_in(box(app).stores.home, name, PASSWORD)
    assert token
    client = app.test_client()
    client.set_cookie(SESSION_COOKIE, token)
    return client


def _reset(
    client: FlaskClient, token_of: TokenOf, words: str = leaving.WORDS, password: str = PASSWORD
) -> tuple[int, str]:
    said = {"words": words, "password": password, "form_token": token_of(client, "/box")}
    with client.post("/box/reset", data=said) as answer:
        return answer.status_code, answer.get_data(as_text=True)


def test_after_a_reset_the_box_is_new_and_no_key_opens_what_was_there(
    own: Flask, token_of: TokenOf, tmp_path: Path
) -> None:
    found, data = box(own), box(own).config.data
    words = KeyRing(data).make_kit(HOME)
    kept = (data / "stores/home/keys.json").read_bytes()
    began = list[bool]()
    found.begin_again = lambda: began.append(True)
    status, page = _reset(_browser(own, "Ada"), token_of)
    assert (status, began) == (200, [True])
    assert "The box is new" in page
    assert "How to check" in page
    assert (data / "stores/home/keys.json").read_bytes() != kept
    assert KeyRing(data).store_names() == [HOME]
    with pytest.raises(UserError):
        KeyRing(data).use_kit(HOME, words)
    with open_store(config.load(data)) as home:
        assert people.household(home) is None
    assert not (data / METERS_FILE).exists()
    assert {each.name for each in data.iterdir()} == {"keys", "stores", "inbox", "spool", "run"}
    for name in ("spool", "run", "stores", "stores/home"):
        assert (data / name).stat().st_mode & 0o7777 == 0o2770, "what only root can make is still there"
    assert (data / "run" / "lock").exists(), "the box that runs still holds its lock"
    assert (data / "run" / "wifi-unwanted").exists(), "systemd/inglenook-wifi.path waits for it"


def test_the_page_says_where_the_box_is_by_name_and_by_number(own: Flask) -> None:
    found = box(own)
    known_by = Certified(authority(found.config.data, "inglenook.local"), lambda: ["192.168.1.20", "127.0.0.1"])
    app = make_app(found.config, "https://inglenook.local/", known_by)
    token = people.sign_in(found.stores.home, "Ada", PASSWORD)
    assert token
    client = app.test_client()
    client.set_cookie(f"__Host-{SESSION_COOKIE}", token, domain="inglenook.local", secure=True)
    pages = {path: client.get(path, base_url="https://inglenook.local").text for path in ("/box", "/trust")}
    box(app).stores.close()
    for page in pages.values():
        assert '<a href="https://192.168.1.20/">' in page
        assert "127.0.0.1" not in page


def test_it_wants_the_words_the_password_and_the_first_person(own: Flask, token_of: TokenOf) -> None:
    ada, ben = _browser(own, "Ada"), _browser(own, "Ben")
    assert _reset(ada, token_of, words="reset")[0] == 422
    assert "not your password" in _reset(ada, token_of, password="another")[1]
    status, page = _reset(ben, token_of)
    assert status == 422
    assert "Only the box’s first person" in page
    assert "Ada, who was here first" in ben.get("/box").text
    assert len(people.people(box(own).stores.home)) == 2


@pytest.mark.parametrize("at", ["destroy_all_keys", "_finish_box", "unlink"])
def test_a_power_cut_in_its_middle_is_finished_by_the_next_start(own: Flask, at: str) -> None:
    data = box(own).config.data
    box(own).stores.close()
    killed = (
        "import os, sys, pathlib; from appliance.config import load; from appliance.deleting import whole\n"
        f"whole.{at} = lambda *_: os.kill(os.getpid(), 9)\n"
        "whole.reset(load(pathlib.Path(sys.argv[1])))"
    )
    assert subprocess.run([sys.executable, "-c", killed, str(data)], check=False).returncode == -9
    setup.make(data)
    assert KeyRing(data).store_names() == [HOME]
    with open_store(config.load(data)) as home:
        assert people.household(home) is None
    assert not (data / "deleting").exists()
    assert not (data / METERS_FILE).exists()


def test_an_appliance_has_the_configuration_again_with_which_it_came(
    own: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "default.toml").write_text("[dashboard]\nhttps = true\n")
    monkeypatch.setattr(whole, "DEFAULT", tmp_path / "default.toml")
    data = box(own).config.data
    (data / config.FILE).write_text("[dashboard]\nhttps = false\n")
    box(own).stores.close()
    whole.reset(config.load(data))
    assert config.load(data).doors.https


def test_nothing_of_the_household_stands_on_the_disk_in_clear(own: Flask, token_of: TokenOf, tmp_path: Path) -> None:
    _reset(_browser(own, "Ada"), token_of)
    there = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and os.access(path, os.R_OK))
    for word in (b"Home Farm", b"Europe/Amsterdam", b"2019.ofx"):
        assert word not in there


def test_a_last_export_goes_onto_a_disk(
    own: Flask, token_of: TokenOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "FOLDERS", (str(tmp_path),))
    ada = _browser(own, "Ada")
    said = {"where": str(tmp_path / "out"), "form_token": token_of(ada, "/box")}
    assert "Written to" in ada.post("/box/export", data=said).text
    for name in (HOME, "ada"):
        assert (tmp_path / "out" / name / exporting.MANIFEST).exists()
    assert not (tmp_path / "out" / "ben").exists()
    assert ada.post("/box/export", data=said).status_code == 422, "nothing is written over"
    for where in ("/etc/x", "out", f"{tmp_path}/gone/x", f"{tmp_path}/../../etc/x"):
        assert ada.post("/box/export", data=said | {"where": where}).status_code == 422
