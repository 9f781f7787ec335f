"""What a list of records can be narrowed down by, with how many each choice leaves, and what was chosen already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from appliance.store.search.amounts import BANDS
from appliance.store.search.asking import Counts
from services.dashboard.wording import count, day, kind_title

NAMES = (
    "search",
    "kind",
    "source",
    "account",
    "year",
    "amount",
    "from",
    "to",
    "lowest",
    "highest",
    "import",
    "order",
)
"""What the page's address may ask for."""
MOST_SHOWN, MOST_IN_ALL = 6, 60


@dataclass(frozen=True, slots=True)
class Choice:
    """A value to narrow down by: its words, how many facts it leaves (None of too many), and what asks for it."""

    words: str
    many: int | None
    asks: dict[str, str]


@dataclass(frozen=True, slots=True)
class Facet:
    """Choices of one sort: those that stand first, and those behind "more"."""

    title: str
    shown: list[Choice]
    more: list[Choice]


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that holds, and what asks for the same without it."""

    words: str
    without: dict[str, str]


def made(counts: Counts, said: Mapping[str, str]) -> list[Facet]:
    """The facets of what was found; of one that was chosen there is nothing more to choose."""
    bands = {BANDS[band]: many for band, many in counts.bands.items()}
    every: list[tuple[str, str, Mapping[Any, int | None], Callable[[Any], str]]] = [
        ("kind", "Kind", counts.kinds, kind_title),
        ("year", "Year", counts.years, year_words),
        ("amount", "Amount", bands, band_words),
        ("account", "Account", counts.accounts, str),
        ("source", "Source", counts.sources, str),
    ]
    return [
        _facet(title, [Choice(words(value), many, {**said, name: str(value)}) for value, many in values.items()])
        for name, title, values, words in every
        if name not in said and len(values) > 1
    ]


def _facet(title: str, choices: list[Choice]) -> Facet:
    return Facet(title, choices[:MOST_SHOWN], choices[MOST_SHOWN:MOST_IN_ALL])


def chips(said: Mapping[str, str]) -> list[Chip]:
    """The filters that hold, each in words."""
    words: dict[str, Callable[[str], str]] = {
        "kind": kind_title,
        "year": lambda value: year_words(int(value)),
        "amount": lambda value: band_words(int(value)),
        "account": str,
        "source": str,
        "from": lambda value: f"From {_day_words(value)}",
        "to": lambda value: f"To {_day_words(value)}",
        "lowest": lambda value: f"At least {value}",
        "highest": lambda value: f"At most {value}",
        "import": lambda value: f"Stored by import {value}",
    }
    return [
        Chip(words[name](value), {other: each for other, each in said.items() if other != name})
        for name, value in said.items()
        if name in words
    ]


def year_words(year: int) -> str:
    """A year; what has no time is of none."""
    return str(year) if year else "Without a date"


def band_words(lowest: int) -> str:
    """As in 10 to 100; amounts in any unit, in or out."""
    place = BANDS.index(lowest)
    if place == len(BANDS) - 1:
        return f"{count(lowest)} and more"
    return f"{count(lowest)} to {count(BANDS[place + 1])}" if lowest else f"Under {BANDS[1]}"


def _day_words(said: str) -> str:
    try:
        return day(date.fromisoformat(said))
    except ValueError:
        return said
