"""A register by quarter-hours: what it counted in each, with what was counted over several spread evenly over them."""

from dataclasses import dataclass

import numpy as np

from appliance.store.series import Array, Columns

QUARTER_MS = 900_000


@dataclass(frozen=True, slots=True)
class Spread:
    """Quarter-hours (numbered since 1970 UTC), each once and in order, with what was counted in each, scaled.

    `cuts` is 1 for a quarter at whose end no reading tells how much of a longer step was counted by then, else 0: a
    span that begins or ends there is an estimate, and one that begins and ends elsewhere is exact.
    """

    quarters: Array
    totals: Array
    cuts: Array


def by_quarters(columns: Columns, amounts: Array) -> Spread:
    """What was counted in each quarter. `amounts` are what was counted until each reading since the one before.

    The first reading's own quarter is there too, though nothing is known to be counted in it by then.
    """
    ends = (columns.at_ms - 1) // QUARTER_MS  # a reading on the boundary closes the quarter before it
    long = np.diff(ends) > 1
    plain = np.concatenate([[True], ~long])
    parts = [(ends[plain], amounts[plain], np.zeros(int(plain.sum()), np.int64))]
    for index in np.flatnonzero(long).tolist():
        begin_ms, end_ms = (int(each) for each in columns.at_ms[index : index + 2])
        parts.append(_shares(begin_ms, end_ms, int(amounts[index + 1])))
    return _gathered(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _shares(begin_ms: int, end_ms: int, amount: int) -> tuple[Array, Array, Array]:
    """The quarters that (begin, end] touches, and of each its even share; they add up to the amount."""
    quarters = np.arange(begin_ms // QUARTER_MS, (end_ms - 1) // QUARTER_MS + 1, dtype=np.int64)
    closed = (quarters + 1) * QUARTER_MS
    elapsed = np.minimum(closed, end_ms) - begin_ms
    reached = np.array([amount * each // (end_ms - begin_ms) for each in elapsed.tolist()], np.int64)
    return quarters, np.diff(reached, prepend=0), (closed < end_ms).astype(np.int64)


def _gathered(quarters: Array, totals: Array, cuts: Array) -> Spread:
    order = np.argsort(quarters, kind="stable")
    ordered = quarters[order]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(ordered) != 0]))
    return Spread(ordered[starts], np.add.reduceat(totals[order], starts), np.maximum.reduceat(cuts[order], starts))
