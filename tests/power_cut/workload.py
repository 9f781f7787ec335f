"""What a box does while it is recorded: `python -m tests.power_cut.workload DATA`, with recorder.c preloaded.

Every step that is done is acknowledged by a mark; nothing of it may be missing after any power cut from there on.
"""

import ctypes
import json
import sys
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from sqlalchemy import func, select

from appliance import archiving, deleting
from appliance.config import load
from appliance.ingest import frames, importing, stating, undoing
from appliance.ingest.frames import Origin
from appliance.ingest.sealing import seal
from appliance.ingest.spool import Spool
from appliance.records import Frame, MeterReading
from appliance.store import archives, migrations
from appliance.store.database import HOME, Store, change_key, open_store
from appliance.store.keys import KeyRing
from appliance.store.models import Archive, Deletion, ImportRow, RecordRow, Setting
from services import setup
from tests import green_button
from tests.statements import Row, ofx

PERSON, KEEPER = "anna", "bert"
COUNTER, GAS = "electricity.import.t1", "gas"
SEGMENT_BYTES = 4096  # so that a hundred telegrams fill it
ROUNDS, SYNCED, UNSYNCED = (4, 3, 3), 12, 5  # of collecting, and telegrams a round
TOLD = sum(ROUNDS) * (SYNCED + UNSYNCED)
ROWS = 25


def statement(number: int) -> list[Row]:
    """The rows of a bank statement, no two alike."""
    memo = Random(number).randbytes
    return [
        Row(date(2024, 1, 1) + timedelta(row), f"-{number}.{row:02}", memo=memo(40).hex(), fitid=f"{number}-{row}")
        for row in range(ROWS)
    ]


STATEMENTS = {f"{number}.ofx": statement(number) for number in range(1, 4)}
METERED = {"march.xml": 0, "april.xml": 72}  # each has 72 hours, from that one on; hour N says N Wh
FILES = {
    **{name: ofx(rows) for name, rows in STATEMENTS.items()},
    **{name: green_button.hours(range(first, first + 72), first) for name, first in METERED.items()},
}
HOURS = {
    name: [((green_button.FIRST_S + hour * 3600) * 1000, hour * 1000) for hour in range(first, first + 72)]
    for name, first in METERED.items()
}
OF_STORE = {HOME: ["1.ofx", "march.xml", "april.xml", "2.ofx"], PERSON: ["april.xml", "3.ofx"]}

OLD, WHOSE = "0001", "whose"
KIND, AFTER = "money.transaction", date(2024, 2, 1)
KEEPING: list[Callable[[Store, Path], object]] = [
    lambda store, folder: importing.import_bytes(store, FILES["1.ofx"], "1.ofx"),
    lambda store, folder: importing.import_bytes(store, FILES["2.ofx"], "2.ofx"),
    lambda store, folder: stating.correct(store, 1, {"title": "Corrected"}, KEEPER),
    lambda store, folder: undoing.undo(store, 2, KEEPER),
    lambda store, folder: archiving.make(store, folder, KIND, AFTER),
    lambda store, folder: deleting.fact(store, folder, 2, KEEPER),  # in the archive
    lambda store, folder: undoing.redo(store, 2, KEEPER),
    lambda store, folder: archiving.attach(store, folder, 2),
    lambda store, folder: deleting.fact(store, folder, 3, KEEPER),
]


def kept(store: Store, folder: Path) -> dict[str, Any]:
    """What there is in a store: its facts in all versions, those in archives too."""
    with store.read() as connection:
        found = select(
            RecordRow.fact, RecordRow.title, RecordRow.memo, RecordRow.until_us.is_(None), RecordRow.import_id
        )
        there = connection.execute(select(Archive.id).where(Archive.attached_us.is_(None))).scalars().all()
        return {
            "versions": [list(row) for row in connection.execute(found.order_by(RecordRow.id))],
            "archived": [
                line["memo"] for each in there for line in archives.read(folder, each, store.key) if "memo" in line
            ],
            "undone": list(connection.execute(select(ImportRow.id).where(ImportRow.undone_us.is_not(None))).scalars()),
            "deleted": connection.execute(select(func.count()).select_from(Deletion)).scalar_one(),
            "whose": connection.execute(select(Setting.value).where(Setting.name == WHOSE)).scalar_one(),
        }


