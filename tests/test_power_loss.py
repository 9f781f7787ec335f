"""kill -9 at random moments, of real processes: the store opens, nothing acknowledged is missing, nothing is twice.

What a process had written when it was killed stays in the kernel's cache, so this proves the order of what is written,
and what a restart makes of it; that it is on the disk by then is what fsync and synchronous=FULL are for.

The moments are random, from the seed that is printed: POWER_LOSS_SEED in the environment chooses it.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from appliance.checking import problems
from appliance.config import load
from appliance.ingest import importing, spool
from appliance.ingest.sealing import seal
from appliance.store import series as series_store
from appliance.store import timeline
from appliance.store.database import HOME, Store, open_store, store_file
from appliance.store.models import ImportRow, Original, RecordRow
from appliance.store.timeline import Query
from tests.p1_cable import FIRST_MS, PATIENCE_S, Cable, Spooled
from tests.statements import Row, ofx

ROUNDS = 25  # of the collector and of an import each
KILLS = 200  # of the collector alone
UNREAD = (
    100  # telegrams that the terminal's own buffer holds while this cable talks hundreds of times as fast as a real one
)
LANDED = 20  # of the imports, at least so many between the first write and the acknowledgement
SEALING_EVERY = 3
MICRO = -6
ROWS = 1200
STORE_ROUNDS = 6

INGLENOOK = [str(Path(sys.executable).with_name("inglenook"))]
SEALING = """
import sys
from pathlib import Path
from appliance.config import load
from appliance.ingest.sealing import seal
from appliance.store.database import open_store
config = load(Path(sys.argv[1]))
with open_store(config) as home:
    print(seal(home, config.spool).read, flush=True)
"""


@pytest.fixture
def random() -> Random:
    seed = int(os.environ.get("POWER_LOSS_SEED") or time.time_ns() & 0xFFFFFFFF)
    print(f"POWER_LOSS_SEED={seed}")
    return Random(seed)


@dataclass(frozen=True)
class Statement:
    """A bank statement of distinct rows: file and (date, amount, memo) of each."""

    path: Path
    rows: list[tuple[str, str, str]]

    @classmethod
    def written(cls, folder: Path, number: int, random: Random) -> "Statement":
        rows = [
            Row(
                date(2020, 1, 1) + timedelta(random.randrange(900)),
                f"{random.randrange(-99_999, 99_999) / 100:.2f}",
                memo=f"{number}-{row} {random.randbytes(12).hex()}",
                fitid=f"{number}-{row}",
            )
            for row in range(ROWS)
        ]
        path = folder / f"{number}.ofx"
        path.write_bytes(ofx(rows))
        return cls(path, sorted((row.day.isoformat(), row.amount, row.memo) for row in rows))

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Cut:
    """How a killed process ended: what it had said by then, and how large the store's WAL was."""

    killed: bool
    wal_bytes: int
    said: str

    @property
    def landed(self) -> bool:
        """Between the first write and the acknowledgement."""
        return self.killed and self.wal_bytes > 0 and not self.said


