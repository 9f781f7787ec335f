"""A register by quarter-hours: what it counted in each, with what was counted over several spread evenly over them."""

from dataclasses import dataclass

import numpy as np

from appliance.store.series import Array, Columns

QUARTER_MS = 900_000
SPREAD_MS = 400 * 86_400_000
"""What was counted over longer than a year tells nothing of its months, and stands where it was read."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Quarter-hours (numbered since 1970 UTC), each once and in order, with what was counted in each, scaled.

    `cuts` is 1 for a quarter at whose end no reading tells how much of a longer step was counted by then, else 0: a
    span that begins or ends there is an estimate, and one that begins and ends elsewhere is exact.
    """

    quarters: Array
    totals: Array
    cuts: Array


def by_quarters(columns: Columns, amounts: Array, begin: int, end: int) -> Spread:
    """What was counted in each quarter from `begin` until `end`. `amounts`: what was counted until each reading since
    the one before.

    The first reading's own quarter is there too, though nothing is known to be counted in it by then.
    """
    ends = (columns.at_ms - 1) // QUARTER_MS  # a reading on the boundary closes the quarter before it
    long = (np.diff(ends) > 1) & (np.diff(columns.at_ms) <= SPREAD_MS)
    plain = np.concatenate([[True], ~long]) & (ends >= begin) & (ends < end)
    parts = [(ends[plain], amounts[plain], np.zeros(int(plain.sum()), np.int64))]
    for index in np.flatnonzero(long).tolist():
        begin_ms, end_ms = (int(each) for each in columns.at_ms[index : index + 2])
        parts.append(_shares(begin_ms, end_ms, int(amounts[index + 1]), begin, end))
    return _gathered(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _shares(begin_ms: int, end_ms: int, amount: int, first: int, last: int) -> tuple[Array, Array, Array]:
    """The quarters from `first` until `last` that (begin, end] touches, and of each its even share; all of them, those
    outside too, add up to the amount.
    """
    begun, ended = begin_ms // QUARTER_MS, (end_ms - 1) // QUARTER_MS + 1
    quarters = np.arange(max(begun, first), max(begun, first, min(ended, last)), dtype=np.int64)
    closed = (quarters + 1) * QUARTER_MS
    edges = [max(begin_ms, max(begun, first) * QUARTER_MS), *np.minimum(closed, end_ms).tolist()]
    reached = np.array([amount * (edge - begin_ms) // (end_ms - begin_ms) for edge in edges], np.int64)
    return quarters, np.diff(reached), (closed < end_ms).astype(np.int64)


def _gathered(quarters: Array, totals: Array, cuts: Array) -> Spread:
    order = np.argsort(quarters, kind="stable")
    ordered = quarters[order]
    if not len(ordered):
        return Spread(ordered, ordered, ordered)
    starts = np.flatnonzero(np.concatenate([[True], np.diff(ordered) != 0]))
    return Spread(ordered[starts], np.add.reduceat(totals[order], starts), np.maximum.reduceat(cuts[order], starts))
