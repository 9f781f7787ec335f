"""The power is cut ten times, at random moments, while meters are read and statements imported; nothing acknowledged is
missing afterwards.

The power is cut by killing QEMU (SIGKILL). With that go the machine's memory, the kernel's caches and every write that
was not yet given to the disk, so what a service acknowledged and had not synced would be missing here: this proves that
the right things are synced in the right order by all that takes part, services, SQLite, ext4 and the kernel, and that
it comes up again by itself. It does not prove what a disk makes of it: QEMU has no cache of its own here
(cache=none), so a write that it has taken stays, whether the kernel asked for a flush or not, and of a write under way
whole sectors come or do not. A card that lies about flushes, or breaks a block that nobody was writing, is not tried
here; tests/power_cut leaves out and reorders writes between flushes.

Acknowledged is: a statement for which the page said that it is stored; a reading that the page showed and that the
collector had `flush_seconds` to sync, with what a busy machine takes beyond that.

The moments are random, from the seed that is printed: POWER_CUT_SEED in the environment chooses it, and POWER_CUTS
how many there are.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from random import Random

import pytest
import requests

from tests.boxes import NAME
from tests.image.visitor import Visitor
from tests.image_boot import card
from tests.image_boot.inglenook import imported, is_sound, readings, telegrams
from tests.image_boot.qemu import Board, until
from tests.statements import Row, ofx

CUTS = int(os.environ.get("POWER_CUTS") or 10)
MOMENT_S = 5.0, 45.0  # after both have begun
FLUSH_S, BUSY_S = 2.0, 5.0
ROWS = 250
POWER = "house/electricity.power"


@pytest.fixture
def random() -> Random:
    seed = int(os.environ.get("POWER_CUT_SEED") or time.time_ns() & 0xFFFFFFFF)
    print(f"POWER_CUT_SEED={seed}")
    return Random(seed)


@dataclass
class Acknowledged:
    """What the box has said to be there, and what was sent to it."""

    random: Random
    seen: list[tuple[float, int, int]] = field(default_factory=list)  # when, the reading's time in ms, watts
    sent: dict[str, list[str]] = field(default_factory=dict)  # file -> memos
    stored: set[str] = field(default_factory=set)  # files
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def statement(self) -> tuple[str, bytes]:
        """A file that was never sent before."""
        number = next(self.numbers)
        rows = [
            Row(
                date(2020, 1, 1) + timedelta(self.random.randrange(900)),
                f"{self.random.randrange(-99_999, 99_999) / 100:.2f}",
                memo=f"{number}-{row} {self.random.randbytes(12).hex()}",
                fitid=f"{number}-{row}",
            )
            for row in range(ROWS)
        ]
        name = f"{number}.ofx"
        self.sent[name] = sorted(row.memo for row in rows)
        return name, ofx(rows)

    def readings(self, cut_s: float) -> dict[int, int]:
        """Those that had time to be synced before the power was cut."""
        return {at_ms: watts for seen_s, at_ms, watts in self.seen if seen_s < cut_s - FLUSH_S - BUSY_S}


def test_power_cuts_cost_nothing_that_was_acknowledged(board: Board, at_home: Visitor, random: Random) -> None:
    board.switch_off()
    board.switch_on()
    said = Acknowledged(random)
    since = datetime.now(UTC).isoformat(timespec="seconds")
    during = 0
    for number in range(1, CUTS + 1):
        with _using(board, at_home, said):
            time.sleep(random.uniform(*MOMENT_S))
            cut_s = time.monotonic()
            board.cut()
        booted_s = board.switch_on()
        kept = _check_imports(board, said)
        lost_s = _check_readings(board, said, cut_s, since)
        is_sound(board)
        during += kept is not None
        print(
            f"cut {number}: up again after {booted_s:.0f} s; all {len(said.stored)} acknowledged imports are there; "
            f"{_told(kept)}; {len(said.readings(cut_s))} acknowledged readings too; "
            f"the newest that was kept is {lost_s:.0f} s older than the cut"
        )
    board.switch_off()
    assert card.is_whole(card.data(board.card))
    print(f"{during} of {CUTS} cuts came while a statement was on its way")


@contextmanager
def _using(board: Board, visitor: Visitor, said: Acknowledged) -> Iterator[None]:
    """Two browsers that look at the power and import statements, until the box answers no more."""
    until(lambda: telegrams(board, "house") > 0, "the meters are read again")
    assert visitor.get("/now").ok
    again = [threading.Thread(target=each, args=(visitor, said)) for each in (_look, _import)]
    for thread in again:
        thread.start()
    yield
    for thread in again:
        thread.join()


def _look(visitor: Visitor, said: Acknowledged) -> None:
    """Looks at the power, as the page does, and keeps what it shows."""
    try:
        while True:
            now = visitor.get("/api/now").json()
            if now.get("source") == "house":
                said.seen.append((time.monotonic(), now["at_ms"], now["import_w"]))
            time.sleep(0.3)
    except requests.RequestException:
        return


def _import(visitor: Visitor, said: Acknowledged) -> None:
    """Sends one statement after another."""
    try:
        while True:
            name, content = said.statement()
            answer = visitor.post("/import", files={"file": (name, content)})
            assert "All of it is stored" in answer.text, answer.text
            said.stored.add(name)
    except requests.RequestException:
        return


def _check_imports(board: Board, said: Acknowledged) -> bool | None:
    """Each acknowledged statement is there once, and whole; one that was on its way is there whole, or not at all.

    Whether that one is there; None where none was on its way.
    """
    there = imported(board, NAME)
    for each in there:
        assert each.stored == ROWS, each.file
        assert each.memos == said.sent[each.file], each.file
    files = [each.file for each in there]
    assert len(files) == len(set(files)), files
    assert said.stored <= set(files), f"acknowledged and missing: {said.stored - set(files)}"
    open_ = set(said.sent) - said.stored
    said.stored |= set(files)
    said.sent = {name: memos for name, memos in said.sent.items() if name in said.stored}
    return bool(open_ & set(files)) if open_ else None


def _check_readings(board: Board, said: Acknowledged, cut_s: float, since: str) -> float:
    """Each acknowledged reading is there with its value; how many seconds before the cut the newest was seen."""
    expected = said.readings(cut_s)
    found: dict[int, int] = {}

    def is_all_there() -> bool:
        found.update(readings(board, POWER, since))
        return expected.items() <= found.items()

    until(is_all_there, "what was seen of the meter is in the store")  # the scheduler seals what the spool has
    return cut_s - max(seen_s for seen_s, at_ms, _ in said.seen if at_ms in found and seen_s < cut_s)


def _told(kept: bool | None) -> str:
    if kept is None:
        return "none was on its way"
    return f"the one on its way is {'there whole' if kept else 'not there'}"
