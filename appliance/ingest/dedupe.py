"""Telling whether a row of a file is a fact that the store has already.

The key of a row is its content (account, date, amount, payee, memo) plus its occurrence among equal rows: two equal
rows in one file are two facts, and the same file again brings nothing. A supplier's own id is evidence beside it, since
banks reuse ids and also rewrite them: an equal row with another id is new where the other overlapping rows of its
account kept their ids, and a duplicate where they did not.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from appliance.records import Record
from appliance.store.records import local_day, scaled
from appliance.store.series import Columns

TIMED = frozenset(
    {"health.measurement", "media.play", "message", "phone.call", "phone.message", "place", "place.journey"}
)
"""The kinds whose facts their moment tells apart: the same value of another minute is another fact.

The offset that it is said in does not: a phone exports all its years in the offset of today.
"""

ACCOUNT_BYTES, DAY_BYTES, CONTENT_BYTES = 4, 4, 12
_DAY_ZERO = 1 << 31
FIRST_DAY, LAST_DAY = -_DAY_ZERO, _DAY_ZERO - 1

SAME_FILE = "the same file again"
SAME_ID = "same content, same id"
SAME_CONTENT = "same content, same occurrence"
IDS_REWRITTEN = "same content, another id: the supplier gave other rows of this account new ids too"
OTHER_UNIT = "same content, in another unit"
NO_OTHER = "same content, another id, and no other row of this account to compare: a file lists whole days"
IDS_KEPT = "same content, another id: the other rows of this account kept their ids, so this is another fact"
AGAIN = "same content, once more than before"


@dataclass(slots=True)
class Known:
    """A fact that is stored already: the ids under which it was seen, and the ways in which files
    with it were read (`store.imports.way_of_reading`).

    `undone`: it was taken away with its import, and stands again when another file brings it. `forgotten`: a person had
    it deleted for good; nothing of it is known but that it was there. `pending`: it stands as not booked yet.
    """

    fact: int
    supplier_ids: set[str] = field(default_factory=set)
    readings: set[str] = field(default_factory=set)
    unit: str = ""
    undone: bool = False
    forgotten: bool = False
    pending: bool = False


class Row(NamedTuple):
    """What is compared of a file's row; a row without a unit may be any's."""

    fingerprint: bytes
    supplier_id: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a row is: the stored record that it repeats, or None for a new one; and why, where there was a choice."""

    known: Known | None
    reason: str


def fingerprint(record: Record, source: str) -> bytes:
    """20 bytes that equal rows share: account (or the source, where a file names none), then day, then content.

    In this order, the rows of a statement lie beside each other in the index, however many other accounts and years
    there are: one range is read, and few pages are written.
    """
    at = record.at
    content = [record.kind, str(scaled(record.amount)), _plain(record.title), _plain(record.memo)]
    if record.kind in TIMED and isinstance(at, datetime):
        at = at.astimezone(UTC)
        content.append(at.isoformat())
    if record.detail:
        content.append(record.detail)
    day = local_day(at)
    return b"".join(
        (
            _account(f"{record.kind}\n{record.account_key or record.account or source}"),
            (day + _DAY_ZERO).to_bytes(DAY_BYTES, "big"),
            _digest("\n".join(content), CONTENT_BYTES),
        )
    )


@lru_cache(maxsize=1_000)
def _account(text: str) -> bytes:
    return _digest(text, ACCOUNT_BYTES)


def _digest(text: str, length: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=length).digest()


def _plain(text: str) -> str:
    """Banks change the blanks of a description from one export to the next; that makes no other payment."""
    return " ".join(text.split())


def between(account: bytes, first_day: int, last_day: int) -> tuple[bytes, bytes]:
    """The lowest and the highest fingerprint of an account's days; `account` is the beginning of one of them."""
    low, high = ((day + _DAY_ZERO).to_bytes(DAY_BYTES, "big") for day in (first_day, last_day))
    return account + low + b"\x00" * CONTENT_BYTES, account + high + b"\xff" * CONTENT_BYTES