class Box:
    """A data folder, and the processes that are killed over it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.config = load(data)
        self.wal = store_file(self.config, HOME).with_name("store.db-wal")

    def importing(self, statement: Statement) -> list[str]:
        return [*INGLENOOK, "--data", str(self.data), "import", str(statement.path), "--json"]

    def sealing(self) -> list[str]:
        return [sys.executable, "-c", SEALING, str(self.data)]

    def opened(self) -> Store:
        """The store, in which no damage is found."""
        store = open_store(self.config, make=True)
        assert list(problems(store)) == []
        return store

    def cut(self, command: Sequence[str], wal_bytes: int) -> Cut:
        """Runs a command, and kills it as soon as the WAL is that large."""
        assert not self.wal.exists(), "the store is open elsewhere"
        return cut(command, lambda: _size(self.wal) >= wal_bytes, lambda: _size(self.wal), begun=self.wal.exists)

    def most_written(self, command: Sequence[str]) -> int:
        """Runs a command to its end; how large it made the WAL."""
        sizes = {0}
        whole = cut(command, lambda: sizes.add(_size(self.wal)), lambda: 0, begun=self.wal.exists)
        assert not whole.killed
        assert whole.said
        return max(sizes)


def cut(
    command: Sequence[str],
    now: Callable[[], object],
    measured: Callable[[], int] = lambda: 0,
    begun: Callable[[], object] = lambda: True,
) -> Cut:
    """Runs a command, and kills it at the first moment that `now` is true, watched without a pause once it `begun`."""
    end_s = time.monotonic() + PATIENCE_S
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            while process.poll() is None and not begun():
                time.sleep(0.002)
            while process.poll() is None and not now():
                assert time.monotonic() < end_s, f"{command} did not end"
        finally:
            process.kill()
        size = measured()
        said, complained = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), complained
    return Cut(process.returncode != 0, size, said if said.endswith("\n") else "")


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - this is asked 100,000 times a second
    except FileNotFoundError:
        return 0


def thresholds(random: Random, most: int, count: int) -> Iterator[int]:
    """Sizes of the WAL to kill at: uniformly within what is written, each part of it in its turn, in any order."""
    while True:
        for part in random.sample(range(count), count):
            yield 1 + int(most * (part + random.random()) / count)


def test_fifty_rounds_of_kill_9(tmp_path: Path, random: Random) -> None:
    box = Box(tmp_path / "box")
    box.opened().close()
    cable = Cable(tmp_path)
    (box.data / "inglenook.toml").write_text(cable.configuration(), encoding="utf-8")
    meter, bank = MeterRounds(box, cable, random), BankRounds(box, tmp_path, random)
    done = 0
    while done < ROUNDS or bank.landed < LANDED:
        done += 1
        assert done < 4 * ROUNDS, f"of {done} rounds only {bank.landed} landed: the machine is too busy to aim"
        meter.round(sealing_too=done % SEALING_EVERY == 0)
        bank.round(done)
    cable.rig.hang_up()
    meter.spooled.close()
    bank.compare_all()
    subprocess.run([*INGLENOOK, "--data", str(box.data), "check"], check=True, capture_output=True)
    print(f"rounds: {done} of each; imports: {bank}; sealing: {meter}")


def test_two_hundred_kills_of_the_collector(tmp_path: Path, random: Random) -> None:
    """Each costs what the cable's buffer held by then, and nothing that was read before; nothing is there twice."""
    box = Box(tmp_path / "box")
    box.opened().close()
    cable = Cable(tmp_path)
    (box.data / "inglenook.toml").write_text(cable.configuration(), encoding="utf-8")
    meter = MeterRounds(box, cable, random)
    for number in range(KILLS):
        heard = len(meter.spooled.numbers())
        said = meter.kill_collector(most=40)
        numbers = meter.spooled.numbers()[heard:]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), (
            f"round {number}: one in between is missing"
        )
        assert said - numbers[-1] <= UNREAD, f"round {number}: {said - numbers[-1]} were said and are not in the spool"
        if number % 25 == 24:
            with box.opened() as store:
                seal(store, box.config.spool)
                meter.compare(store, whole=True)
    cable.rig.hang_up()
    meter.spooled.close()


class MeterRounds:
    """Rounds of the collector, with the spool sealed in between, by processes that are killed as well."""

    def __init__(self, box: Box, cable: Cable, random: Random) -> None:
        self.box, self.cable, self.random = box, cable, random
        with box.opened() as store:
            self.spooled = Spooled(box.config.spool, store.key.private)
        self.sealing_kills: list[Cut] = []
        self.sealing_at: Iterator[int] | None = None

    def round(self, *, sealing_too: bool) -> None:
        """A collector is killed, and the spool is sealed into the store."""
        self.kill_collector()
        if sealing_too:
            self.kill_sealing()
        with self.box.opened() as store:
            seal(store, self.box.config.spool)
            self.compare(store, whole=True)
            assert spool.segments(self.box.config.spool) == []
        assert not seal_read_again(self.box)

    def kill_collector(self, most: int = 120) -> int:
        """Kills it when so many frames more can be read; those are acknowledged, whatever comes after them.

        Which telegram was said last by then.
        """
        said = 0

        def enough_came() -> bool:
            nonlocal said
            said = self.cable.said
            return self.spooled.update() >= enough

        enough = self.spooled.update() + self.random.randrange(1, most)
        with self.cable.talking():
            command = [sys.executable, "-m", "services.collector", "--data", str(self.box.data)]
            ended = cut(command, enough_came)
        assert ended.killed
        before = self.spooled.numbers()
        self.spooled.update()  # and what came between the last look and the kill
        numbers = self.spooled.numbers()
        assert numbers[: len(before)] == before
        assert numbers == sorted(set(numbers)), "a telegram is in the spool twice, or in another's place"
        assert numbers[-1] <= self.cable.said
        return said

    def kill_sealing(self) -> None:
        """Kills a sealing process; what it did not come to is sealed next."""
        if self.sealing_at is None:
            self.sealing_at = thresholds(self.random, self.box.most_written(self.box.sealing()), 6)
            return
        self.sealing_kills.append(self.box.cut(self.box.sealing(), next(self.sealing_at)))
        with self.box.opened() as store:
            self.compare(store, whole=bool(self.sealing_kills[-1].said))

    def compare(self, store: Store, *, whole: bool) -> None:
        """Each reading in the store was acknowledged, and is there once; `whole`: each that was is there."""
        said = self.spooled.readings()
        with store.read() as connection:
            for series in series_store.every(connection):
                assert series.exponent == MICRO
                columns = series_store.read_all(connection, series, 0, 1 << 62)
                found = dict(zip(columns.at_ms.tolist(), columns.values.tolist(), strict=True))
                assert len(found) == len(columns), f"a reading of {series.role} is there twice"
                expected = said.pop(series.role)
                assert found == expected if whole else found.items() <= expected.items(), series.role
        assert not (whole and said)

    def __str__(self) -> str:
        landed = sum(each.landed for each in self.sealing_kills)
        return f"{len(self.sealing_kills)} killed, {landed} of them between first write and end"


