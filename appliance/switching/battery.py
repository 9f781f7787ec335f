"""A battery at home, by a simple rule that a person can follow.

Each local day it begins and ends empty. It takes what would be fed in first, then charges in the cheapest quarter-hours
of the day, and gives what is used in the dearest ones that come later, as long as that earns more than is lost on the
way. It feeds nothing in.

Days are rows and their quarter-hours columns: `load`, `spare` (what would be fed in) in kWh, `price` and `earned` (what
feeding in earns) a kWh. A day of 23 hours has columns without a load, of an infinite price.
"""

from dataclasses import dataclass

import numpy as np

from appliance.switching.margins import Floats

KEPT = 0.9
"""Of what goes in, this part comes out."""


@dataclass(frozen=True, slots=True)
class Battery:
    """Of `size_kwh`, which takes and gives at most `step_kwh` in a quarter-hour."""

    size_kwh: float
    step_kwh: float

    def run(self, load: Floats, price: Floats, spare: Floats, earned: Floats) -> tuple[Floats, Floats]:
        """How much more is drawn in each quarter-hour (less: below nought), and how much of what is spare is taken."""
        dearest = np.where(np.isfinite(price), price, -np.inf).max(1, keepdims=True)
        spare = np.where(earned < KEPT * dearest, np.minimum(spare, self.step_kwh), 0.0)
        wanted = self._wanted(load, price, KEPT * spare.sum(1, keepdims=True))
        return self._walked(wanted, self._bought(wanted, price, spare), spare)

    def _wanted(self, load: Floats, price: Floats, from_sun: Floats) -> Floats:
        """What it should give until it is empty: in the dearest quarters, of equal ones in the last, as long as the
        next cheapest quarter to charge in is cheaper by more than what is lost.
        """
        is_there = np.isfinite(price)
        backwards = np.where(is_there, -price, np.inf)[:, ::-1]
        order = price.shape[1] - 1 - np.argsort(backwards, axis=1, kind="stable")
        wanted = np.where(is_there, np.minimum(load, self.step_kwh), 0.0)
        wanted = _taken(wanted, order, np.full((len(load), 1), self.size_kwh))
        in_order = np.take_along_axis(wanted, order, 1)
        bought = np.maximum(in_order.cumsum(1) - in_order - from_sun, 0.0)
        quarter = (bought / max(KEPT * self.step_kwh, 1e-9)).astype(np.int64)
        cheapest = np.take_along_axis(np.sort(price, axis=1), np.minimum(quarter, price.shape[1] - 1), 1)
        is_from_sun = in_order.cumsum(1) <= from_sun
        pays = is_from_sun | (KEPT * np.take_along_axis(price, order, 1) > cheapest)
        np.put_along_axis(wanted, order, np.where(pays, in_order, 0.0), 1)
        return wanted

    def _bought(self, wanted: Floats, price: Floats, spare: Floats) -> Floats:
        """What it should keep from the grid: in the cheapest quarters before the last in which it gives, none of which
        is too dear for any of these.
        """
        later = _later(wanted)
        from_sun = KEPT * np.where(later > 0, spare, 0.0).sum(1, keepdims=True)
        lacking = np.maximum(wanted.sum(1, keepdims=True) - from_sun, 0.0)
        least = np.where(wanted > 0, price, np.inf).min(1, keepdims=True)
        usable = (later > 0) & (price < KEPT * least)
        order = np.argsort(np.where(usable, price, np.inf), axis=1, kind="stable")
        return _taken(np.where(usable, KEPT * self.step_kwh, 0.0), order, lacking)

    def _walked(self, wanted: Floats, bought: Floats, spare: Floats) -> tuple[Floats, Floats]:
        """The day as it goes: nothing is given that was not kept before, nor kept that is not given later."""
        drawn, taken, kept = np.zeros_like(wanted), np.zeros_like(wanted), np.zeros(len(wanted))
        later = _later(wanted)
        for quarter in range(wanted.shape[1]):
            room = np.maximum(later[:, quarter] - kept, 0.0)
            sun = np.minimum(spare[:, quarter], room / KEPT)
            grid = np.minimum(bought[:, quarter], np.minimum(room, KEPT * self.step_kwh) - KEPT * sun)
            kept = kept + KEPT * sun + grid
            given = np.minimum(wanted[:, quarter], kept)
            kept = kept - given
            drawn[:, quarter], taken[:, quarter] = grid / KEPT - given, sun
        return drawn, taken


def _later(wanted: Floats) -> Floats:
    """What is wanted after each quarter."""
    return np.asarray(wanted[:, ::-1].cumsum(1)[:, ::-1] - wanted)


def _taken(possible: Floats, order: np.ndarray[tuple[int, ...], np.dtype[np.int64]], most: Floats) -> Floats:
    """As much of what is possible as there is, in an order of the columns, until it is the most."""
    sorted_ = np.take_along_axis(possible, order, 1)
    before = sorted_.cumsum(1) - sorted_
    found = np.zeros_like(possible)
    np.put_along_axis(found, order, np.clip(most - before, 0.0, sorted_), 1)
    return found
