"""The quarter-hours of a span, filled with what one series after the other counted in them."""

import re

import numpy as np
from numpy.typing import NDArray

from appliance.derive.rollups import QUARTER_MS, Quarters
from appliance.store.series import Array, Columns, SeriesId

QUARTER_S = QUARTER_MS // 1000
LONGEST_S = 3600
"""A share of an interval that is longer than this is an estimate: prices change within it."""

_ESTIMATED = re.compile(r"estim|geschat|geschätzt|projected|substituted", re.I)

Mask = NDArray[np.bool_]


class Grid:
    """Quarters [first, end), numbered since 1970 UTC: `totals` in 10**exponent, and of each how much of it is covered
    by readings and whether they are estimates.
    """

    def __init__(self, first: int, end: int, exponent: int) -> None:
        count = max(0, end - first)
        self.first, self.end, self.exponent = first, first + count, exponent
        self.totals: Array = np.zeros(count, np.int64)
        self._covered_s: Array = np.zeros(count, np.int64)
        self._doubtful: Mask = np.zeros(count, np.bool_)

    @property
    def missing(self) -> Mask:
        """Quarters of which nothing or only a part was measured."""
        return self._covered_s < QUARTER_S

    @property
    def estimated(self) -> Mask:
        return self._doubtful & (self._covered_s > 0)

    def add_quarters(self, quarters: Quarters, part: SeriesId) -> None:
        """What a register counted or was used in quarters, or the sums of a gauge's values, which are means over their
        intervals. `quarters` begin one before the span.
        """
        scale = 10 ** (part.exponent - self.exponent)
        inside = quarters.where(quarters.quarters >= self.first)
        places = inside.quarters - self.first
        if not len(inside.counts):
            self.totals[places] += inside.totals * scale
            self._covered_s[places] = QUARTER_S
            self._doubtful[places] |= _within_a_step(quarters)[quarters.quarters >= self.first]
        elif part.seconds:
            self.totals[places] += inside.totals * scale
            self._covered_s[places] = np.minimum(QUARTER_S, inside.counts * part.seconds)
        else:
            self.totals[places] += (inside.totals * QUARTER_S + inside.counts // 2) // inside.counts * scale
            self._covered_s[places] = QUARTER_S
            self._doubtful[places] = True

    def add_intervals(self, columns: Columns, said: list[str], part: SeriesId) -> None:
        """What was used by intervals, each of them spread over its quarters evenly, to the last unit. `said`: the
        source's word for the quality of each.
        """
        words = {word: bool(_ESTIMATED.search(word)) for word in set(said)}
        doubtful = np.array([words[word] for word in said], np.bool_) | (columns.seconds > LONGEST_S)
        begins, lengths = columns.at_ms // 1000, np.maximum(columns.seconds, 1)
        from_quarter, to_quarter = begins // QUARTER_S, -(-(begins + lengths) // QUARTER_S)
        shares = to_quarter - from_quarter
        owner = np.repeat(np.arange(len(columns)), shares)
        quarter = np.arange(len(owner)) - np.repeat(np.cumsum(shares) - shares, shares) + from_quarter[owner]
        starts, length = begins[owner], lengths[owner]
        since = np.clip(quarter * QUARTER_S - starts, 0, length)
        until = np.clip((quarter + 1) * QUARTER_S - starts, 0, length)
        values = columns.values[owner] * 10 ** (part.exponent - self.exponent)
        share = _portion(values, until, length) - _portion(values, since, length)
        place = quarter - self.first
        inside = (place >= 0) & (place < len(self.totals))
        place = place[inside]
        np.add.at(self.totals, place, share[inside])
        np.add.at(self._covered_s, place, (until - since)[inside])
        self._doubtful[place] |= doubtful[owner][inside]


def _within_a_step(quarters: Quarters) -> Mask:
    """Of each quarter, whether it begins or ends within a longer step of a register."""
    ends_within = quarters.cuts.astype(np.bool_)
    begins_within = np.zeros(len(ends_within), np.bool_)
    begins_within[1:] = ends_within[:-1] & (np.diff(quarters.quarters) == 1)
    return ends_within | begins_within


def _portion(values: Array, part: Array, whole: Array) -> Array:
    """values * part / whole, rounded down, without a product that 64 bits cannot hold."""
    share: Array = values // whole * part + values % whole * part // whole
    return share
