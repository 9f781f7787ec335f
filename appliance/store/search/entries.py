"""What the index holds of a fact, from its columns."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.store.search import amounts, keys
from appliance.store.search.words import GROUP, LONGEST_TEXT, STEP, folded

Columns = Mapping[Any, Any]
Group = tuple[str, int, str]
Tally = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Entries:
    """Facts as the index takes them: their words and marks by key, and how many there are of what.

    `texts` are (key, title, rest, marks) in order of their keys; `facts` are (version, group, amount).
    """

    texts: list[tuple[int, str, str, str]]
    facts: list[tuple[int, int, int | None]]
    tallies: Counter[Tally]


def group_of(row: Columns) -> Group:
    """What a fact has in common with others."""
    return row["kind"], row["source_id"], row["account"]


def made(rows: Sequence[Columns], groups: Mapping[Group, int]) -> Entries:
    """The entries of facts; `groups` has the number of each one's group."""
    texts, facts, tallies = [], [], Counter[Tally]()
    # Most facts of a file share their days and titles, and some their amounts: each is made once.
    times: dict[tuple[int, str], tuple[int, int]] = {}
    titles: dict[tuple[str, str], str] = {}
    sizes: dict[int | None, tuple[str, str, int]] = {}
    for row in rows:
        number, amount_e6, group = row["id"], row["amount_e6"], groups[group_of(row)]
        time = row["at_us"], row["zone"]
        if time not in times:
            times[time] = keys.key(*time, 0), keys.year(keys.key(*time, 0))
        title = row["title"], row["party"]
        if title not in titles:
            titles[title] = _plain(_title(*title))
        if amount_e6 not in sizes:
            sizes[amount_e6] = _sizes(amount_e6)
        (base, year), (amount, step, band) = times[time], sizes[amount_e6]
        rest = f"{row['memo']} {' '.join(row['fields'].values())} {amount}"
        texts.append((base | number, titles[title], _plain(rest), f"{GROUP}{group}{step}"))
        facts.append((number, group, amount_e6))
        tallies[group, year, band] += 1
    texts.sort()
    return Entries(texts, facts, tallies)


def _sizes(amount_e6: int | None) -> tuple[str, str, int]:
    """An amount as it is typed, the mark of its step, and its band."""
    step = "" if amount_e6 is None else f" {STEP}{amounts.step(amount_e6)}"
    return amounts.text(amount_e6), step, amounts.band(amount_e6)


def tallies(rows: Sequence[Columns], groups: Mapping[Group, int]) -> Counter[Tally]:
    """How many there are of what, alone."""
    return Counter((groups[group_of(row)], keys.year(key_of(row)), amounts.band(row["amount_e6"])) for row in rows)


def key_of(row: Columns) -> int:
    """A version's key in the index."""
    return keys.key(row["at_us"], row["zone"], row["id"])


def terms(row: Columns) -> set[str]:
    """A fact's words, as the index has them."""
    return {*folded(_title(row["title"], row["party"])).split(), *folded(_rest(row)).split()}


def own_texts(row: Columns) -> tuple[str, str]:
    """A fact's own texts, as the index has them: its title, and the rest."""
    return _title(row["title"], row["party"])[:LONGEST_TEXT], _rest(row)[:LONGEST_TEXT]


def _title(title: str, party: str) -> str:
    return title if not party or party == title else f"{title} {party}"


def _rest(row: Columns) -> str:
    return f"{row['memo']} {' '.join(row['fields'].values())} {amounts.text(row['amount_e6'])}"


def _plain(text: str) -> str:
    """Both indexes read ASCII as it is."""
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT]
    return text if text.isascii() else folded(text)
