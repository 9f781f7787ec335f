"""Registers: what was used between two readings, whatever happened at the meter in between.

A counter goes up by what is used. Where it does anything else, something happened: the meter was exchanged, the counter
was reset or passed its last digit, a garbled value came. A rule that is sure says which, and counts what was used all
the same; of the rest nothing is counted and a person is asked. What a person says happened stands before every rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.store.series import Array, Columns

SWAP, RESET, ROLLOVER, MOVE, MULTIPLIER = "swap", "reset", "rollover", "move", "multiplier"
NOTHING = "nothing"
"""What a person says happened: another meter, counted from zero again, passed its last digit, another home, counted too
much or too little by a factor, and nothing, where a rule thinks otherwise: the difference was used."""

SPIKE, BACK, JUMP = "spike", "back", "jump"
"""What only rules find: one value that cannot be; a register that went back, or leapt, for no reason that is known."""

SURE = frozenset({SWAP, RESET, ROLLOVER, SPIKE})

_MOST_AN_HOUR = {
    "kWh": Decimal(100),  # three phases of 80 A have 55 kW
    "kvarh": Decimal(100),
    "m3": Decimal(40),  # a G25 gas meter
    "GJ": Decimal(1),
    "MJ": Decimal(1000),
    "therm": Decimal(15),
    "L": Decimal(20_000),
}
"""The most that a household uses in an hour."""

_HOUR_MS = 3_600_000
_NEAR_TOP, _NEAR_ZERO = Decimal("0.99"), Decimal("0.01")
_DIGITS = range(4, 10)


@dataclass(frozen=True, slots=True)
class Happening:
    """What a person says happened at a meter. `before` and `after` are what its register showed, scaled; None where
    they did not say. A multiplier holds until `until_ms`, for ever where that is None. Where only a day is known, it is
    from `at_ms` to `last_ms`.
    """

    at_ms: int
    what: str
    before: int | None = None
    after: int | None = None
    factor: Decimal = Decimal(1)
    until_ms: int | None = None
    last_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule made of a step of a register that is no plain use: from `before` to `after` at `at_ms`, all scaled.

    `used` is what it counts for it. One that is not in `SURE` is for a person to decide.
    """

    at_ms: int
    what: str
    before: int
    after: int
    used: int

    @property
    def is_sure(self) -> bool:
        return self.what in SURE


@dataclass(slots=True)
class Used:
    """What was used until each reading since the one before it, scaled, and what rules found on the way."""

    amounts: Array
    findings: list[Finding] = field(default_factory=list)


def used(
    columns: Columns, unit: str, exponent: int, devices: Sequence[str] | None = None, said: Sequence[Happening] = ()
) -> Used:
    """What a register counted between its readings; the first of them only begins, and counts nothing.

    `devices`: which meter each reading is of, None where one has them all; `said`: what a person says happened.
    """
    if len(columns) < 2:
        return Used(np.zeros(len(columns), np.int64))
    steps = np.diff(columns.values)
    most = int(_MOST_AN_HOUR.get(unit, Decimal(10**9)).scaleb(-exponent))
    limits: Array = most + np.diff(columns.at_ms) // 1000 * (most // 3600)
    odd = (steps < 0) | (steps > limits)
    if devices is not None:
        odd |= np.array([a != b and bool(a) and bool(b) for a, b in pairwise(devices)])
    placed = _placed(columns, [each for each in said if each.what != MULTIPLIER], odd)
    odd[list(placed)] = True
    work = _Work(columns, limits, most, exponent, devices, placed, steps)
    for index in np.flatnonzero(odd | np.concatenate([[False], odd[:-1]])).tolist():
        if odd[index] or work.follows_a_spike(index):
            work.step(index)
    amounts = _multiplied(work.amounts, columns, [each for each in said if each.what == MULTIPLIER])
    return Used(np.concatenate([[0], amounts]), work.findings)


def _placed(columns: Columns, said: Sequence[Happening], odd: NDArray[np.bool_]) -> dict[int, list[Happening]]:
    """In which step each happened: after its first reading, up to its second. Of a day, the first step that is no plain
    use, else the day's last.
    """
    placed: dict[int, list[Happening]] = {}
    for each in sorted(said, key=lambda each: each.at_ms):
        last_ms = each.at_ms if each.last_ms is None else each.last_ms
        first, last = (int(np.searchsorted(columns.at_ms, at_ms)) - 1 for at_ms in (each.at_ms, last_ms))
        inside = range(max(0, first), min(last, len(odd) - 1) + 1)
        step = next((step for step in inside if odd[step]), last)
        if 0 <= step < len(odd):
            placed.setdefault(step, []).append(each)
    return placed


