"""Registers: what was used between two readings, whatever happened at the meter in between.

A counter goes up by what is used. Where it does anything else, something happened: the meter was exchanged, the
counter was reset or passed its last digit, garbled values came. A rule that is sure says which, and counts what was
used all the same; of the rest nothing is counted and a person is asked. What a person says stands before every rule. A
register that goes back by a little (a message that came late, an estimate that was put right) waits until it is there
again.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from appliance.obis import MOST_AN_HOUR
from appliance.store.series import Array, Columns

SWAP, RESET, ROLLOVER, MOVE, MULTIPLIER = "swap", "reset", "rollover", "move", "multiplier"
NOTHING = "nothing"
"""What a person says happened: another meter, counted from zero again, passed its last digit, another home, counted too
much or too little by a factor, and nothing, where a rule thinks otherwise: the difference was used."""

SPIKE, BACK, JUMP = "spike", "back", "jump"
"""What only rules find: one value that cannot be; a register that went back, or leapt, for no reason that is known."""

SURE = frozenset({SWAP, RESET, ROLLOVER, SPIKE})

_HOUR_MS = 3_600_000
_NEAR_TOP, _NEAR_ZERO = Decimal("0.99"), Decimal("0.01")
_DIGITS = range(4, 10)

RUN = 20
"""How many garbled readings may follow one another, and be known by what comes after them."""


@dataclass(frozen=True, slots=True)
class Happening:
    """What a person says happened at a meter. `before` and `after` are what its register showed, scaled; None where
    they did not say. A multiplier holds until `until_ms`, for ever where that is None.
    """

    at_ms: int
    what: str
    before: int | None = None
    after: int | None = None
    factor: Decimal = Decimal(1)
    until_ms: int | None = None


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
    odd = odd_steps(columns, unit, exponent, devices)
    placed = _placed(columns, [each for each in said if each.what != MULTIPLIER])
    odd[list(placed)] = True
    work = _Work(columns.at_ms, columns.values.copy(), _most(unit, exponent), exponent, devices, placed)
    work.run(odd)
    amounts = _multiplied(work.amounts, columns, [each for each in said if each.what == MULTIPLIER])
    return Used(np.concatenate([[0], amounts]), work.findings)


def odd_steps(columns: Columns, unit: str, exponent: int, devices: Sequence[str] | None = None) -> NDArray[np.bool_]:
    """Which steps from one reading to the next are no plain use: back, farther than can be, or to another meter."""
    most = _most(unit, exponent)
    steps = np.diff(columns.values)
    odd: NDArray[np.bool_] = (steps < 0) | (steps > most + np.diff(columns.at_ms) // 1000 * (most // 3600))
    if devices is not None:
        odd |= np.array([a != b for a, b in pairwise(_filled(devices))], np.bool_)
    return odd


def _most(unit: str, exponent: int) -> int:
    return int(MOST_AN_HOUR.get(unit, Decimal(10**9)).scaleb(-exponent))


def _filled(devices: Sequence[str]) -> list[str]:
    """Each reading's meter, where it says none that of the one before."""
    filled, last = [], next(filter(None, devices), "")
    for each in devices:
        last = each or last
        filled.append(last)
    return filled