def telegram(number: int) -> Frame:
    """Telegram N says N Wh, N seconds after 2026 began; a gas reading stands in ten of them."""
    second = 1_767_225_600 + number
    readings = (
        MeterReading(COUNTER, second * 1000, Decimal(number).scaleb(-3), "kWh", stated=True),
        MeterReading(GAS, second // 10 * 10_000, Decimal(second // 10 % 1_000_000).scaleb(-3), "m3", stated=True),
    )
    return Frame("E1", readings)


class Work:
    """The steps, each of which ends with its mark."""

    def __init__(self, data: Path) -> None:
        setup.make(data)
        self.config, self.ring = load(data), KeyRing(data)
        self.spool = Spool(self.config.spool, self.ring.public(HOME), SEGMENT_BYTES)
        self.told = 0
        mark(made=HOME, public=self.ring.public(HOME).hex())

    def add(self, name: str) -> None:
        open_store(self.config, name, make=True).close()
        mark(made=name, public=self.ring.public(name).hex())

    def take(self, name: str, files: Sequence[str]) -> None:
        with open_store(self.config, name) as store:
            for file in files:
                importing.import_bytes(store, FILES[file], file)
                mark(imported=file, store=name)
                _checkpoint(store)

    def collect(self, count: int) -> None:
        for _ in range(count):
            self.told += 1
            self.spool.append(frames.to_bytes(Origin("house", "serial", "dsmr", "boot 1"), telegram(self.told)))

    def flush(self) -> None:
        self.spool.flush()
        mark(flushed=self.told)

    def seal(self) -> None:
        with open_store(self.config) as home:
            seal(home, self.config.spool)
            mark(sealed=HOME)

    def make_kit(self, name: str) -> None:
        mark(kit=self.ring.make_kit(name), store=name)

    def change_key(self, name: str) -> None:
        """The spool goes on with the key before, as the collector does until it is started again."""
        mark(changing=name)
        kit = change_key(self.config, name)
        mark(made=name, public=self.ring.public(name).hex(), kit=kit, store=name)

    def keep(self) -> None:
        """A store of an earlier version, in which facts are kept, let go, brought back. Each step is one transaction,
        and what there is after it is acknowledged with it."""
        folder = self.ring.folder(KEEPER)
        with patch.object(migrations, "newest", lambda: OLD), open_store(self.config, KEEPER, make=True) as store:
            with store.write() as connection:
                connection.exec_driver_sql(f"INSERT INTO settings (name, value) VALUES ('{WHOSE}', '\"{KEEPER}\"')")
            mark(made=KEEPER, public=self.ring.public(KEEPER).hex())
        with open_store(self.config, KEEPER) as store:
            mark(kept=kept(store, folder))
            for step in KEEPING:
                step(store, folder)
                mark(kept=kept(store, folder))

    def do_all(self) -> None:
        self.take(HOME, OF_STORE[HOME][:2])
        self.make_kit(HOME)
        self.collect_and_seal(ROUNDS[0])
        self.add(PERSON)
        self.take(PERSON, OF_STORE[PERSON][:1])
        self.make_kit(PERSON)
        self.take(HOME, OF_STORE[HOME][2:])
        self.collect_and_seal(ROUNDS[1])
        self.change_key(HOME)
        self.collect_and_seal(ROUNDS[2])
        self.change_key(PERSON)
        self.take(PERSON, OF_STORE[PERSON][1:])
        self.keep()
        self.spool.close()
        mark(flushed=self.told)
        self.seal()

    def collect_and_seal(self, rounds: int) -> None:
        for number in range(rounds):
            self.collect(SYNCED)
            self.flush()
            self.collect(UNSYNCED)
            if number % 2:
                self.seal()


def _checkpoint(store: Store) -> None:
    """What a larger store does every thousand pages: the WAL is taken into the database, and begun anew."""
    with store.engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # type: ignore[union-attr]


def mark(**said: object) -> None:
    """Writes down, among the writes, what is acknowledged now."""
    ctypes.CDLL(None).power_cut_mark(json.dumps(said).encode())


if __name__ == "__main__":
    Work(Path(sys.argv[1])).do_all()
