"""Exact numbers in columns: scaled 64-bit integers, or Python's own where those would not hold the result."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_LARGEST = 2**62


def decimal(value: int, exponent: int) -> Decimal:
    """`value * 10**exponent`, exactly, however long it is."""
    return Decimal(f"{value}E{exponent}")


def scaled(value: Decimal) -> tuple[int, int]:
    """The integer and the exponent that a Decimal is made of."""
    sign, digits, exponent = value.as_tuple()
    whole = int("".join(map(str, digits)) or "0")
    return (-whole if sign else whole), int(exponent)


def largest(values: Array) -> int:
    """How far the values reach from nought."""
    return max(abs(int(values.max())), abs(int(values.min()))) if len(values) else 0


def product(values: Array, factors: Array | int) -> Array:
    """Each value times its factor, or all times one."""
    most = abs(factors) if isinstance(factors, int) else largest(factors)
    return roomy(values, most) * factors if most and values.any() else np.zeros(len(values), np.int64)


def roomy(values: Array, times: int) -> Array:
    """The same values, as integers of any length where 64 bits would not hold `times` as much."""
    return values.astype(object) if values.dtype != object and largest(values) * times >= _LARGEST else values


def sums(values: Array, starts: Array) -> Array:
    """The sums of the runs that begin at `starts`."""
    if not len(values):
        return np.zeros(0, np.int64)
    longest = int(np.diff(np.append(starts, len(values))).max())
    return np.asarray(np.add.reduceat(roomy(values, longest), starts))


@dataclass(frozen=True, slots=True, eq=False)
class Amounts:
    """A column of numbers: `values[i] * 10**exponent`."""

    values: Array
    exponent: int

    def times(self, factor: Decimal) -> "Amounts":
        """All of them times the same number."""
        whole, exponent = scaled(factor)
        return Amounts(product(self.values, whole), self.exponent + exponent)

    def plus(self, other: "Amounts") -> "Amounts":
        """The sums of two columns of one length."""
        exponent = min(self.exponent, other.exponent)
        return Amounts(roomy(self.at(exponent), 2) + roomy(other.at(exponent), 2), exponent)

    def within(self, least: Decimal | None, most: Decimal | None) -> "Amounts":
        """The same, none below the least nor above the most, where they are stated."""
        found = self
        for bound, chosen in ((least, np.maximum), (most, np.minimum)):
            if bound is not None:
                other = constant(bound, len(found.values))
                exponent = min(found.exponent, other.exponent)
                found = Amounts(chosen(found.at(exponent), other.at(exponent)), exponent)
        return found

    def by_runs(self, starts: Array) -> "Amounts":
        """The sums of the runs that begin at `starts`."""
        return Amounts(sums(self.values, starts), self.exponent)

    def where(self, chosen: Array) -> "Amounts":
        """The same, with nought where it is not chosen."""
        return Amounts(np.where(chosen, self.values, 0), self.exponent)

    def at(self, exponent: int) -> Array:
        """The values at a finer exponent (a smaller number) or the same."""
        return product(self.values, 10 ** (self.exponent - exponent))

    def total(self) -> Decimal:
        return decimal(sum(self.values.tolist()), self.exponent)

    def decimals(self) -> list[Decimal]:
        return [decimal(each, self.exponent) for each in self.values.tolist()]


def none(count: int) -> Amounts:
    """So many noughts."""
    return Amounts(np.zeros(count, np.int64), 0)


def constant(value: Decimal, count: int) -> Amounts:
    """The same number so many times."""
    whole, exponent = scaled(value)
    return Amounts(np.full(count, whole, np.int64 if abs(whole) < _LARGEST else object), exponent)