def _placed(columns: Columns, said: Sequence[Happening]) -> dict[int, list[Happening]]:
    """In which step each happened: after its first reading, up to its second."""
    placed: dict[int, list[Happening]] = {}
    for each in sorted(said, key=lambda each: each.at_ms):
        step = int(np.searchsorted(columns.at_ms, each.at_ms)) - 1
        if 0 <= step < len(columns) - 1:
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
    """One pass over the steps that are no plain use. Step `i` leads from reading `i` to reading `i + 1`.

    `values` are changed on the way: what cannot be, and what went back a little, takes the value of before.
    """

    at_ms: Array
    values: Array
    most_an_hour: int
    exponent: int
    devices: Sequence[str] | None
    said: dict[int, list[Happening]]
    findings: list[Finding] = field(default_factory=list)
    amounts: Array = field(init=False)
    _done: int = 0

    def __post_init__(self) -> None:
        self.amounts = np.diff(self.values)
        self.devices = None if self.devices is None else _filled(self.devices)

    def run(self, odd: NDArray[np.bool_]) -> None:
        """Goes through the odd steps, and those that become so by what is made of the step before."""
        waiting, again = deque(np.flatnonzero(odd).tolist()), -1
        while waiting or again >= 0:
            index = waiting.popleft() if again < 0 or (waiting and waiting[0] == again) else again
            again = self._step(index) if self._done <= index < len(self.amounts) else -1

    def _step(self, index: int) -> int:
        """Counts a step; -1, or the next one where that has another beginning now."""
        before, after = int(self.values[index]), int(self.values[index + 1])
        if here := self.said.get(index):
            self.amounts[index] = _counted(here, before, after, self.exponent)
            return -1
        if self._wobbles(index, before, after):
            self.values[index + 1], self.amounts[index] = before, 0
            return index + 1
        if (end := self._end_of_garbled(index, before, after)) is not None:
            self._note(index, SPIKE, before, after, 0)
            self.values[index + 1 : end] = before
            self.amounts[index:end] = np.diff(self.values[index : end + 1])
            self._done = end
            return -1
        self._note(index, *self._found(index, before, after))
        return -1

    def _note(self, index: int, what: str, before: int, after: int, amount: int) -> None:
        if what:
            self.findings.append(Finding(int(self.at_ms[index + 1]), what, before, after, amount))
        self.amounts[index] = amount

    def _found(self, index: int, before: int, after: int) -> tuple[str, int, int, int]:
        """What happened by the rules, "" for nothing, from and to what, and what was used."""
        forward, likely = after - before, self._likely(index)
        if self._is_other_device(index):
            what, amount = ("", forward) if 0 <= forward <= likely else (SWAP, 0)
        elif 0 <= forward <= self._limit(index, index + 1):
            what, amount = "", forward
        elif forward > 0:
            what, amount = JUMP, 0
        elif (top := _top(before, after, self.exponent)) and top + forward <= likely:
            what, amount = ROLLOVER, top + forward
        else:
            what, amount = (RESET, after) if 0 <= after <= likely and 2 * after <= before else (BACK, 0)
        return what, before, after, amount

    def _wobbles(self, index: int, before: int, after: int) -> bool:
        """Whether it goes back by so little that it will be there again."""
        back = before - after
        little = self.most_an_hour // 10 + self._rate(index, index + 1) // 20
        return 0 < back <= little and 2 * after > before and not self._is_other_device(index)

    def _end_of_garbled(self, index: int, before: int, after: int) -> int | None:
        """The reading that goes on where the one before this step was, after some that cannot be; None where there is
        none: it could not have come from the last of them.
        """
        if 0 <= after - before <= self._limit(index, index + 1):
            return None
        for end in range(index + 2, min(index + 2 + RUN, len(self.values))):
            if self._is_other_device(end - 1) or self._is_other_device(end - 2) or end - 1 in self.said:
                return None
            then, last = int(self.values[end]), int(self.values[end - 1])
            goes_on = 0 <= then - before <= self._limit(index, end)
            if goes_on and not 0 <= then - last <= self._rate(end - 1, end):
                return end
        return None

    def _is_other_device(self, index: int) -> bool:
        return self.devices is not None and self.devices[index] != self.devices[index + 1]

    def _limit(self, first: int, last: int) -> int:
        """The most that can have been used from one reading to another: as much as an hour's, and the time's own."""
        return self.most_an_hour + self._rate(first, last)

    def _likely(self, index: int) -> int:
        """The most that a household may have used in a step: what a rule is sure of."""
        return min(self._rate(index, index + 1), 2 * self.most_an_hour) + self.most_an_hour // 100

    def _rate(self, first: int, last: int) -> int:
        return self.most_an_hour * int(self.at_ms[last] - self.at_ms[first]) // _HOUR_MS


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
