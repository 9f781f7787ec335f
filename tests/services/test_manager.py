"""What systemd hears of each service: that it is ready when it is, and that it is alive while it is."""

import http.client
import os
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from services import setup
from services.dashboard import watched
from services.manager import Manager
from tests.p1_cable import PATIENCE_S
from tests.services.processes import service


class Systemd:
    """The socket that systemd listens on; a datagram is what a service says at one time."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name.replace("@", "\0"))
        self.socket.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", name)

    def heard(self) -> list[str]:
        return self.socket.recv(4096).decode().splitlines()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    listening = Systemd(str(tmp_path / "notify"), monkeypatch)
    yield listening
    listening.socket.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    setup.make(tmp_path / "box")
    (tmp_path / "box" / "inglenook.toml").write_text("[collector]\nflush_seconds = 0.1\n", encoding="utf-8")
    return tmp_path / "box"


def test_the_collector_is_ready_and_alive_as_often_as_it_flushes(data: Path, systemd: Systemd) -> None:
    with service("services.collector", data) as collector:
        assert systemd.heard() == ["READY=1", "WATCHDOG_USEC=30300000", "WATCHDOG=1"]
        assert [systemd.heard() for _ in range(3)] == [["WATCHDOG=1"]] * 3
        assert collector.stopped() == 0


def test_the_scheduler_is_ready_and_its_jobs_speak_for_nobody(data: Path, systemd: Systemd) -> None:
    with service("services.scheduler", data) as scheduler:
        assert systemd.heard()[0] == "READY=1"
        assert systemd.heard() == ["WATCHDOG=1"], "and not READY again, from a job"
        assert scheduler.stopped() == 0


def test_the_dashboard_is_ready_when_it_answers_and_not_before(data: Path, systemd: Systemd) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    with service("services.dashboard", data, "--port", str(port)) as dashboard:
        assert systemd.heard()[0] == "READY=1"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/claim", timeout=PATIENCE_S) as answer:
            assert answer.status == 200
        assert dashboard.stopped() == 0


@pytest.mark.parametrize(
    ("answer", "is_well"),
    [
        (b"HTTP/1.1 303 See Other\r\nLocation: /claim\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", False),
        (b"nonsense\r\n", False),
        (b"", False),
    ],
)
def test_a_dashboard_that_breaks_or_says_nothing_is_not_alive(answer: bytes, is_well: bool) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        teller = threading.Thread(target=_answer, args=(listening, answer))
        teller.start()
        assert watched.answers(_to(listening.getsockname()[1])) is is_well
        teller.join()


def test_a_dashboard_that_hangs_is_not_alive() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        assert not watched.answers(_to(listening.getsockname()[1], 0.1))


def test_a_name_without_a_file_is_spoken_to_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    listening = Systemd(f"@inglenook-{os.getpid()}", monkeypatch)
    Manager.of().alive()
    assert listening.heard() == ["WATCHDOG=1"]
    assert "NOTIFY_SOCKET" not in os.environ
    listening.socket.close()


def test_nobody_is_told_where_nothing_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Manager.of().ready(1)
    Manager.of().alive()


def _answer(listening: socket.socket, answer: bytes) -> None:
    connection, _ = listening.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(answer)


def _to(port: int, patience_s: float = PATIENCE_S) -> Callable[[], http.client.HTTPConnection]:
    return lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=patience_s)