def ranges(fingerprints: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    """For each account, the first and the last fingerprint of the days that these rows cover."""
    days: dict[bytes, tuple[bytes, bytes]] = {}
    for each in fingerprints:
        account, day = each[:ACCOUNT_BYTES], each[ACCOUNT_BYTES : ACCOUNT_BYTES + DAY_BYTES]
        low, high = days.get(account, (day, day))
        days[account] = (min(low, day), max(high, day))
    return [
        (account + low + b"\x00" * CONTENT_BYTES, account + high + b"\xff" * CONTENT_BYTES)
        for account, (low, high) in days.items()
    ]


def decide(rows: Sequence[Row], known: dict[bytes, list[Known]]) -> list[Decision]:
    """For each row of one file, in its order, whether it repeats a known record."""
    decisions: list[Decision | None] = [None] * len(rows)
    contested: dict[bytes, list[tuple[int, Known]]] = defaultdict(list)
    kept_ids: dict[bytes, int] = defaultdict(int)
    for equal, places in _equal_rows(rows, known):
        account = equal[:ACCOUNT_BYTES]
        kept_ids[account] += _match(places, rows, list(known[equal]), decisions, contested[account])
    for account, pairs in contested.items():
        ids_kept = kept_ids[account] >= len(pairs)
        same = IDS_REWRITTEN if kept_ids[account] or len(pairs) > 1 else NO_OTHER
        for place, record in pairs:
            decisions[place] = Decision(None, IDS_KEPT) if ids_kept else Decision(record, same)
    return [each or Decision(None, "") for each in decisions]


def _equal_rows(rows: Sequence[Row], known: dict[bytes, list[Known]]) -> Iterable[tuple[bytes, list[int]]]:
    places: dict[bytes, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.fingerprint in known:
            places[row.fingerprint].append(place)
    return places.items()


def _match(
    places: list[int],
    rows: Sequence[Row],
    free: list[Known],
    decisions: list[Decision | None],
    contested: list[tuple[int, Known]],
) -> int:
    """Pairs equal rows with equal records: by id, then by occurrence where an id is missing. How many kept their id."""
    kept, rest = 0, []
    for place in places:
        row = rows[place]
        alike = (each for each in free if row.supplier_id and row.supplier_id in each.supplier_ids)
        if record := next((each for each in alike if _is_of(row, each)), None):
            free.remove(record)
            decisions[place], kept = Decision(record, SAME_ID), kept + 1
        else:
            rest.append(place)
    for place in rest:
        row = rows[place]
        fitting = [each for each in free if _is_of(row, each)]
        if not fitting:
            decisions[place] = Decision(None, OTHER_UNIT if free else AGAIN)
            continue
        without_id = next((each for each in fitting if not row.supplier_id or not each.supplier_ids), None)
        record = without_id or fitting[0]
        free.remove(record)
        if without_id:
            decisions[place] = Decision(record, SAME_CONTENT)
        else:
            contested.append((place, record))
    return kept


def _is_of(row: Row, record: Known) -> bool:
    """Whether they are in one currency, as far as is known: a file may say it later than another did."""
    return not (row.unit and record.unit) or row.unit == record.unit


def new_readings(columns: Columns, stored: Columns) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which readings the store does not have: equal in time, interval and value, and in occurrence."""
    fresh = np.ones(len(columns), bool)
    if not len(stored):
        return fresh
    keys = np.stack([np.concatenate(pair) for pair in _pairs(columns, stored)])
    order = np.lexsort(keys[::-1])  # stable: of equal readings the file's come first, in its order
    ordered = keys[:, order]
    starts = np.concatenate([[True], (np.diff(ordered, axis=1) != 0).any(axis=0)])
    group = np.cumsum(starts) - 1
    from_file = order < len(columns)
    held = np.bincount(group[~from_file], minlength=group[-1] + 1)
    occurrence = np.arange(len(order)) - np.flatnonzero(starts)[group]
    fresh[order[from_file]] = occurrence[from_file] >= held[group[from_file]]
    return fresh


def _pairs(a: Columns, b: Columns) -> list[tuple[np.ndarray[tuple[int], np.dtype[np.int64]], ...]]:
    return [(a.at_ms, b.at_ms), (a.seconds, b.seconds), (a.values, b.values)]
