"""A whole box for tests that look at it as a person does: started, claimed, signed in to."""

import re
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue

from playwright.sync_api import Page

STARTED_S = 60.0
STOPPED_S = 10.0
NAME, PASSWORD = "Marguerite", "a hearth of words"
PASSPHRASE = "five words that fit badly"
HOUSEHOLD, ZONE, CURRENCY = "The Lanternhouse", "Europe/Amsterdam", "EUR"
CLAIM_LINE = re.compile(r"enter the code ([A-Z0-9]{4}-[A-Z0-9]{4})")


@dataclass
class RunningBox:
    """A box that runs; `code` is what it printed for claiming it, "" where somebody has."""

    address: str
    process: subprocess.Popen[str]
    lines: Queue[str] = field(default_factory=Queue)

    def code(self) -> str:
        """The code that it printed; waits for it."""
        seen = []
        while line := self._line():
            if found := CLAIM_LINE.search(line):
                self._wait_until_it_answers()
                return found[1]
            seen.append(line)
        raise AssertionError("the box printed no code; it said:\n" + "".join(seen))

    def _wait_until_it_answers(self) -> None:
        """The code is printed before the first request is read; this one waits its turn."""
        with urllib.request.urlopen(f"{self.address}/claim", timeout=STARTED_S):
            pass

    def _line(self) -> str:
        """The next line; "" where none comes."""
        try:
            return self.lines.get(timeout=STARTED_S)
        except Empty:
            return ""


def dashboard(data: Path) -> list[str]:
    """The dashboard alone."""
    return [sys.executable, "-m", "services.dashboard", "--data", str(data)]


def whole(data: Path) -> list[str]:
    """Everything that a box runs, with a simulated house."""
    return [str(Path(sys.executable).with_name("inglenook")), "run", "--demo", "--data", str(data)]


@contextmanager
def running(command: Sequence[str]) -> Iterator[RunningBox]:
    """A box on a free port, stopped as systemd would stop it."""
    port = _free_port()
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    box = RunningBox(f"http://127.0.0.1:{port}", process)
    reader = threading.Thread(target=_read, args=(process, box.lines), daemon=True)
    reader.start()
    try:
        yield box
    finally:
        process.terminate()
        try:
            process.wait(STOPPED_S)
        finally:
            process.kill()
            process.wait()
            reader.join(STOPPED_S)
            if process.stdout:
                process.stdout.close()


def claim(page: Page, box: RunningBox, code: str = "") -> None:
    """Claims the box as its first person would, up to the recovery kit."""
    code = code or box.code()
    page.goto(box.address)
    page.get_by_label("Code").fill(code)
    page.get_by_label("What is it called?").fill(HOUSEHOLD)
    page.get_by_label("Time zone").fill(ZONE)
    page.get_by_label("Currency").select_option(CURRENCY)
    page.get_by_label("Your name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Once more").fill(PASSWORD)
    page.get_by_role("button", name="Claim this box").click()


def sign_in(page: Page, box: RunningBox) -> None:
    """Signs in the person who claimed the box."""
    page.goto(f"{box.address}/sign-in")
    page.get_by_label("Your name").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/now")


def _read(process: subprocess.Popen[str], lines: Queue[str]) -> None:
    for line in process.stdout or ():
        lines.put(line)
    lines.put("")


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port
