"""The pages of keys: a store is locked, unlocked, shut again by itself, and its kit made, printed and proved."""

import re
import time
from collections.abc import Iterator
from datetime import date
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import text

from appliance import people, retention
from appliance.config import Config
from appliance.errors import UserError
from appliance.ingest import stating, taking
from appliance.people import Household
from appliance.store import passphrases, timeline, tries, waiting
from appliance.store.database import Store, open_store
from appliance.store.keys import KeyRing
from appliance.store.timeline import Query
from services.dashboard import stores
from services.dashboard.access import SESSION_COOKIE
from services.dashboard.app import make_app
from services.dashboard.box import box
from services.dashboard.stores import UNUSED_S, Stores
from tests.services.dashboard.conftest import NAME, PASSWORD
from tests.statements import Row, ofx

DAY = date(2026, 3, 1)
PASSPHRASE, ANOTHER = "five words that fit badly", "another five words here"
WORD = re.compile(r"<li>([a-z]+)</li>")


@pytest.fixture(autouse=True)
def quick_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import PasswordHasher

    monkeypatch.setattr(passphrases, "COST", {"passes": 1, "memory_kib": 8, "lanes": 1})
    monkeypatch.setattr(people, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    people._nobodys_hash.cache_clear()


@pytest.fixture
def app(config: Config, store: Store) -> Iterator[Flask]:
    """A box of Ada's own for each test, on both databases: its keys change."""
    people.claim(config, store, Household("Home Farm", "Europe/Amsterdam", "EUR"), NAME, PASSWORD)
    store.close()  # the dashboard alone has it open
    app = make_app(config)
    yield app
    box(app).stores.close()


class Browser:
    """A browser in which somebody is signed in."""

    def __init__(self, app: Flask, name: str = NAME) -> None:
        self.app, self.client = app, app.test_client()
        token = people.sign_in(box(app).stores.home, name, PASSWORD)
        assert token
        self.client.set_cookie(SESSION_COOKIE, token)

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.location)
        return answer.text

    def leads(self, path: str) -> str:
        """Where a page leads instead of being shown."""
        return self.client.get(path).location or ""

    def post(self, path: str, **said: str) -> tuple[int, str]:
        """The status, and where it leads or what it says."""
        token = re.search(r'name="form-token" content="([0-9a-f]{64})"', self.client.get("/now").text)
        assert token
        answer = self.client.post(path, data={**said, "form_token": token[1]})
        return answer.status_code, answer.location or answer.text


