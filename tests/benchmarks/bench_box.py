"""The running box: memory of its services, how soon it shows its first page, and what a page weighs."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance import people
from appliance.config import Config
from appliance.people import Household
from appliance.store.database import HOME, open_store
from services.dashboard.access import SESSION_COOKIE
from tests.benchmarks.row import Row
from tests.benchmarks.store import scratch_config

SERVICES = ("collector", "scheduler", "dashboard")
PAGES = ("/now", "/history", "/records", "/import")
IDLE_S = 20
PATIENCE_S = 120


def rows() -> list[Row]:
    port = _free_port()
    with scratch_config() as config:
        first_s, token = _first_start(config, port)
        start = time.perf_counter()
        with _running(config, port):
            page_s = _since(start, lambda: _get(port, "/now", token))
            live_s = _since(start, lambda: json.loads(_get(port, "/api/now", token)).get("at_ms"))
            heaviest = max(_weight(port, page, token) for page in PAGES)
            time.sleep(IDLE_S)
            memory = {name: _pss_mb(name, config) for name in SERVICES}
    return [
        Row("All services idle, PSS together", sum(memory.values()), 150, "MB"),
        Row("The collector alone, PSS", memory["collector"], 25, "MB"),
        Row("The scheduler alone, PSS", memory["scheduler"], None, "MB"),
        Row("The dashboard alone, PSS", memory["dashboard"], None, "MB"),
        Row("First page after inglenook run", page_s, 3, "s"),
        Row("Live power after inglenook run", live_s, 3, "s"),
        Row("Live power after the very first inglenook run", first_s, 120, "s"),
        Row("The heaviest page with all that it loads", heaviest / 1000, 120, "kB"),
    ]


def _first_start(config: Config, port: int) -> tuple[float, str]:
    start = time.perf_counter()
    with _running(config, port):
        _since(start, lambda: _get(port, "/claim", ""))
        with open_store(config, HOME) as home:
            said = Household("Bench", "Europe/Amsterdam", "EUR")
            token = people.begin_session(home, people.claim(config, home, said, "Anna", "a long password").id)
        seconds = _since(start, lambda: json.loads(_get(port, "/api/now", token)).get("at_ms"))
        _wait(lambda: not (config.data / "past.json").exists())
    return seconds, token


@contextmanager
def _running(config: Config, port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "appliance.cli", "run", "--demo", "--data", str(config.data), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _since(start: float, done: Callable[[], Any]) -> float:
    _wait(done)
    return time.perf_counter() - start


def _wait(done: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if done():
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.02)
    raise TimeoutError("the box did not come up")


def _get(port: int, path: str, token: str) -> bytes:
    headers = {"Cookie": f"{SESSION_COOKIE}={token}", "Accept-Encoding": "gzip"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        content: bytes = response.read()
        return content


def _weight(port: int, page: str, token: str) -> int:
    """The bytes of a page, and of what it names and what its modules import from this box."""
    weighed: dict[str, int] = {}
    waiting = [page]
    while waiting:
        path = waiting.pop()
        if path in weighed:
            continue
        content = _get(port, path, token)
        weighed[path] = len(content)
        named = re.findall(rb'(?:src|href)="(/static/[^"]+)"', content)
        imported = re.findall(rb'from "\./([^"]+)"', content) if path.endswith(".js") else []
        waiting += [each.decode() for each in named] + [
            f"{path.rpartition('/')[0]}/{each.decode()}" for each in imported
        ]
    return sum(weighed.values())


def _pss_mb(service: str, config: Config) -> float:
    """The proportional set size of a service's processes, of its workers too."""
    kilobytes = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode().split("\0")
            if f"services.{service}" in command and str(config.data) in command:
                rollup = (process / "smaps_rollup").read_text()
                kilobytes += int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1])  # type: ignore[index]
        except (FileNotFoundError, ProcessLookupError):
            continue
    return kilobytes / 1024


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
