"""Fetches: what a feed brings is imported once, whatever cuts it off, and its secrets are nowhere in clear."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection

from appliance import connectors
from appliance.connectors import Fetched, Kept
from appliance.content import InMemory
from appliance.errors import NotNowError, SourceError, UserError
from appliance.ingest import fetching, importing
from appliance.store import feeds, imports
from appliance.store.database import Store
from appliance.store.feeds import Feed
from appliance.store.keys import StoreKey
from appliance.web import Web
from tests.statements import Row, ofx

TOKEN = "a token that nobody may see"
FILES = [ofx([Row(date(2026, 3, day), f"-{day}.00", f"Mill {day}")]) for day in (1, 2, 3)]


@dataclass(frozen=True)
class Options:
    user: str = ""
    token: str = field(default="", metadata={"secret": True})

    def __post_init__(self) -> None:
        if not self.user:
            raise UserError("user: say who")


class Service:
    """A connector to a service that has three files, and what it is told to do at each."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.remarks: dict[int, str] = {}
        self.during: Callable[[], object] = lambda: None
        self.trouble: dict[int, BaseException] = {}

    def fetch(self, options: Options, kept: Kept, web: Web) -> Iterator[Fetched]:
        self.asked.append((options.token, dict(kept)))
        for number in range(kept.get("next", 0), 3):
            self.during()
            if number in self.trouble:
                raise self.trouble[number]
            content = InMemory(f"{number}.ofx", FILES[number])
            kept = {"next": number + 1, "fresh": TOKEN}
            yield Fetched(content, kept, remark=self.remarks.get(number, ""))


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    made = Service()
    module = SimpleNamespace(TITLE="Bank", HELP="", RHYTHM_S=3_600, Options=Options, fetch=made.fetch)
    monkeypatch.setattr(connectors, "named", lambda name: module)
    return made


@pytest.fixture
def feed(store: Store, service: Service) -> Feed:
    return fetching.add(store, "bank", "service", {"user": "ann", "token": TOKEN})


def _now(store: Store, feed: Feed) -> Feed:
    with store.read() as connection:
        return fetching.needed(feeds.one(connection, feed.id))


def test_each_file_is_imported_and_the_feed_is_due_again_after_its_rhythm(store: Store, feed: Feed) -> None:
    assert feed.next_us <= time.time_ns() // 1000
    done = fetching.fetch(store, feed.id)
    assert (done.state, done.files, done.read, done.stored, len(done.imports)) == (feeds.DONE, 3, 3, 3, 3)
    wait_s = _now(store, feed).next_us / 1e6 - time.time()
    assert 3_000 < wait_s < 4_200
    again = fetching.fetch(store, feed.id)
    assert (again.state, again.files) == (feeds.DONE, 0)


def test_what_cuts_it_off_costs_nothing_and_doubles_nothing(store: Store, feed: Feed, service: Service) -> None:
    service.trouble[1] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        fetching.fetch(store, feed.id)
    service.trouble.clear()
    done = fetching.fetch(store, feed.id)
    assert (done.files, done.stored, done.duplicate) == (2, 2, 0)
    with store.read() as connection:
        assert [each.state for each in feeds.fetches(connection, feed.id)] == [feeds.DONE, feeds.WAITING]
        assert imports.count(connection) == 3


def test_a_trouble_that_may_pass_is_waited_for_longer_each_time(store: Store, feed: Feed, service: Service) -> None:
    service.trouble[0] = SourceError("bank.example does not answer")
    waits = []
    for _ in range(4):
        done = fetching.fetch(store, feed.id)
        assert (done.state, done.message) == (feeds.WAITING, "bank.example does not answer")
        waits.append(_now(store, feed).next_us / 1e6 - time.time())
    assert waits == sorted(waits)
    assert 200 < waits[0] < 400
    assert waits[-1] < 4_200
    service.trouble[0] = SourceError("later", retry_after_s=50_000)
    fetching.fetch(store, feed.id)
    assert 49_000 < _now(store, feed).next_us / 1e6 - time.time() < 51_000
    service.trouble.clear()
    fetching.fetch(store, feed.id)
    assert _now(store, feed).failures == 0


def test_one_that_does_not_pass_stops_the_feed_until_a_person_mends_it(
    store: Store, feed: Feed, service: Service
) -> None:
    service.trouble[0] = SourceError("bank.example refused the password: give the new one", permanent=True)
    assert fetching.fetch(store, feed.id).state == feeds.STOPPED
    assert "give the new one" in _now(store, feed).stopped
    service.trouble.clear()
    mended = fetching.change(store, feed, {"token": "another"})
    assert mended.stopped == ""
    fetching.fetch(store, feed.id)
    assert service.asked[-1][0] == "another"


