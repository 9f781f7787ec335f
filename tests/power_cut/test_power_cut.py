"""Power cuts at 200 random points: the store opens every time, nothing acknowledged is missing, nothing is twice.

A box is recorded at work; the disk as a cut may leave it is laid out from the record (disk.py says what may be missing
or torn); and there the box starts again. The cuts are random, from the seed that is printed: POWER_CUT_SEED in the
environment chooses it, and a failure leaves its folder.
"""

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from appliance.checking import problems
from appliance.config import load
from appliance.errors import UserError
from appliance.ingest import importing
from appliance.ingest.sealing import Sealed, seal
from appliance.records import MeterReading
from appliance.store import series as series_store
from appliance.store import timeline
from appliance.store.database import HOME, Store, open_store
from appliance.store.keys import KeyRing
from appliance.store.timeline import Query
from services import setup
from tests.conftest import _missing
from tests.power_cut import workload
from tests.power_cut.disk import Disk, Found, lay_out
from tests.power_cut.recording import INSTALL, Entry, What, has_compiler, record

CUTS = 200


class Recorded(NamedTuple):
    """A box at work: what it did to its folder, which is as it left it."""

    entries: list[Entry]
    folder: Path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    if not has_compiler():
        _missing(INSTALL)
    folder, scratch = tmp_path_factory.mktemp("box"), tmp_path_factory.mktemp("recorder")
    command = [sys.executable, "-m", "tests.power_cut.workload", str(folder)]
    return Recorded(record(command, folder, scratch), folder)


@dataclass
class Acknowledged:
    """What the box had said by the time of the cut that is done."""

    public: dict[str, str] = field(default_factory=dict)  # the public key of each store that was made
    kits: dict[str, list[str]] = field(default_factory=dict)
    imported: dict[str, list[str]] = field(default_factory=lambda: {HOME: [], workload.PERSON: []})
    flushed: int = 0  # telegrams
    changing: str = ""  # the store that is getting another key
    kept: int = 0  # steps of workload.KEEPING, and the migration before them

    def hear(self, entry: Entry) -> None:
        if entry.what is not What.MARK:
            return
        said = entry.mark
        if "made" in said:
            self.public[said["made"]] = said["public"]
            self.changing = ""
        if "kit" in said:
            self.kits[said["store"]] = said["kit"]
        if "imported" in said:
            self.imported[said["store"]].append(said["imported"])
        self.kept += "kept" in said
        self.flushed = said.get("flushed", self.flushed)
        self.changing = said.get("changing", self.changing)


def test_the_recorder_misses_nothing(recorded: Recorded) -> None:
    disk = Disk(recorded.folder.stat().st_ino)
    for entry in recorded.entries:
        disk.do(entry)
    paths = {"": recorded.folder} | {
        str(path.relative_to(recorded.folder)): path for path in recorded.folder.rglob("*")
    }
    there = {name: None if path.is_dir() else path.read_bytes() for name, path in paths.items()}
    assert disk.everything() == there, "the box writes in a way that recorder.c has no hook for"
    done = {(each.what, Path(each.path).suffix) for each in recorded.entries}
    assert {(what, suffix) for what in (What.WRITE, What.SYNC) for suffix in (".db", ".db-wal", ".spool")} <= done
    assert not {(each.what, each.path) for each in recorded.entries if each.path.endswith("-shm")}


def test_200_power_cuts(recorded: Recorded, tmp_path: Path) -> None:
    seed = int(os.environ.get("POWER_CUT_SEED") or time.time_ns() & 0xFFFFFFFF)
    print(f"POWER_CUT_SEED={seed}")
    after = points(recorded.entries, Random(seed))
    cut(recorded, after, lambda disk, number: disk.found(Random(f"{seed} {number}")), tmp_path)


def test_what_was_synced_is_enough(recorded: Recorded, tmp_path: Path) -> None:
    cut_where_acknowledged(recorded, tmp_path)


@pytest.mark.parametrize(
    "path", [r"store\.db-wal$", r"store\.db$", r"\.spool$", r"\.new$", r"\.archive", "/archives$", "/home$"]
)
def test_a_sync_that_does_nothing_is_found(recorded: Recorded, tmp_path: Path, path: str) -> None:
    """Every sync of the files or the folder whose path is such a one."""
    entries = [each for each in recorded.entries if each.what is not What.SYNC or not re.search(path, f"/{each.path}")]
    assert len(entries) < len(recorded.entries)
    with pytest.raises((AssertionError, UserError)) as found:
        cut_where_acknowledged(recorded._replace(entries=entries), tmp_path)
    assert "power was cut" in found.value.__notes__[0]


