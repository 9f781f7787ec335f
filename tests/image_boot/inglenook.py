"""What the box's own command and its collector say, asked inside the machine."""

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.image.machine import DATA
from tests.image_boot.qemu import Board

HOUSE = """
[dashboard]
https = true

[collector]
flush_seconds = 2
seal_seconds = 20

[meters.house]
link = "simulated"
meter = "dsmr"
zone = "Europe/Amsterdam"
simulated = { zone = "Europe/Amsterdam" }
"""
"""The configuration of a box with one meter, which it reads once a second."""

_TELL = (
    "import json, sys; from pathlib import Path; from services import state;"
    "print(json.dumps(state.ask(Path(sys.argv[1])) or {'meters': []}))"
)


def telegrams(board: Board, meter: str) -> int:
    """How many the collector has read of a meter since it was started; 0 where it does not run."""
    said = json.loads(board.run("/opt/inglenook/bin/python", "-c", _TELL, f"{DATA}/run"))
    return sum(each["counters"]["telegrams"] for each in said["meters"] if each["source"] == meter)


def readings(board: Board, series: str, since: str = "") -> dict[int, int]:
    """What the store has of a power: time in milliseconds since 1970 UTC -> watts; {} where there is no such series."""
    more = ("--from", since) if since else ()
    found: dict[int, int] = {}
    for each in _lines(board, "readings", series, *more):
        at_ms = round(datetime.fromisoformat(each["at"]).timestamp() * 1000)
        assert at_ms not in found, f"there are two of {each['at']}"
        found[at_ms] = round(Decimal(each["value"]) * 1000)
    return found


@dataclass(frozen=True)
class Imported:
    """One import: its file, and the memos of the records that are there of it."""

    file: str
    stored: int
    memos: list[str]


def imported(board: Board, store: str) -> list[Imported]:
    """All imports of a store, the oldest first."""
    memos = defaultdict[int, list[str]](list)
    for each in _lines(board, "--store", store, "records"):
        memos[each["import"]].append(each["memo"])
    said = reversed(_lines(board, "--store", store, "imports", "--limit", "100000"))
    return [Imported(each["file"], each["stored"], sorted(memos[each["import"]])) for each in said]


def is_sound(board: Board) -> None:
    """Has every store checked, page by page and fact by fact; AssertionError with what is found."""
    board.run("inglenook", "check")


def _lines(board: Board, *command: str) -> list[dict[str, Any]]:
    text = board.run("inglenook", *command, "--json", check=False)
    return [json.loads(line) for line in text.splitlines()]
