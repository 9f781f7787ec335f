"""What the collector tells of itself to the page, and that nobody else hears it."""

import socket
from pathlib import Path

import pytest

from services import state
from services.state import Written, ask, telling


def test_whoever_asks_is_told_the_state_of_that_moment(tmp_path: Path) -> None:
    said = {"n": 0}
    folder = tmp_path / ("deep" * 30) / "run"  # longer than a socket's address may be
    with telling(folder, lambda: said):
        assert ask(folder) == {"n": 0}
        said["n"] = 1
        assert ask(folder) == {"n": 1}
        assert (folder / state.SOCKET).stat().st_mode & 0o777 == 0o600
    assert ask(folder) is None
    assert list(folder.iterdir()) == []


def test_no_collector_is_no_state(tmp_path: Path) -> None:
    assert ask(tmp_path) is None
    assert ask(tmp_path / "absent") is None


def test_one_that_was_killed_leaves_a_socket_that_stops_nobody(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / state.SOCKET))
    dead.close()
    assert ask(tmp_path) is None
    with telling(tmp_path, lambda: {}):
        assert ask(tmp_path) == {}


def test_an_asker_that_goes_away_stops_nothing(tmp_path: Path) -> None:
    with telling(tmp_path, lambda: {"much": "x" * 500_000}):
        for _ in range(3):
            with socket.socket(socket.AF_UNIX) as gone:
                gone.connect(str(tmp_path / state.SOCKET))
        assert ask(tmp_path) is not None


def test_what_is_written_is_counted_from_midnight_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = Written(tmp_path)
    counter = tmp_path / "stat"
    counter.write_text("1 2 3 4 5 6 100 8")
    written._counter = counter
    written._at_midnight = 40 * 512
    assert written.today() == 60 * 512
    monkeypatch.setattr(state, "_today", lambda: "2099-01-01")
    written.look()
    assert written.today() == 0
    counter.unlink()
    assert written.today() is None