def points(entries: Sequence[Entry], random: Random) -> list[int]:
    """How many entries each cut comes after, rising: half of the cuts anywhere, and half in any step.

    A third of the latter come just when something was acknowledged.
    """
    steps = list(pairwise([0, *marks(entries)]))
    chosen = [random.randint(1, len(entries)) for _ in range(CUTS // 2)]
    for begin, end in random.choices(steps, k=CUTS - len(chosen)):
        chosen.append(random.choice((end, random.randint(begin + 1, end), random.randint(begin + 1, end))))
    return sorted(chosen)


def marks(entries: Sequence[Entry]) -> list[int]:
    """After how many entries something was acknowledged."""
    return [number for number, entry in enumerate(entries, 1) if entry.what is What.MARK]


def cut_where_acknowledged(recorded: Recorded, folder: Path) -> None:
    """Cuts the power at each acknowledgement, when the disk holds nothing but what was synced."""
    cut(recorded, marks(recorded.entries), lambda disk, _: disk.sure(), folder)


def cut(recorded: Recorded, after: Sequence[int], found: Callable[[Disk, int], Found], folder: Path) -> None:
    """Cuts the power after so many entries each, rising, and starts the box from what is found."""
    disk, said, done = Disk(recorded.folder.stat().st_ino), Acknowledged(), 0
    kept = [each.mark["kept"] for each in recorded.entries if each.what is What.MARK and "kept" in each.mark]
    for number, point in enumerate(after, 1):
        for entry in recorded.entries[done:point]:
            disk.do(entry)
            said.hear(entry)
        done = point
        box = folder / f"cut-{number}"
        lay_out(found(disk, number), box)
        try:
            start_again(box, said, kept)
        except BaseException as error:
            error.add_note(f"power was cut the {number}. time after {recorded.entries[point - 1]}, and {box} was left")
            raise
        shutil.rmtree(box)


def start_again(data: Path, said: Acknowledged, kept: Sequence[object]) -> None:
    """The next start of the box: everything opens, all that was acknowledged is there, and the rest can be done."""
    setup.make(data)
    config, ring = load(data), KeyRing(data)
    there = ring.store_names()
    assert set(there) >= said.public.keys(), "an acknowledged store is gone"
    for name in there:
        with open_store(config, name) as store:
            compare_keys(ring, name, said)
            assert list(problems(store, ring.folder(name))) == []
            if name == workload.KEEPER:
                compare_kept(store, ring.folder(name), said, kept)
                continue
            if name == HOME:
                seal(store, config.spool)
                assert seal(store, config.spool) == Sealed()
                compare_telegrams(store, said.flushed)
            for file in workload.OF_STORE[name]:
                import_again(store, file, acknowledged=file in said.imported[name])
            compare_files(store, workload.OF_STORE[name])


def compare_kept(store: Store, folder: Path, said: Acknowledged, kept: Sequence[object]) -> None:
    """There is what was there after the last step that was acknowledged, or after the one that was being done."""
    if store.name in said.public:
        assert workload.kept(store, folder) in kept[max(said.kept - 1, 0) : said.kept + 1], (
            "a step is gone, or half done"
        )


def compare_keys(ring: KeyRing, name: str, said: Acknowledged) -> None:
    """A store has the key that it had, and its kit opens it; or the next one, where that was on its way."""
    if ring.public(name).hex() != said.public.get(name):
        assert name == said.changing or name not in said.public, "a store's key is another one"
    elif name in said.kits:
        assert ring.prove_kit(name, said.kits[name]) == ring.open(name)


def compare_telegrams(home: Store, flushed: int) -> None:
    """Every reading that was flushed is in the store, and none is twice."""
    told = [reading for number in range(1, workload.TOLD + 1) for reading in workload.telegram(number).readings]
    sure = told[: 2 * flushed]
    for role in (workload.COUNTER, workload.GAS):
        found = readings(home, role)
        assert len(found) == len(set(found)), "a reading is there twice"
        assert set(found) >= {_scaled(each) for each in sure if each.role == role}, "an acknowledged reading is gone"
        assert set(found) <= {_scaled(each) for each in told if each.role == role}


def _scaled(reading: MeterReading) -> tuple[int, int]:
    return reading.at_ms, int(reading.value.scaleb(6))


def import_again(store: Store, file: str, *, acknowledged: bool) -> None:
    """Of a file, all is in the store or nothing; all, where that was acknowledged."""
    report = importing.import_bytes(store, workload.FILES[file], file)
    assert report.rejected == 0
    assert report.stored in (0, report.read), f"there is a part of {file}"
    assert not (acknowledged and report.stored), f"an acknowledged import is gone: {file}"


def compare_files(store: Store, files: Sequence[str]) -> None:
    """Every row and every reading of these files is in the store once, and no other."""
    statements = (workload.STATEMENTS[file] for file in files if file in workload.STATEMENTS)
    rows = sorted((row.day.isoformat(), row.amount, row.memo) for rows in statements for row in rows)
    with store.read() as connection:
        stored = [(each.at, str(each.amount), each.memo) for each in timeline.matching(connection, Query())]
    assert sorted(stored) == rows
    hours = [hour for file in files for hour in workload.HOURS.get(file, [])]
    assert sorted(readings(store, "electricity.import")) == hours


def readings(store: Store, role: str) -> list[tuple[int, int]]:
    """Time and value, in millionths of the unit, of each reading that was ever stored for a role, in no order."""
    with store.read() as connection:
        every = series_store.every(connection, role)
        assert {series.exponent for series in every} <= {-6}
        columns = [series_store.read_all(connection, series, 0, 1 << 62) for series in every]
    return [pair for each in columns for pair in zip(each.at_ms.tolist(), each.values.tolist(), strict=True)]
