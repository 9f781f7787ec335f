"""A store whose disk is full costs no reading: sealing says so, and takes every one, once, when there is room."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from appliance.checking import problems
from appliance.config import Config
from appliance.errors import UserError
from appliance.ingest import frames, spool
from appliance.ingest.frames import Origin
from appliance.ingest.sealing import seal
from appliance.ingest.spool import Spool
from appliance.records import Frame, MeterReading
from appliance.store import series as series_store
from appliance.store.database import Store, open_store
from tests import disks, postgresql

STORE_DISK, SHARED_DISK, SERVER_DISK = 16 << 20, 16 << 20, 192 << 20
ROLE = "electricity.power"
ORIGIN = Origin("house", "serial", "dsmr", "boot 1")
FULL = r"(?s)the disk is full: nothing of this was stored.*waits here and is not lost"


@dataclass
class Meter:
    """Says readings to a spool, and knows what it said."""

    writer: Spool
    said: int = 0
    total: Decimal = Decimal(0)
    random: Random = field(default_factory=lambda: Random(4))

    def says(self, readings: int) -> None:
        for _ in range(readings):
            value = Decimal(self.random.randrange(5000)).scaleb(-3)
            reading = MeterReading(ROLE, self.said * 1000, value, "kW", stated=True)
            self.writer.append(frames.to_bytes(ORIGIN, Frame("E1", (reading,))))
            self.said, self.total = self.said + 1, self.total + value


def _meter(config: Config, store: Store) -> Meter:
    return Meter(Spool(config.spool, store.key.private.public_key().public_bytes_raw(), 1 << 16))


def _sealed(store: Store, config: Config) -> str:
    """What sealing says where the disk takes no more, "" where it took everything."""
    try:
        seal(store, config.spool)
    except UserError as error:
        return str(error)
    return ""


def _stored(store: Store) -> tuple[int, Decimal]:
    """How many readings the store has, and their sum."""
    with store.read() as connection:
        [series] = series_store.every(connection, ROLE)
        columns = series_store.read_all(connection, series, 0, 1 << 60)
    assert len(set(columns.at_ms.tolist())) == len(columns), "a reading is there twice"
    return len(columns), Decimal(int(columns.values.sum())).scaleb(series.exponent)


@pytest.fixture(params=[disks.MEMORY, disks.EXT4])
def store_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A small disk on which a box's stores lie, and nothing else of it."""
    with disks.mounted(tmp_path / "box" / "stores", STORE_DISK, request.param) as folder:
        yield folder


def test_a_full_store_disk_costs_no_reading(tmp_path: Path, store_disk: Path) -> None:
    config = Config(tmp_path / "box")
    with open_store(config, make=True) as store:
        meter = _meter(config, store)
        meter.says(5000)
        seal(store, config.spool)
        for free in (0, 4 << 10, 32 << 10, 128 << 10, 512 << 10):  # full before, or in the middle of, the sealing
            meter.says(10_000)
            disks.leave_free(store_disk, free)
            with pytest.raises(UserError, match=FULL):
                seal(store, config.spool)
            assert 5000 <= _stored(store)[0] < meter.said
        disks.make_room(store_disk)
        meter.writer.close()
        seal(store, config.spool)
        assert _stored(store) == (meter.said, meter.total)
        assert spool.segments(config.spool) == []
        assert list(problems(store)) == []


def test_the_sealing_job_says_that_the_disk_is_full_and_the_next_one_takes_everything(
    tmp_path: Path, store_disk: Path
) -> None:
    config = Config(tmp_path / "box")
    job = [sys.executable, "-m", "services.job", "seal", "--data", str(config.data)]
    with open_store(config, make=True) as store:
        meter = _meter(config, store)
    meter.says(10_000)
    for free in (0, 32 << 10):
        disks.leave_free(store_disk, free)
        done = subprocess.run(job, capture_output=True, text=True)
        assert (done.returncode, "the disk is full" in done.stderr) == (2, True), done.stderr
        assert "Traceback" not in done.stderr
    disks.make_room(store_disk)
    meter.says(10)
    meter.writer.close()
    done = subprocess.run(job, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    with open_store(config) as store:
        assert _stored(store) == (meter.said, meter.total)


@pytest.mark.parametrize("kind", [disks.MEMORY, disks.EXT4])
def test_a_disk_that_store_and_spool_share_may_fill_and_costs_no_reading(tmp_path: Path, kind: str) -> None:
    config = Config(tmp_path / "box")
    with disks.mounted(config.data, SHARED_DISK, kind), open_store(config, make=True) as store:
        meter = _meter(config, store)
        meter.says(10_000)
        seal(store, config.spool)
        said = []
        for free in (0, 96 << 10, 512 << 10):
            disks.leave_free(config.data, free)
            meter.says(20_000)  # what the disk takes no more waits in the collector's memory
            with pytest.raises(OSError, match="No space left"):
                meter.writer.flush()
            said.append(_sealed(store, config))  # the room of a segment that is sealed may do for the next
            disks.make_room(config.data)
            meter.writer.flush()
        assert re.search(FULL, said[0]), "there was no room at all"
        meter.writer.close()
        seal(store, config.spool)
        assert meter.writer.dropped == 0
        assert _stored(store) == (meter.said, meter.total)
        assert spool.segments(config.spool) == []
        assert list(problems(store)) == []


def test_a_full_disk_of_the_postgresql_costs_no_reading(tmp_path: Path, postgresql_programs: Path) -> None:
    short = Path(tempfile.mkdtemp(dir="/tmp"))  # a socket's path has at most 107 bytes
    with disks.mounted(short, SERVER_DISK):
        short.chmod(0o755)
        with postgresql.cluster(postgresql_programs, within=short) as url:
            config = Config(tmp_path / "box", database_url=url)
            with open_store(config, make=True) as store:
                meter = _meter(config, store)
                meter.says(5000)
                seal(store, config.spool)
                said = []
                for free in (0, 64 << 10, 256 << 10):
                    meter.says(20_000)
                    disks.leave_free(short, free)
                    said.append(_sealed(store, config))
                assert any("the disk is full" in each for each in said), said
                disks.make_room(short)
                meter.writer.close()
                seal(store, config.spool)
                assert _stored(store) == (meter.said, meter.total)