def seal_read_again(box: Box) -> int:
    """How many readings a sealing finds that were sealed already."""
    with open_store(box.config) as store:
        return seal(store, box.config.spool).read


class BankRounds:
    """Rounds of `inglenook import`."""

    def __init__(self, box: Box, folder: Path, random: Random) -> None:
        self.box, self.folder, self.random = box, folder, random
        self.statements = [Statement.written(folder, 0, random)]
        most = box.most_written(box.importing(self.statements[0]))
        self.at = thresholds(random, most, ROUNDS)
        self.kills: list[Cut] = []

    @property
    def landed(self) -> int:
        return sum(each.landed for each in self.kills)

    def round(self, number: int) -> None:
        """An import is killed; all of its file is in the store, or nothing. The file again: all of it, once."""
        statement = Statement.written(self.folder, number, self.random)
        ended = self.box.cut(self.box.importing(statement), next(self.at))
        self.kills.append(ended)
        with self.box.opened() as store:
            there = self.compare(store, statement)
            if ended.said:
                assert json.loads(ended.said)["stored"] == ROWS
                assert there, "an acknowledged import is gone"
            self.statements.append(statement)
            again = importing.import_file(store, statement.path)
            assert (again.read, again.stored) == (ROWS, 0 if there else ROWS)
            assert self.compare(store, statement)

    def compare(self, store: Store, newest: Statement) -> bool:
        """Every statement before is there, once and whole. Whether the newest is, which may be wholly absent."""
        with store.read() as connection:
            counted = (
                select(ImportRow.sha256, func.count(), func.count(RecordRow.fingerprint.distinct()))
                .join(RecordRow, RecordRow.import_id == ImportRow.id)
                .group_by(ImportRow.sha256)
            )
            counts = {sha256: (rows, distinct) for sha256, rows, distinct in connection.execute(counted)}
            originals = set(connection.execute(select(Original.sha256)).scalars())
            imports = set(connection.execute(select(ImportRow.sha256)).scalars())
        assert counts.keys() == originals == imports, "there is a part of an import"
        expected = {each.sha256: (ROWS, ROWS) for each in self.statements}
        assert {**expected, newest.sha256: (ROWS, ROWS)} == {newest.sha256: (ROWS, ROWS), **counts}
        return newest.sha256 in counts

    def compare_all(self) -> None:
        """Every row of every statement is there once, with its values."""
        with self.box.opened() as store, store.read() as connection:
            stored = sorted((each.at, str(each.amount), each.memo) for each in timeline.matching(connection, Query()))
        assert stored == sorted(row for statement in self.statements for row in statement.rows)

    def __str__(self) -> str:
        after = sum(bool(each.said) for each in self.kills)
        return f"{self.landed} killed between first write and acknowledgement, {after} after it"


def test_kill_9_while_the_store_is_made(tmp_path: Path, random: Random) -> None:
    statement = Statement.written(tmp_path, 0, random)
    first = Box(tmp_path / "whole")
    at = thresholds(random, first.most_written(first.importing(statement)), STORE_ROUNDS)
    names = ["keys", "keys/box.key", "stores/home", "stores/home/keys.json", "stores/home/store.db"]
    moments: list[Any] = [*names, *(next(at) for _ in range(STORE_ROUNDS))]
    for number, moment in enumerate(moments):
        box = Box(tmp_path / f"box-{number}")
        if isinstance(moment, str):
            path = box.data / moment
            ended = cut(box.importing(statement), path.exists)
        else:
            ended = box.cut(box.importing(statement), moment)
        with box.opened() as store:
            report = importing.import_file(store, statement.path)
            assert (report.read, report.stored + report.duplicate) == (ROWS, ROWS)
            assert not (ended.said and report.stored), f"an acknowledged import is gone: {moment}"
            with store.read() as connection:
                assert timeline.facets(connection).count == ROWS


def test_kill_9_where_a_segment_is_full(tmp_path: Path, random: Random) -> None:
    """The collector goes from one segment to the next, and is killed there."""
    box = Box(tmp_path / "box")
    with box.opened() as store:
        spooled = Spooled(box.config.spool, store.key.private)
        cable = Cable(tmp_path)
        (box.data / "inglenook.toml").write_text(cable.configuration(), encoding="utf-8")
        enough = random.randrange(1, 4)

        def rotated() -> bool:
            spooled.update()
            newest = spool.segments(box.config.spool)[1:]
            return bool(newest) and (newest[0].stat().st_blocks > 0 or enough == 1)

        with cable.talking():
            ended = cut([sys.executable, "-m", "services.collector", "--data", str(box.data)], rotated)
        assert ended.killed
        spooled.update()
        numbers = spooled.numbers()
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "a telegram is missing in the spool"
        seal(store, box.config.spool)
        with store.read() as connection:
            counter = series_store.every(connection, "electricity.import.t1")[0]
            columns = series_store.read_all(connection, counter, 0, 1 << 62)
        assert sorted(columns.at_ms) == [FIRST_MS + number * 1000 for number in numbers]
        assert spool.segments(box.config.spool) == []
        spooled.close()
    cable.rig.hang_up()
