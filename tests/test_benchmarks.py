"""The table of budgets says ok where a budget is kept, and only there; the peers' shows what was measured of them."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.__main__ import beside_peers, keep, number
from tests.benchmarks.bench_money import transactions
from tests.benchmarks.bench_peers import US, measured
from tests.benchmarks.peers import jobs, plain_sqlite
from tests.benchmarks.peers.jobs import Peer
from tests.benchmarks.row import Row


@pytest.mark.parametrize(
    ("measured", "at_most", "within"),
    [(149.9, True, True), (150, True, True), (150.1, True, False), (149.9, False, False), (150, False, True)],
)
def test_a_budget_is_a_ceiling_or_a_floor(measured: float, at_most: bool, within: bool) -> None:
    assert Row("idle", measured, 150, "MB", at_most).within is within


@pytest.mark.parametrize(("value", "text"), [(0.4871, "0.487"), (12.34, "12.3"), (99.96, "100"), (21540.2, "21,540")])
def test_numbers_show_the_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_a_peer_s_cell_tells_not_installed_from_no_such_job() -> None:
    drawn = beside_peers(
        [
            Row("Bank rows", 20_000, None, "rows a second", peers={"DuckDB": None, "hledger": 4_946}),
            Row("At rest", 0.46, None, "bytes", peers={"DuckDB": 3.06}),
        ]
    )
    columns = {str(column.header): list(column.cells) for column in drawn.columns}
    assert columns == {
        "what": ["Bank rows", "At rest"],
        "Inglenook": ["20,000", "0.46"],
        "DuckDB": ["-", "3.06"],
        "hledger": ["4,946", ""],
        "unit": ["rows a second", "bytes"],
    }


def test_the_report_keeps_what_the_peers_gave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    row = Row("Bank rows", 20_000, None, "rows a second", peers={"DuckDB": None, "hledger": 4_946})
    keep("peers", [row], seconds=1)
    (kept,) = json.loads(Path("bench.json").read_text())["peers"]["rows"]
    assert kept["peers"] == {"DuckDB": None, "hledger": 4_946}


def test_plain_rows_give_every_job_s_measurement(tmp_path: Path) -> None:
    at_ms = np.arange(2 * 8_640, dtype=np.int64) * 10_000
    watts = at_ms // 10_000 % 700
    assert jobs.bytes_a_reading(plain_sqlite.Keeper, jobs.POWER, at_ms, watts) > 0
    assert jobs.decade(plain_sqlite.Keeper, at_ms, watts).chart_ms > 0
    minutes = tmp_path / "minutes.csv"
    minutes.write_text("0,0.100,0.200\n60000,0.150,0.250\n")
    assert jobs.csv_seconds(plain_sqlite.Keeper, minutes, ["first", "second"]) > 0
    assert min(plain_sqlite.bank(tmp_path, transactions(20, "FIRST", 1))) > 0


def test_a_peer_that_charts_wrongly_is_no_measurement() -> None:
    class Wrong(plain_sqlite.Keeper):
        def days(self, series: str, from_ms: int, to_ms: int) -> list[float]:
            return [value + 1 for value in super().days(series, from_ms, to_ms)]

    at_ms = np.arange(8_640, dtype=np.int64) * 10_000
    with pytest.raises(RuntimeError, match="wrong chart"):
        jobs.decade(Wrong, at_ms, at_ms // 10_000)


@pytest.mark.parametrize("new", [[20, 20], [19, 0]])
def test_transactions_that_are_taken_twice_are_no_measurement(new: list[int]) -> None:
    taken = iter(new)
    with pytest.raises(RuntimeError, match="new transactions"):
        jobs.two_imports(lambda: next(taken), 20)


def test_a_peer_that_is_missing_or_does_not_start_leaves_its_cell_empty() -> None:
    def broken(keeper: object) -> float:
        raise OSError("no such program")

    missing, present = (Peer(name, name == "present", plain_sqlite.Keeper) for name in ("missing", "present"))
    assert measured(missing, broken, missing.keeper) is None
    assert measured(present, broken, present.keeper) is None
    with pytest.raises(OSError, match="no such program"):
        measured(Peer(US, True, plain_sqlite.Keeper), broken, None)


def test_what_peers_are_installed_from_is_locked_by_hash_and_names_no_address() -> None:
    folder = Path(jobs.__file__).parent
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert packages.pop("")["dependencies"] == json.loads((folder / "package.json").read_text())["dependencies"]
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert all("--hash=sha256:" in after for line, after in pairwise(lines) if "==" in line and line[0] != "#")
    assert "://" not in "".join(path.read_text() for path in folder.glob("*.[jt][sx]*"))
