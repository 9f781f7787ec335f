"""hledger: a CSV file into a journal by `hledger import`, which knows what is new by the newest date it saw."""

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.bench_money import Transaction, write_csv
from tests.benchmarks.peers import program
from tests.benchmarks.peers.jobs import TwoImports, two_imports

RULES = "fields date, code, amount, description, comment\ncurrency EUR\naccount1 assets:first\n"
NEW = re.compile(r"^imported (\d+) new", re.MULTILINE)
PATIENCE_S = 120


def installed() -> bool:
    return program("hledger") is not None


def bank(folder: Path, transactions: Sequence[Transaction]) -> TwoImports:
    """The command, run twice."""
    write_csv(folder / "bank.csv", transactions)
    (folder / "bank.csv.rules").write_text(RULES)
    (folder / "bank.journal").touch()
    command = (program("hledger") or "hledger", "import", "--file", "bank.journal", "bank.csv")
    speaking = {**os.environ, "LC_ALL": "C.UTF-8"}

    def take() -> int:
        done = subprocess.run(
            command, cwd=folder, env=speaking, check=True, capture_output=True, text=True, timeout=PATIENCE_S
        )
        new = NEW.search(done.stdout + done.stderr)
        return int(new[1]) if new else 0

    return two_imports(take, len(transactions))