@pytest.fixture
def ada(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def locked(ada: Browser) -> Browser:
    """Ada, who has locked her store and has it open."""
    _prove(ada)
    assert ada.post("/keys/lock", new=PASSPHRASE, again=PASSPHRASE) == (303, "/keys")
    return ada


def _prove(browser: Browser) -> str:
    assert browser.post("/keys/kit") == (303, "/kit")
    words = " ".join(WORD.findall(browser.get("/kit")))
    browser.post("/kit")
    status, page = browser.post("/keys/prove", words=words)
    assert (status, "The kit works" in page) == (200, True)
    return words


def test_the_page_says_how_each_store_opens_and_leads_to_the_kit(ada: Browser) -> None:
    assert "unattended" in ada.get("/keys")
    assert "none yet" in ada.get("/keys")
    assert "always" in ada.get("/keys?store=home")
    assert 'href="/keys"' in ada.get("/now")
    assert ada.client.get("/keys?store=ben").status_code == 403


def test_a_kit_is_shown_once_with_its_picture_and_is_never_tried_until_it_is(ada: Browser) -> None:
    ada.post("/keys/kit")
    page = ada.get("/kit")
    words = WORD.findall(page)
    assert len(words) == 24
    assert "<svg" in page
    assert "never tried" in ada.get("/keys")
    ada.post("/kit")
    assert "shown already" in ada.get("/kit")
    numbered = " ".join(f"{number}. {word}" for number, word in enumerate(words, 1))
    assert "The kit works" in ada.post("/keys/prove", words=numbered)[1]
    assert re.search(r"proved on \d+ \w{3} \d{4}", ada.get("/keys"))


def test_the_drill_says_which_word_is_wrong(ada: Browser) -> None:
    words = _prove(ada).split()
    status, page = ada.post("/keys/prove", words=" ".join([*words[:6], "hearthh", *words[7:]]))
    assert (status, "word 7, &#39;hearthh&#39;" in page) == (422, True)
    assert words[0] in page, "what was typed stays"
    assert ada.post("/keys/prove", words=" ".join(words[:-1]))[0] == 422
    assert ada.client.get("/keys/prove?store=home").status_code == 404


def test_a_store_is_not_locked_before_its_kit_is_proved(ada: Browser) -> None:
    assert "First make a recovery kit" in ada.get("/keys")
    assert ada.post("/keys/lock", new=PASSPHRASE, again=PASSPHRASE)[0] == 422
    assert ada.post("/keys/lock", store="home", new=PASSPHRASE, again=PASSPHRASE)[0] == 422
    assert not KeyRing(box(ada.app).config.data).facts("ada").is_locked


@pytest.mark.parametrize(("new", "again"), [("short", "short"), (PASSPHRASE, ANOTHER), ("", "")])
def test_a_poor_or_mistyped_passphrase_locks_nothing(ada: Browser, new: str, again: str) -> None:
    _prove(ada)
    assert ada.post("/keys/lock", new=new, again=again)[0] == 422
    assert "unattended" in ada.get("/keys")


def test_after_lock_now_her_pages_ask_for_the_passphrase_and_the_household_s_go_on(locked: Browser) -> None:
    locked.get("/records")
    assert "Lock now" in locked.get("/now")
    locked.post("/keys/shut")
    assert "Lock now" not in locked.get("/now")
    assert locked.leads("/records") == "/unlock?next=/records"
    assert locked.client.get("/records", headers={"X-Requested-With": "fetch"}).status_code == 423
    for path in ("/now", "/history", "/records?store=home", "/import?store=home", "/keys?store=home", "/people"):
        locked.get(path)
    assert locked.post("/unlock", passphrase=PASSPHRASE, next="/records") == (303, "/records")
    locked.get("/records")


def test_signing_out_shuts_it_and_a_restart_too(locked: Browser) -> None:
    locked.post("/sign-out")
    again = Browser(locked.app)
    assert again.leads("/records") == "/unlock?next=/records"
    again.post("/unlock", passphrase=PASSPHRASE)
    restarted = make_app(box(locked.app).config)
    try:
        assert Browser(restarted).leads("/records") == "/unlock?next=/records"
    finally:
        box(restarted).stores.close()


def test_a_wrong_passphrase_is_slowed_down_and_opens_nothing(locked: Browser) -> None:
    locked.post("/keys/shut")
    assert locked.post("/unlock", passphrase="nothing of that kind")[0] == 422
    status, page = locked.post("/unlock", passphrase=PASSPHRASE)
    assert (status, "wait 1 second" in page) == (429, True)
    assert locked.leads("/records")


def test_unlocking_leads_nowhere_else(locked: Browser) -> None:
    locked.post("/keys/shut")
    assert locked.post("/unlock", passphrase=PASSPHRASE, next="//evil.example/") == (303, "/")
    assert locked.leads("/unlock?next=/records") == "/records"


def test_nobody_else_unlocks_or_reads_it(locked: Browser) -> None:
    found = box(locked.app)
    people.add(found.config, found.stores.home, "Ben", PASSWORD)
    ben = Browser(locked.app, "Ben")
    assert ben.client.get("/records?store=ada").status_code == 403
    ben.post("/unlock", passphrase=PASSPHRASE)
    ben.post("/keys/shut")
    locked.get("/records")


def test_the_kit_opens_it_when_the_passphrase_is_lost(ada: Browser) -> None:
    words = _prove(ada)
    ada.post("/keys/lock", new=PASSPHRASE, again=PASSPHRASE)
    ada.post("/keys/shut")
    assert ada.post("/unlock/kit", words="abandon " * 24)[0] == 422
    assert ada.post("/unlock/kit", words=words) == (303, "/keys")
    assert "unattended" in ada.get("/keys")


def test_a_passphrase_is_changed_with_the_one_before_alone(locked: Browser) -> None:
    assert locked.post("/keys/lock", passphrase="a wrong passphrase", new=ANOTHER, again=ANOTHER)[0] == 422
    KeyRing(box(locked.app).config.data).folder("ada").joinpath("tries.json").unlink()
    assert locked.post("/keys/lock", passphrase=PASSPHRASE, new=ANOTHER, again=ANOTHER) == (303, "/keys")
    locked.post("/keys/shut")
    assert locked.post("/unlock", passphrase=ANOTHER)[0] == 303


def test_it_opens_unattended_again(locked: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    assert locked.post("/keys/unattended", passphrase="what the finder of an open browser tries")[0] == 422
    monkeypatch.setattr(tries, "_now", lambda: time.time() + tries.LONGEST_S)
    assert locked.post("/keys/unattended", passphrase=PASSPHRASE) == (303, "/keys")
    locked.post("/keys/shut")
    locked.get("/records")


def test_what_came_while_it_was_locked_is_there_after_unlocking(locked: Browser) -> None:
    locked.post("/keys/shut")
    found = box(locked.app).config
    path = found.inbox / "ada" / "march.ofx"
    path.parent.mkdir(parents=True)
    path.write_bytes(ofx([Row(DAY, "-3.00", "Bakery")]))
    taking.take(found, "ada", [path])
    assert not path.exists()
    locked.post("/unlock", passphrase=PASSPHRASE)
    assert "Bakery" in locked.get("/records")


@pytest.mark.parametrize("whose", ["", "home"])
def test_another_key_keeps_the_pages_and_shows_a_new_kit(ada: Browser, whose: str) -> None:
    ring, name = KeyRing(box(ada.app).config.data), whose or "ada"
    upload = {"file": (BytesIO(ofx([Row(DAY, "-3.00", "Bakery")])), "march.ofx"), "store": whose}
    token = re.search(r'name="form-token" content="([0-9a-f]{64})"', ada.get("/now"))
    assert token
    ada.client.post("/import", data={**upload, "form_token": token[1]}, content_type="multipart/form-data")
    before = ring.public(name)
    assert ada.post("/keys/change", store=whose) == (303, "/kit")
    assert ring.public(name) != before
    words = WORD.findall(ada.get("/kit"))
    assert ring.prove_kit(name, words).public == ring.public(name).hex()
    assert "Bakery" in ada.get(f"/records?store={whose}")
    for path in ("/now", "/api/now", "/history"):
        ada.get(path)


def test_another_key_of_a_locked_store_asks_for_the_passphrase(locked: Browser) -> None:
    assert locked.post("/keys/change", passphrase="nothing of that kind")[0] == 422
    locked.get("/records")  # it stays open: what was said was wrong, and nothing was changed
    KeyRing(box(locked.app).config.data).folder("ada").joinpath("tries.json").unlink()
    assert locked.post("/keys/change", passphrase=PASSPHRASE) == (303, "/kit")
    locked.get("/records")


# ---- shut by itself ----


def test_half_an_hour_without_use_shuts_a_locked_store_and_no_other(config: Config, store: Store) -> None:
    moment = [0.0]
    for name in ("ada", "ben"):
        open_store(config, name, make=True).close()
    ring = KeyRing(config.data)
    ring.prove_kit("ada", ring.make_kit("ada"))
    ring.lock("ada", ring.open("ada"), PASSPHRASE)
    held = Stores(config, now=lambda: moment[0])
    held.unlock("ada", PASSPHRASE)
    ben = held.named("ben")
    moment[0] = UNUSED_S - 1
    ada = held.named("ada")
    moment[0] = 2 * UNUSED_S - 2
    held._look()
    assert held.unless_shut("ada") is ada
    moment[0] = 3 * UNUSED_S
    held._look()
    assert not held.is_unlocked("ada")
    assert held.unless_shut("ada") is None
    assert held.named("ben") is ben
    held.close()


def test_what_comes_while_it_is_unlocked_is_taken_in_within_a_minute(config: Config, store: Store) -> None:
    open_store(config, "ada", make=True).close()
    ring = KeyRing(config.data)
    ring.prove_kit("ada", ring.make_kit("ada"))
    ring.lock("ada", ring.open("ada"), PASSPHRASE)
    held = Stores(config)
    held.unlock("ada", PASSPHRASE)
    path = config.inbox / "ada" / "march.ofx"
    path.parent.mkdir(parents=True)
    path.write_bytes(ofx([Row(DAY)]))
    taking.take(config, "ada", [path])
    assert held._timer is not None
    assert held._timer.interval == stores.LOOK_S
    held._look()
    assert [each.stored for each in taking.take_waiting(config, held.named("ada"))] == []
    held.close()


def _send_to_inbox(browser: Browser) -> KeyRing:
    """A file comes for Ada's store, which is locked."""
    config = box(browser.app).config
    path = config.inbox / "ada" / "march.ofx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ofx([Row(DAY, "-3.00", "Bakery")]))
    taking.take(config, "ada", [path])
    ring = KeyRing(config.data)
    assert waiting.files(ring.folder("ada"))
    return ring


def test_what_a_policy_says_of_a_locked_store_is_done_after_unlocking(locked: Browser) -> None:
    found = box(locked.app)
    locked.post("/unlock", passphrase=PASSPHRASE)
    store = found.stores.named("ada")
    stating.add(store, "note", {"memo": "old", "at": "2019-03-01"}, "Ada")
    retention.state(store, "note", retention.Action.DELETE, 12)
    assert _notes(store) == 1
    found.stores.shut("ada")
    locked.post("/unlock", passphrase=PASSPHRASE)
    until = time.monotonic() + 20
    while _notes(found.stores.named("ada")) and time.monotonic() < until:
        time.sleep(0.05)
    assert _notes(found.stores.named("ada")) == 0


def _notes(store: Store) -> int:
    with store.read() as connection:
        return len(list(timeline.matching(connection, Query(kind="note"))))


@pytest.mark.parametrize("way", ["/unlock/kit", "/keys/unattended"])
def test_what_waited_comes_in_however_the_store_opens(locked: Browser, way: str) -> None:
    ring = _send_to_inbox(locked)
    words = " ".join(ring.make_kit("ada", ring.open("ada", PASSPHRASE)))
    if way == "/unlock/kit":
        locked.post("/keys/shut")
    assert locked.post(way, words=words, passphrase=PASSPHRASE) == (303, "/keys")
    assert "Bakery" in locked.get("/records")
    assert not waiting.files(ring.folder("ada"))


def test_after_lock_now_no_page_shows_a_kit_that_opens_the_store(locked: Browser) -> None:
    locked.post("/keys/kit", passphrase=PASSPHRASE)
    locked.post("/keys/shut")
    assert not WORD.findall(locked.get("/kit"))


def test_a_store_is_shut_in_time_though_its_file_of_keys_cannot_be_read(locked: Browser) -> None:
    found = box(locked.app)
    clock = [0.0]
    own = Stores(found.config, lambda: clock[0])
    own.unlock("ada", PASSPHRASE)
    opened = own.named("ada")
    own.ring.store_file("ada").write_bytes(b"{}")
    clock[0] = UNUSED_S + 1
    assert own.home.name == "home", "the others' pages go on"
    with pytest.raises(UserError, match="closed"), opened.read():
        raise AssertionError
    own.close()


def test_a_store_of_a_newer_version_leaves_the_pages_that_need_it_not(app: Flask, config: Config) -> None:
    with open_store(config, "ada") as own, own.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    client = app.test_client()
    token = people.sign_in(box(app).stores.home, NAME, PASSWORD)
    assert token
    client.set_cookie(SESSION_COOKIE, token)
    for path in ("/keys", "/history"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "newer Inglenook" in answer.text
        assert "&#39;ada&#39;" in answer.text
    assert client.get("/api/history?series=gas@x").status_code == 404
    assert client.get("/records").status_code == 422
    assert "newer Inglenook" not in client.get("/history", headers={"Accept": "text/html"}).text.split("<main")[0]
