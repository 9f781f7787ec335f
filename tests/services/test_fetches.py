"""The schedule of feeds, in real processes: each is fetched once when it is due, whatever happens to the box."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from appliance.config import Config, load
from appliance.ingest import fetching, planning
from appliance.ingest.planning import Planned
from appliance.store import feeds, timeline
from appliance.store.database import open_store
from appliance.store.feeds import Feed, Fetch
from appliance.store.timeline import Query
from services import fetches, setup
from tests.p1_cable import until
from tests.services.processes import service
from tests.statements import Row, ofx

SCHEDULER = "services.scheduler"
DAY_US = 86_400_000_000
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
KILLS = 50


@pytest.fixture
def box(tmp_path: Path) -> Config:
    setup.make(tmp_path / "box")
    (tmp_path / "box" / "inglenook.toml").write_text("[collector]\nseal_seconds = 3600\n", encoding="utf-8")
    return load(tmp_path / "box")


def _put(folder: Path, number: int) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / f"{number}.ofx"
    path.write_bytes(ofx([Row(date(2026, 3, number), f"-{number}.00", f"{folder.name} {number}")], folder.name))
    os.utime(path, (1_700_000_000, 1_700_000_000))


def _feed(box: Config, folder: Path, rhythm_s: int = 86_400) -> Feed:
    with open_store(box) as store:
        feed = fetching.add(store, folder.name, "folder", {"path": str(folder)}, rhythm_s)
        planning.write(box, store)
        return feed


def _done(box: Config, feed: Feed) -> list[Fetch]:
    with open_store(box) as store, store.read() as connection:
        return [each for each in feeds.fetches(connection, feed.id, 100) if each.state == feeds.DONE]


def _titles(box: Config) -> list[str]:
    with open_store(box) as store, store.read() as connection:
        return sorted(each.title for each in timeline.matching(connection, Query()))


def test_what_is_due_is_fetched_and_what_a_person_wants_now_too(box: Config, tmp_path: Path) -> None:
    _put(tmp_path / "bank", 1)
    feed = _feed(box, tmp_path / "bank")
    with service(SCHEDULER, box.data) as scheduler:
        scheduler.says("done, 1 files, 1 stored")
        _put(tmp_path / "bank", 2)
        _make_due(box, feed)
        scheduler.says("done, 1 files, 1 stored", times=2)
        assert scheduler.stopped() == 0
    assert _titles(box) == ["bank 1", "bank 2"]
    assert len(_done(box, feed)) == 2


def test_a_service_that_fails_is_tried_later_and_one_that_is_locked_out_stops(box: Config, tmp_path: Path) -> None:
    feed = _feed(box, tmp_path / "stick")
    with service(SCHEDULER, box.data) as scheduler:
        scheduler.says("waiting, 0 files")
        assert scheduler.stopped() == 0
    [planned] = planning.read(box)
    assert planned.feed == feed.id
    assert planned.next_us - planned.said_us > 200_000_000


def test_fifty_kills_at_random_leave_each_source_fetched_once_a_day(box: Config, tmp_path: Path) -> None:
    """The power goes at any moment: of the scheduler, and of what it has started. Five days, ten times each."""
    made = [_feed(box, tmp_path / name) for name in ("a", "b", "c")]
    chance = random.Random(5)
    for day in range(1, 6):
        for feed in made:
            _put(tmp_path / feed.name, day)
            _make_due(box, feed)
        for _ in range(KILLS // 5):
            with _group(box) as process:
                time.sleep(chance.uniform(0, 2.5))  # when the power goes, and no wait for a result
                os.killpg(process.pid, signal.SIGKILL)
        with service(SCHEDULER, box.data):
            until(lambda: _waiting(box) == 3, "all are fetched")
        assert [len(_done(box, feed)) for feed in made] == [day] * 3
    assert _titles(box) == sorted(f"{name} {day}" for name in "abc" for day in range(1, 6))


def _make_due(box: Config, feed: Feed) -> None:
    with open_store(box) as store:
        with store.write() as connection:
            feeds.change(connection, feed.id, next_us=0)
        planning.write(box, store)


def _waiting(box: Config) -> int:
    return sum(each.next_us > time.time() * 1e6 for each in planning.read(box))


@contextmanager
def _group(box: Config) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", SCHEDULER, "--data", str(box.data)]
    with subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL) as process:
        yield process


@pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is not installed")
def test_a_clock_that_jumps_a_day_either_way_and_a_week_off_fetch_each_source_once(
    box: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, feed = tmp_path / "clock", _feed(box, tmp_path / "bank")
    _put(tmp_path / "bank", 1)

    def set_clock(days: float) -> None:
        partial = clock.with_suffix(".new")
        partial.write_text(f"{days * 86_400:+.0f}s\n")
        partial.replace(clock)

    set_clock(0)
    for name, value in (
        ("LD_PRELOAD", str(FAKETIME)),
        ("FAKETIME_TIMESTAMP_FILE", str(clock)),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),  # its name in other versions
    ):
        monkeypatch.setenv(name, value)
    with service(SCHEDULER, box.data) as scheduler:  # killed at its end: libfaketime does not bear waiting for a child
        scheduler.says(": done,")
        set_clock(1.2)
        scheduler.says(": done,", times=2)
        scheduler.says("the clock was set")
        set_clock(0.2)
        scheduler.says("the clock was set", times=2)
        time.sleep(2 * 3)  # two looks, at which nothing may be due
    assert len(_done(box, feed)) == 2
    set_clock(8.5)
    with service(SCHEDULER, box.data) as scheduler:
        scheduler.says(": done,")
    assert len(_done(box, feed)) == 3


def test_a_plan_of_a_later_day_waits_as_long_as_it_was_to_wait() -> None:
    said_us = 10 * DAY_US
    planned = Planned("home", 1, said_us, said_us + DAY_US)
    assert planned.due_us(said_us + 5, met_us=said_us) == said_us + DAY_US
    before_us = said_us - 3 * DAY_US
    assert planned.due_us(before_us, met_us=before_us) == before_us + DAY_US


def test_no_more_than_two_run_at_once_and_none_twice(box: Config, tmp_path: Path) -> None:
    made = [_feed(box, tmp_path / name) for name in ("a", "b")]
    begun: list[fetches.Key] = []
    fetching_now = fetches.Fetches(box, lambda function, key: begun.append(key))
    for _ in range(3):
        fetching_now.look()
    assert begun == [("home", feed.id) for feed in made]
    assert fetches.AT_ONCE == 2


def test_a_stick_that_is_plugged_in_is_fetched_before_it_is_due(
    box: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    line = "22 1 8:1 / {} rw,relatime - ext4 /dev/sda1 rw\n"
    mounts.write_text(line.format("/"))
    monkeypatch.setattr(fetches, "MOUNTS", mounts)
    feed = _feed(box, tmp_path / "media")
    with open_store(box) as store:
        with store.write() as connection:
            feeds.change(connection, feed.id, next_us=feeds.NEVER_US)
        planning.write(box, store)
    begun: list[fetches.Key] = []
    looking = fetches.Fetches(box, lambda function, key: begun.append(key))
    looking.look()
    mounts.write_text(line.format("/") + line.format("/elsewhere"))
    looking.look()
    assert begun == []
    mounts.write_text(line.format("/") + line.format(f"{tmp_path}/media/MY\\040STICK"))
    looking.look()
    assert begun == [("home", feed.id)]
