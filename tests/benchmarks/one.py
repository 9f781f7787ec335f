"""One benchmark, in this process: `python -m tests.benchmarks.one NAME FILE` writes its rows to FILE as JSON."""

import dataclasses
import importlib
import json
import sys
from pathlib import Path

from tests.benchmarks.row import Row


def main(name: str, file: Path) -> None:
    rows: list[Row] = importlib.import_module(f"tests.benchmarks.bench_{name}").rows()
    file.write_text(json.dumps([dataclasses.asdict(row) for row in rows]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