def _multiplied(amounts: Array, columns: Columns, said: Sequence[Happening]) -> Array:
    for each in said:
        inside = columns.at_ms[1:] > each.at_ms
        if each.until_ms is not None:
            inside &= columns.at_ms[1:] <= each.until_ms
        top, bottom = each.factor.as_integer_ratio()
        exact = [(2 * value * top + bottom) // (2 * bottom) for value in amounts[inside].tolist()]
        amounts = amounts.copy()
        amounts[inside] = exact
    return amounts


@dataclass(slots=True)
class _Work:
    """One pass over the steps that are no plain use. Step `i` leads from reading `i` to reading `i + 1`."""

    columns: Columns
    limits: Array
    most_an_hour: int
    exponent: int
    devices: Sequence[str] | None
    said: dict[int, list[Happening]]
    amounts: Array
    findings: list[Finding] = field(default_factory=list)

    def step(self, index: int) -> None:
        before, after = (int(each) for each in self.columns.values[index : index + 2])
        if here := self.said.get(index):
            self.amounts[index] = _counted(here, before, after, self.exponent)
            return
        what, amount = self._found(index, before, after)
        if what:
            self.findings.append(Finding(int(self.columns.at_ms[index + 1]), what, before, after, amount))
        self.amounts[index] = amount

    def _found(self, index: int, before: int, after: int) -> tuple[str, int]:
        """What happened by the rules, "" for nothing, and what was used."""
        limit, forward = int(self.limits[index]), after - before
        if self._is_other_device(index):
            return ("", forward) if 0 <= forward <= limit < after else (SWAP, 0)
        if self.follows_a_spike(index) and after >= self.findings[-1].before:
            return "", after - self.findings[-1].before
        if self._is_a_spike(index, before):
            return SPIKE, 0
        if forward > limit:
            return JUMP, forward
        if (top := _top(before, after, self.exponent)) and top + forward <= limit:
            return ROLLOVER, top + forward
        return (RESET, after) if 0 <= after <= limit else (BACK, 0)

    def _is_other_device(self, index: int) -> bool:
        if self.devices is None:
            return False
        before, after = self.devices[index], self.devices[index + 1]
        return bool(before) and bool(after) and before != after

    def follows_a_spike(self, index: int) -> bool:
        """Whether this step leads away from a value that cannot be."""
        return bool(self.findings) and self.findings[-1].what == SPIKE and self._found_at(index)

    def _found_at(self, index: int) -> bool:
        return self.findings[-1].at_ms == int(self.columns.at_ms[index])

    def _is_a_spike(self, index: int, before: int) -> bool:
        """Whether this step leads to a value that cannot be: the next goes on where the one before was, and could not
        have come from this one.
        """
        if index + 2 >= len(self.columns) or self._is_other_device(index + 1):
            return False
        after, then = (int(each) for each in self.columns.values[index + 1 : index + 3])
        goes_on = 0 <= then - before <= int(self.limits[index] + self.limits[index + 1])
        return goes_on and not 0 <= then - after <= self._rate(index + 1)

    def _rate(self, index: int) -> int:
        """The most of a step, without the hour's that its limit allows beside."""
        elapsed_ms = int(self.columns.at_ms[index + 1] - self.columns.at_ms[index])
        return self.most_an_hour * elapsed_ms // _HOUR_MS


def _top(before: int, after: int, exponent: int) -> int:
    """What a register of so many digits passed from its end to its beginning; 0 where it did not."""
    for digits in _DIGITS:
        top = int(Decimal(10**digits).scaleb(-exponent))
        if top * _NEAR_TOP <= before < top and 0 <= after <= top * _NEAR_ZERO:
            return top
    return 0


def _counted(here: Sequence[Happening], before: int, after: int, exponent: int) -> int:
    """What was used in a step in which a person says that these things happened, in their order."""
    amount, at = 0, before
    for each in here:
        if each.what == NOTHING:
            continue
        if each.what == ROLLOVER:
            amount += (each.before if each.before is not None else _full(at, exponent)) - at
            at = 0
            continue
        if each.before is not None and each.what != MOVE:
            amount += max(0, each.before - at)
        begun = each.after if each.after is not None else 0 if each.what == RESET else after
        at = begun
    return amount + max(0, after - at)


def _full(value: int, exponent: int) -> int:
    """The first number that has a digit more, before the decimal point, than a register shows."""
    whole = int(Decimal(value).scaleb(exponent))
    return int(Decimal(10 ** len(str(whole))).scaleb(-exponent))
