"""A service as a process of its own, and what it says."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.p1_cable import PATIENCE_S, until


@dataclass
class Service:
    """A running service, and the lines that it has said so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def says(self, text: str, times: int = 1) -> None:
        """Waits for a line with that text, or for so many of them."""
        until(lambda: sum(text in line for line in self.lines) >= times, f"{text!r}, in {self.lines}")

    def stopped(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal; how it ended."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def service(module: str, data: Path, *options: str) -> Iterator[Service]:
    """A service over a data folder, killed where the test has not stopped it."""
    command = [sys.executable, "-m", module, "--data", str(data), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        running = Service(process)
        reader = threading.Thread(target=lambda: running.lines.extend(process.stdout or ()), daemon=True)
        reader.start()
        try:
            yield running
        finally:
            process.kill()
            reader.join(PATIENCE_S)


def ended(module: str, data: Path) -> tuple[int, str]:
    """Runs a service that ends by itself: its exit status, and all that it said."""
    command = [sys.executable, "-m", module, "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return done.returncode, done.stdout + done.stderr


def children(pid: int) -> dict[int, str]:
    """Every process below that one: its number and its command line."""
    below: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            parent = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid:
                below[int(path.name)] = (path / "cmdline").read_text().replace("\0", " ")
    for child in list(below):
        below |= children(child)
    return below


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait for its parent to take note."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
