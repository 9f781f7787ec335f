"""Debian's victoria-metrics, on a port of this machine's own; what was taken is flushed to its files."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from appliance.store.series import Array
from tests.benchmarks.peers import program
from tests.benchmarks.peers.jobs import DAY_MS

NAME = "victoria-metrics"
PATIENCE_S = 120
ROWS_AT_ONCE = 1_000_000  # in one line of JSON


def installed() -> bool:
    return program(NAME) is not None


class Keeper:
    """A server of its own for each folder."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{found.getsockname()[1]}"
        limits = ("-retentionPeriod=100y", "-search.maxSamplesPerSeries=100000000", "-search.latencyOffset=0s")
        command = (program(NAME) or NAME, f"-storageDataPath={folder}", f"-httpListenAddr={self._address}", *limits)
        self._server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    def take(self, series: str, at_ms: Array, thousandths: Array) -> None:
        for line in _lines(series, at_ms, thousandths):
            self._ask("api/v1/import", line)
        self._ask("internal/force_flush")

    def take_csv(self, file: Path, columns: Sequence[str]) -> None:
        metrics = [f"{number}:metric:{name}" for number, name in enumerate(columns, 2)]
        self._ask("api/v1/import/csv", file.read_bytes(), format=",".join(["1:time:unix_ms", *metrics]))
        self._ask("internal/force_flush")

    def days(self, series: str, from_ms: int, to_ms: int) -> list[float]:
        """A step looks back: over (at - 1 day, at]. So a day of readings is asked for at its last millisecond."""
        answer = self._ask(
            "api/v1/query_range",
            query=f"avg_over_time({series}[1d])",
            start=str((from_ms + DAY_MS - 1) / 1000),
            end=str((to_ms - 1) / 1000),
            step="1d",
            nocache="1",
        )
        (found,) = json.loads(answer)["data"]["result"]
        return [float(mean) / 1000 for _, mean in found["values"]]

    def close(self) -> None:
        self._server.terminate()
        self._server.wait(PATIENCE_S)

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self._server.poll() is None and time.monotonic() < deadline:
            try:
                self._ask("health")
                return
            except urllib.error.URLError:
                time.sleep(0.05)
        raise OSError(f"{NAME} did not start")

    def _ask(self, path: str, body: bytes | None = None, **arguments: str) -> bytes:
        address = f"http://{self._address}/{path}?{urllib.parse.urlencode(arguments)}"
        with urllib.request.urlopen(urllib.request.Request(address, body), timeout=PATIENCE_S) as response:
            answer: bytes = response.read()
            return answer


def _lines(series: str, at_ms: Array, thousandths: Array) -> Iterator[bytes]:
    for begin in range(0, len(at_ms), ROWS_AT_ONCE):
        some = slice(begin, begin + ROWS_AT_ONCE)
        said = {
            "metric": {"__name__": series},
            "values": thousandths[some].tolist(),
            "timestamps": at_ms[some].tolist(),
        }
        yield json.dumps(said).encode()
