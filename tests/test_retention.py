"""Policies: what is older than so many whole months is archived or deleted, every night, in every store."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from appliance import archiving, retention
from appliance.config import Config
from appliance.errors import UserError
from appliance.ingest import importing, stating
from appliance.retention import Action
from appliance.store import archives, timeline
from appliance.store.database import Store, open_store
from appliance.store.keys import KeyRing
from appliance.store.records import first_day_kept
from appliance.store.timeline import Query
from services import job
from tests.statements import Row, ofx

KIND = "money.transaction"
NOW = datetime(2026, 3, 17, tzinfo=UTC)
ROWS = [Row(date(2024, month, 28), name=f"Shop {month}") for month in (1, 2, 3, 4)]


@pytest.fixture
def folder(config: Config) -> Path:
    """The store's folder."""
    return config.stores / "home"


def _count(store: Store, kind: str = KIND) -> int:
    with store.read() as connection:
        return len(list(timeline.matching(connection, Query(kind=kind))))


@pytest.mark.parametrize(
    ("today", "months", "first"),
    [
        (date(2026, 3, 17), 1, date(2026, 2, 1)),
        (date(2026, 3, 31), 24, date(2024, 3, 1)),
        (date(2026, 1, 1), 1, date(2025, 12, 1)),
        (date(2026, 12, 31), 12, date(2025, 12, 1)),
    ],
)
def test_months_are_whole(today: date, months: int, first: date) -> None:
    assert first_day_kept(today, months) == first


@pytest.mark.parametrize("action", [Action.SUMMARISE, Action.DELETE])
def test_a_policy_is_done_once(store: Store, folder: Path, action: Action) -> None:
    importing.import_bytes(store, ofx(ROWS), "a.ofx")
    assert retention.run(store, folder, now=NOW) == []
    retention.state(store, KIND, action, 24)
    [done] = retention.run(store, folder, now=NOW)
    assert (done["before"], done["facts"]) == ("2024-03-01", 2)
    assert _count(store) == 2
    assert retention.run(store, folder, now=NOW) == []
    assert len(archives.files(folder)) == (1 if action is Action.SUMMARISE else 0)


def test_a_policy_that_fails_leaves_the_others_theirs(store: Store, folder: Path) -> None:
    importing.import_bytes(store, ofx(ROWS), "a.ofx")
    stating.add(store, "note", {"memo": "old", "at": "2020-01-01"}, "Ann")
    archiving.make(store, folder, KIND, date(2024, 2, 1))
    path = archives.path_of(folder, 1)
    path.write_bytes(path.read_bytes()[:-1])
    retention.state(store, KIND, Action.DELETE, 1)
    retention.state(store, "note", Action.DELETE, 1)
    with pytest.raises(UserError, match="put this file back from a backup"):
        retention.run(store, folder, now=NOW)
    assert (_count(store, "note"), _count(store)) == (0, 3)


def test_the_nightly_job_sees_to_every_store_that_opens_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(tmp_path / "box")
    for name in ("home", "ann", "bob"):
        with open_store(config, name, make=True) as store:
            importing.import_bytes(store, ofx(ROWS), "a.ofx")
            retention.state(store, KIND, Action.DELETE, 1)
    ring = KeyRing(config.data)
    ring.prove_kit("bob", ring.make_kit("bob"))
    ring.lock("bob", ring.open("bob"), "correct horse battery staple")
    monkeypatch.setattr(sys, "argv", ["job", "retention", "--data", str(config.data)])
    job.main()
    for name, left in (("home", 0), ("ann", 0), ("bob", 4)):
        with open_store(config, name, passphrase="correct horse battery staple" if left else None) as store:
            assert _count(store) == left
