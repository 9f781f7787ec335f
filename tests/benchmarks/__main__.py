"""Runs the benchmarks, prints their table and writes it to bench.json, where rows of benchmarks not run now stay.

Ends with 1 where a budget is not kept or a benchmark did not finish.
"""

import dataclasses
import json
import os
import pkgutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from tests import benchmarks
from tests.benchmarks.row import Row

PREFIX = "bench_"
REPORT = Path("bench.json")


def names() -> list[str]:
    """The benchmarks there are, sorted."""
    modules = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name.removeprefix(PREFIX) for name in modules if name.startswith(PREFIX))


@click.command()
@click.option("--only", metavar="NAME", help="Run this benchmark alone.")
def main(only: str | None) -> None:
    """Measures the budgets and prints them in a table."""
    if only is not None and only not in names():
        raise click.UsageError(f"no benchmark is called {only!r}; there are {', '.join(names()) or 'none yet'}")
    rows: list[Row] = []
    failed: list[str] = []
    for name in [only] if only else names():
        click.echo(f"measuring {name}", err=True)
        measured = measure(name)
        if measured is None:
            failed.append(name)
        else:
            rows += measured
    _print(rows)
    if failed:
        click.echo(f"did not finish: {', '.join(failed)}", err=True)
    sys.exit(0 if not failed and all(row.within for row in rows) else 1)


def _print(rows: list[Row]) -> None:
    alone, compared = [row for row in rows if row.peers is None], [row for row in rows if row.peers is not None]
    if alone:
        Console(width=None if sys.stdout.isatty() else 160).print(table(alone))
    if compared:
        Console(width=None if sys.stdout.isatty() else 160).print(beside_peers(compared))


def measure(name: str) -> list[Row] | None:
    """The rows of one benchmark, run in a process of its own and kept in the report; None where it failed."""
    with tempfile.TemporaryDirectory(prefix="inglenook-") as folder:
        file = Path(folder) / "rows.json"
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "tests.benchmarks.one", name, file])
        if done.returncode != 0:
            return None
        rows = [Row(**row) for row in json.loads(file.read_text())]
    keep(name, rows, seconds=time.monotonic() - start)
    return rows


def keep(name: str, rows: Iterable[Row], *, seconds: float) -> None:
    """Puts the rows of one benchmark into the report, in place of its earlier ones."""
    report = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    report[name] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "seconds": round(seconds, 1),
        "rows": [dataclasses.asdict(row) | {"within": row.within} for row in rows],
    }
    REPORT.write_text(json.dumps(report, indent=2, sort_keys=True) + "\n")


def table(rows: Iterable[Row]) -> Table:
    """The rows as a person reads them."""
    drawn = Table("what", title="Budgets")
    drawn.add_column("measured", justify="right")
    drawn.add_column("budget", justify="right")
    drawn.add_column("unit")
    drawn.add_column("")
    for row in rows:
        if row.budget is None:
            drawn.add_row(row.name, number(row.measured), "", row.unit, "")
            continue
        budget = f"{'at most' if row.at_most else 'at least'} {number(row.budget)}"
        verdict = "[green]ok[/green]" if row.within else "[red]over[/red]" if row.at_most else "[red]under[/red]"
        drawn.add_row(row.name, number(row.measured), budget, row.unit, verdict)
    return drawn


def beside_peers(rows: Iterable[Row]) -> Table:
    """The same jobs of Inglenook and its peers: "-" for one that is not installed, nothing where it has no such job."""
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row.peers or {}))
    drawn = Table("what", title="Beside peers, in the same run")
    for name in ("Inglenook", *names):
        drawn.add_column(name, justify="right")
    drawn.add_column("unit")
    for row in rows:
        drawn.add_row(row.name, number(row.measured), *[_peer(row, name) for name in names], row.unit)
    return drawn


def _peer(row: Row, name: str) -> str:
    if row.peers is None or name not in row.peers:
        return ""
    measured = row.peers[name]
    return "-" if measured is None else number(measured)


def number(value: float) -> str:
    """Three digits that count, and thousands apart: 0.487, 12.3, 21,540."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
