"""Traffic lights, and the rhythm in which something comes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from statistics import median

FEWEST_DAYS = 5  # with fewer, there is no telling a rhythm
MONTHS_FROM, YEARS_FROM = 60, 2 * 365  # days from which time is said in months, and in years


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
    """As in today, yesterday, 12 days ago; from 60 days in months, from two years in years."""
    if days < MONTHS_FROM:
        return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"
    return f"{days // 30} months ago" if days < YEARS_FROM else f"{days // 365} years ago"


def said_day(day: date) -> str:
    """As in 3 March 2026."""
    return f"{day.day} {day:%B %Y}"


def between(first: date, last: date) -> str:
    """As in between 1 and 31 March 2026."""
    if first.year == last.year:
        begin = f"{first.day}" if first.month == last.month else f"{first.day} {first:%B}"
        return f"between {begin} and {said_day(last)}"
    return f"between {said_day(first)} and {said_day(last)}"


def said_days(first: date, last: date) -> str:
    """As in 1 to 31 March 2026."""
    if first == last:
        return said_day(first)
    return between(first, last).removeprefix("between ").replace(" and ", " to ")


def overall(lights: Iterable[Light]) -> Colour:
    """The colour that asks for most; green only where the newest is known to be recent: old data is there and valid."""
    there = {each.name: each.colour for each in lights}
    asking = next((each for each in (Colour.RED, Colour.AMBER) if each in there.values()), None)
    return asking or (Colour.GREEN if there.get("recent") == Colour.GREEN else Colour.GREY)


def counted(number: int, one: str, many: str) -> str:
    """As in 1,204 transactions."""
    return f"{number:,} {one if number == 1 else many}"


def there_are(number: int, one: str, many: str) -> str:
    """As in There are 1,204 transactions."""
    return f"There {'is' if number == 1 else 'are'} {counted(number, one, many)}."
