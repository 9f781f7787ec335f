"""Imports end to end: bank rows from CSV, a gigabyte of Apple Health, two gigabytes of ZIP; and parsers beside ours.

A gigabyte takes its importer minutes, so a run writes and reads it once.
"""

import importlib
import importlib.util
import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from appliance.importers import mt940, ofx
from appliance.ingest.importing import import_bytes
from appliance.tables import Layout
from tests.benchmarks.bench_money import ROWS, statement, transactions
from tests.benchmarks.peers import allow_packages
from tests.benchmarks.row import Row
from tests.benchmarks.store import scratch_store

GIGABYTE = 1_000_000_000
PHOTOS, PHOTO_BYTES = 20, 100_000_000
BESIDE = 2_000  # what ofxparse is given: 20,000 rows take it minutes
_LAYOUT = Layout(
    columns=("at", "supplier_id", "amount", "party", "memo"), order="year first", decimal="point", unit="EUR"
)
_TYPES = ("HeartRate", "StepCount", "ActiveEnergyBurned", "DistanceWalkingRunning")
_DEVICE = (
    "&lt;&lt;HKDevice: 0x3004f5d40&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, hardware:Watch6,2, "
    "software:10.3&gt;"
)


def rows() -> list[Row]:
    return [*_csv(), *_health(), *_archive(), *_beside()]


def _csv() -> list[Row]:
    lines = "".join(f"{t.day},{t.id},{t.amount},{t.payee},{t.memo}\n" for t in transactions(ROWS, "CSV", 3))
    data, said = f"Date,Id,Amount,Payee,Memo\n{lines}".encode(), {"layout": _LAYOUT.text()}
    with scratch_store() as store:
        first_s = _timed(lambda: import_bytes(store, data, "bank.csv", format="table", options=said))
        again_s = _timed(lambda: import_bytes(store, data, "bank.csv", format="table", options=said))
    return [
        Row("Bank rows from CSV into an empty store", ROWS / first_s, 20_000, "a second", at_most=False),
        Row("The same 20,000 rows of CSV again", again_s, 1, "s"),
    ]


def _health() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="inglenook-bench-") as folder:
        file = Path(folder) / "export.xml"
        with file.open("w", encoding="utf-8") as out:
            out.writelines(_export(GIGABYTE))
        seconds, memory = _imported(file, Path(folder) / "data")
        size = file.stat().st_size
    return [
        Row("Apple Health, a gigabyte: read, stored, indexed", size / seconds / 1e6, 5, "MB/s", at_most=False),
        Row("Apple Health, a gigabyte: memory at its peak", memory / 1e6, 150, "MB"),
    ]


def _archive() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="inglenook-bench-") as folder:
        file, data = Path(folder) / "takeout.zip", Path(folder) / "data"
        noise = os.urandom(1_000_000)
        with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
            for number in range(PHOTOS):
                with archive.open(f"photos/{number}.jpg", "w", force_zip64=True) as photo:
                    for _ in range(PHOTO_BYTES // len(noise)):
                        photo.write(noise)
            archive.writestr("bank.ofx", statement(ROWS, "ZIP", 4), zipfile.ZIP_DEFLATED)
        seconds, memory = _imported(file, data)
        grown = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    return [
        Row("A ZIP of 2 GB with a statement in it", seconds, 10, "s"),
        Row("... memory at its peak", memory / 1e6, 150, "MB"),
        Row("... what it adds to the disk", grown / 1e6, 50, "MB"),
    ]


def _imported(file: Path, data: Path) -> tuple[float, int]:
    """Imports a file by the command: seconds, and the most memory in bytes."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_imports", str(file), str(data)]
    done: tuple[float, int] = tuple(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
    return done


def _export(size: int) -> Iterator[str]:
    """An Apple Health export of about so many bytes, as a watch makes them in years."""
    chance, written = random.Random(1), 0
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<HealthData locale="en_GB">\n'
    for what in _TYPES:
        at = datetime(2018, 1, 1)
        while written < size * (_TYPES.index(what) + 1) // len(_TYPES):
            at += timedelta(seconds=chance.randrange(60, 900))
            said = f"{at:%Y-%m-%d %H:%M:%S} +0100"
            text = (
                f' <Record type="HKQuantityTypeIdentifier{what}" sourceName="Ann’s Apple Watch" sourceVersion="10.3" '
                f'device="{_DEVICE}" unit="count" creationDate="{said}" startDate="{said}" endDate="{said}" '
                f'value="{chance.randrange(1, 900)}"/>\n'
            )
            written += len(text)
            yield text
    yield "</HealthData>\n"


# ---- parsers alone, beside others' ----


def _beside() -> list[Row]:
    allow_packages()
    of_ofx = statement(BESIDE, "OFX", 5)
    of_mt940 = _mt940(ROWS)
    peers: dict[str, float | None] = {
        "ofxparse": _rate("ofxparse", BESIDE, lambda it: it.OfxParser.parse(io.BytesIO(of_ofx)))
    }
    others: dict[str, float | None] = {"mt-940": _rate("mt940", ROWS, lambda it: it.parse(of_mt940.decode()))}
    ours = BESIDE / _timed(lambda: list(ofx.extract(of_ofx, ofx.Options())))
    own = ROWS / _timed(lambda: list(mt940.extract(of_mt940, mt940.Options())))
    return [
        Row("OFX rows parsed alone", ours, None, "a second", at_most=False, peers={"Inglenook": ours, **peers}),
        Row("MT940 rows parsed alone", own, None, "a second", at_most=False, peers={"Inglenook": own, **others}),
    ]


def _rate(module: str, many: int, parse: Callable[[Any], Any]) -> float | None:
    if importlib.util.find_spec(module) is None:
        return None
    loaded = importlib.import_module(module)
    return many / _timed(lambda: parse(loaded))


def _mt940(many: int) -> bytes:
    body = "".join(
        f":61:{each.day:%y%m%d}{each.day:%m%d}{'C' if each.cents >= 0 else 'D'}{abs(each.cents) / 100:.2f}".replace(
            ".", ","
        )
        + f"NTRFNONREF//{each.id}\n:86:166?00TRANSFER?20SVWZ+{each.memo}?32{each.payee}\n"
        for each in transactions(many, "MT", 6)
    )
    return f":20:START\n:25:10020030/123\n:28C:1/1\n:60F:C240101EUR0,00\n{body}:62F:C260101EUR0,00\n-\n".encode()


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _main(file: str, data: str) -> None:
    from appliance.cli import main

    start = time.perf_counter()
    with tempfile.TemporaryFile("w") as said:
        out, sys.stdout = sys.stdout, said
        try:
            main(["--data", data, "import", file, "--json"], standalone_mode=False)
        except SystemExit:
            pass
        finally:
            sys.stdout = out
    print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2])