def test_secrets_and_what_is_kept_lie_sealed_and_change_with_the_key(store: Store, feed: Feed, tmp_path: Path) -> None:
    fetching.fetch(store, feed.id)
    shown = _now(store, feed)
    assert TOKEN not in repr(shown)
    with store.read() as connection:
        raw = connection.exec_driver_sql("SELECT sealed, options FROM feeds").one()
        assert TOKEN.encode() not in bytes(raw[0])
        assert TOKEN not in str(raw[1])
        assert feeds.sealed(connection, store.key, shown).secrets == {"token": TOKEN}
        assert feeds.sealed(connection, store.key, shown).kept == {"next": 3, "fresh": TOKEN}


def test_a_file_in_no_known_format_is_kept_and_said_and_the_others_are_read(
    store: Store, feed: Feed, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.FILES", [FILES[0], b"what is this", FILES[2]])
    done = fetching.fetch(store, feed.id)
    assert (done.files, done.stored) == (3, 2)
    assert "1.ofx" in done.message


def test_a_damaged_file_is_said_and_the_others_are_read(
    store: Store, feed: Feed, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.FILES", [b"PK\x03\x04 and no archive", FILES[1], FILES[2]])
    done = fetching.fetch(store, feed.id)
    assert (done.state, done.files, done.stored) == (feeds.DONE, 3, 2)
    assert "Not read: 0.ofx: it is damaged" in done.message
    assert fetching.fetch(store, feed.id).files == 0


def test_what_the_service_says_is_said_too_whatever_comes_of_the_fetch(
    store: Store, feed: Feed, service: Service
) -> None:
    service.remarks = {0: "The bank asks you to sign in again.", 1: "The bank asks you to sign in again."}
    service.trouble[2] = SourceError("bank.example does not answer")
    said = fetching.fetch(store, feed.id).message
    assert said == "bank.example does not answer. The bank asks you to sign in again."


def test_a_store_that_is_full_is_no_fault_of_the_file(
    store: Store, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise NotNowError("the disk is full")

    with monkeypatch.context() as now:
        now.setattr(importing, "import_content", full)
        done = fetching.fetch(store, feed.id)
    assert (done.state, done.message) == (feeds.WAITING, "the disk is full")
    assert fetching.fetch(store, feed.id).stored == 3


def test_a_password_that_is_changed_while_it_runs_stays_changed(store: Store, feed: Feed, service: Service) -> None:
    service.during = lambda: fetching.change(store, feed, {"token": "another"})
    fetching.fetch(store, feed.id)
    with store.read() as connection:
        sealed = feeds.sealed(connection, store.key, feed)
    assert (sealed.secrets, sealed.kept["next"]) == ({"token": "another"}, 3)


def test_what_is_long_is_not_written_again_with_every_file(
    store: Store, feed: Feed, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    really = feeds.seal

    def seal(connection: Connection, key: StoreKey, feed: Feed, content: feeds.Sealed) -> int:
        written.append(content.kept["next"])
        return really(connection, key, feed, content)

    monkeypatch.setattr(feeds, "seal", seal)
    monkeypatch.setattr(fetching, "SMALL_BYTES", 10)
    service.trouble[2] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        fetching.fetch(store, feed.id)
    assert written == [1, 2], "the first, and what was left when it was cut off"
    service.trouble.clear()
    assert fetching.fetch(store, feed.id).files == 1


def test_a_feed_without_its_secrets_asks_for_them(store: Store, feed: Feed) -> None:
    with store.write() as connection:
        feeds.change(connection, feed.id, sealed=None)
    done = fetching.fetch(store, feed.id)
    assert done.state == feeds.STOPPED
    assert "give it again" in done.message


def test_a_fault_of_ours_is_raised_and_said_and_tried_again(store: Store, feed: Feed, service: Service) -> None:
    service.trouble[1] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        fetching.fetch(store, feed.id)
    with store.read() as connection:
        assert "fault of Inglenook" in feeds.fetches(connection, feed.id)[0].message
    assert _now(store, feed).stopped == ""


def test_what_makes_no_sense_is_refused(store: Store, feed: Feed) -> None:
    with pytest.raises(UserError, match="say who"):
        fetching.add(store, "other", "service", {"token": "t"})
    with pytest.raises(UserError, match="already"):
        fetching.add(store, "bank", "service", {"user": "bob"})
    with pytest.raises(UserError, match="5 minutes"):
        fetching.add(store, "third", "service", {"user": "bob"}, rhythm_s=1)
    with store.write() as connection:
        feeds.remove(connection, feed.id)
    with pytest.raises(UserError, match="taken away"):
        fetching.fetch(store, feed.id)
