"""`inglenook run`: everything at once, started again when it dies, and ended as a whole."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from appliance.config import load
from appliance.store.database import open_store
from tests.boxes import RunningBox, running, whole
from tests.p1_cable import PATIENCE_S, until
from tests.services.processes import children, is_alive

INGLENOOK = str(Path(sys.executable).with_name("inglenook"))
SERVICES = ("services.collector", "services.dashboard", "services.scheduler")


@contextmanager
def _plain(data: Path) -> Iterator[RunningBox]:
    """A box without a simulated house, with all its services."""
    with running([INGLENOOK, "--data", str(data), "run"]) as box:
        until(lambda: all(_service(box, name) for name in SERVICES), "three services run")
        yield box


def _service(box: RunningBox, name: str) -> int:
    """The number of a service's process, 0 where there is none."""
    return min((pid for pid, command in children(box.process.pid).items() if f"-m {name}" in command), default=0)


def _status(address: str) -> int:
    """How the dashboard answers; 0 where it does not."""
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:
            return int(answer.status)
    except OSError:
        return 0


def _said(box: RunningBox, text: str) -> None:
    """Waits for a line with that text."""
    seen: list[str] = []
    while not any(text in line for line in seen):
        seen.append(box.lines.get(timeout=PATIENCE_S))


def _ended(box: RunningBox, number: int) -> int:
    """Sends a signal; the exit status, once no process that there was is left."""
    below = children(box.process.pid)
    assert below
    box.process.send_signal(number)
    status = box.process.wait(PATIENCE_S)
    until(lambda: not any(map(is_alive, below)), f"none of these is left: {below}")
    return status


def test_a_demo_is_shown_and_what_dies_is_started_again(tmp_path: Path) -> None:
    with running(whole(tmp_path / "demo")) as box:
        assert box.code()
        until(lambda: _status(box.address) == 200, "the dashboard answers")
        for name in ("services.collector", "services.dashboard"):
            killed = _service(box, name)
            os.kill(killed, signal.SIGKILL)
            _said(box, f"the {name.removeprefix('services.')} ended (-9) and is started again")
            until(lambda name=name, killed=killed: _service(box, name) not in (0, killed), f"{name} runs")  # type: ignore[misc]
        until(lambda: _status(box.address) == 200, "the dashboard answers again")
        assert _ended(box, signal.SIGTERM) == 0


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    with _plain(tmp_path / "box") as box:
        assert _ended(box, signal.SIGINT) == 0


def test_nothing_is_left_of_a_box_that_is_killed(tmp_path: Path) -> None:
    with _plain(tmp_path / "box") as box:
        assert _ended(box, signal.SIGKILL) == -signal.SIGKILL
    with _plain(tmp_path / "box") as box:
        assert _ended(box, signal.SIGTERM) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_is_ended_while_it_makes_the_demo(tmp_path: Path, number: int) -> None:
    with running(whole(tmp_path / "demo")) as box:
        until(lambda: _service(box, "services.demo"), "the demo is made")
        assert _ended(box, number) == 0
    with running(whole(tmp_path / "demo")) as box:
        assert box.code()
        assert _ended(box, signal.SIGTERM) == 0


def test_a_second_one_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "box"
    with _plain(data) as box:
        port = box.address.rpartition(":")[2]
        for options in ([], ["--port", port]):
            said = _refused([INGLENOOK, "--data", str(data), "run", *options])
            assert f"already running on {data}" in said
            assert "stop it first" in said
        assert _ended(box, signal.SIGTERM) == 0


def test_a_port_in_use_says_the_next_step(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = _refused([INGLENOOK, "--data", str(tmp_path / "box"), "run", "--port", str(port)])
    assert f"port {port} cannot be used" in said
    assert "--port" in said


def test_a_wrong_configuration_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "inglenook.toml").write_text("[colour]\n[collector]\nseal_seconds = -1\n", encoding="utf-8")
    said = _refused([INGLENOOK, "--data", str(tmp_path), "run"])
    assert "colour" in said
    assert "seal_seconds" in said


def test_a_home_store_of_a_newer_version_is_said_once_and_ends_it(tmp_path: Path) -> None:
    with open_store(load(tmp_path), make=True) as home, home.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    [said] = _refused([INGLENOOK, "--data", str(tmp_path), "run"]).splitlines()
    assert said.startswith("inglenook: the store 'home' was written by a newer Inglenook")


def _refused(command: list[str]) -> str:
    """What a command says that ends with 2 and no traceback."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr
