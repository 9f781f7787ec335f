"""Traffic lights, and the rhythm in which something comes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from statistics import median

FEWEST_DAYS = 5  # with fewer, there is no telling a rhythm


class Colour(StrEnum):
    """Green: all is well. Amber: look at it. Red: something is missing or wrong. Grey: it cannot be told."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    GREY = "grey"


@dataclass(frozen=True, slots=True)
class Light:
    """One side of quality: its colour, why, and the next step that would turn it green ("" where it is).

    `import_id` is the import in which that step begins, where there is one.
    """

    name: str
    colour: Colour
    why: str
    next: str = ""
    import_id: int | None = None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How many days lie between those on which something comes: in the middle, and nine times out of ten at most."""

    usual: int
    most: int


def rhythm(days: Sequence[int]) -> Rhythm | None:
    """The rhythm of different days in order; None where they are too few."""
    if len(days) < FEWEST_DAYS:
        return None
    gaps = sorted(after - before for before, after in pairwise(days))
    return Rhythm(max(1, round(median(gaps))), gaps[int(len(gaps) * 0.9)])


def every_days(days: int) -> str:
    """As in every day, every 7 days."""
    return "every day" if days == 1 else f"every {days} days"


def ago(days: int) -> str:
    """As in today, yesterday, 12 days ago."""
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"


def said_day(day: date) -> str:
    """As in 3 March 2026."""
    return f"{day.day} {day:%B %Y}"


def between(first: date, last: date) -> str:
    """As in between 1 and 31 March 2026."""
    if first.year == last.year:
        begin = f"{first.day}" if first.month == last.month else f"{first.day} {first:%B}"
        return f"between {begin} and {said_day(last)}"
    return f"between {said_day(first)} and {said_day(last)}"


def worst(colours: Iterable[Colour]) -> Colour:
    """The colour that asks for most; grey only where there is no other."""
    order = (Colour.RED, Colour.AMBER, Colour.GREEN)
    there = set(colours)
    return next((each for each in order if each in there), Colour.GREY)


def counted(number: int, one: str, many: str) -> str:
    """As in 1,204 transactions."""
    return f"{number:,} {one if number == 1 else many}"
