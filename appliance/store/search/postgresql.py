"""The index on PostgreSQL: a tsvector a fact, with its words as search folds them; no dictionary of the server's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from appliance.store.search.clauses import Clause
from appliance.store.search.entries import Entries
from appliance.store.search.words import LONGEST_WORD, Phrase, folded

KEY, MATCH = "key", "words @@ CAST(:asked AS tsquery)"
_LAST_POSITION, _MOST_WORDS, _MOST_BYTES = 16_383, 20_000, 1_000_000  # of a tsvector
_ADD = "INSERT INTO search_words (key, words) VALUES (%s, %s::tsvector)"


def add(connection: Connection, entries: Entries) -> None:
    """Adds facts."""
    rows = [(key, _vector(title, rest, marks)) for key, title, rest, marks in entries.texts]
    connection.exec_driver_sql(_ADD, rows)


def delete(connection: Connection, keys: Sequence[int]) -> None:
    """Takes facts out."""
    connection.exec_driver_sql("DELETE FROM search_words WHERE key = ANY(%s)", (list(keys),))


def clear(connection: Connection) -> None:
    """Takes everything out."""
    connection.exec_driver_sql("DELETE FROM search_words")


def tidy(connection: Connection, terms: Iterable[str]) -> None:
    """Nothing to do: what is deleted is overwritten when the server vacuums, like all that is deleted there."""


def asked(connection: Connection, clauses: Sequence[Clause], *, in_title: bool, whole: bool) -> str:
    """All of the clauses, as a tsquery. Only in titles, and only whole words, where that is wanted."""
    return " & ".join(_clause(each, "A" if in_title else "", whole) for each in clauses)


def found(connection: Connection, sought: str, parameters: Mapping[str, Any]) -> list[int]:
    """The keys that a statement finds, the highest first, as it has them."""
    return list(connection.execute(text(sought), parameters).scalars())


def _clause(clause: Clause, weight: str, whole: bool) -> str:
    marks = [f"'{mark}'" for mark in clause.marks]
    said = [] if clause.phrase is None else [_phrase(clause.phrase, weight, whole)]
    return f"({' | '.join([*said, *marks])})"


def _phrase(phrase: Phrase, weight: str, whole: bool) -> str:
    """Words are letters and digits alone, so nothing in them ends a string of PostgreSQL's."""
    *before, last = phrase.words
    begun = "" if phrase.whole or whole else "*"
    said = [*(_flagged(word, weight) for word in before), _flagged(last, begun + weight)]
    return f"({' <-> '.join(said)})"


def _flagged(word: str, flags: str) -> str:
    return f"'{word}':{flags}" if flags else f"'{word}'"


def _vector(title: str, rest: str, marks: str) -> str:
    in_title = folded(title).split()
    after = len(in_title) + 2  # a gap, so that no phrase goes from the title into the rest
    own = [*_placed(in_title, 1, "A"), *_placed(folded(rest).split(), after, "")]
    said = [*(f"'{mark}'" for mark in marks.split()), *own]
    vector = " ".join(said)
    return vector if len(vector) * 4 <= _MOST_BYTES else " ".join(_fitting(said))


def _fitting(said: Sequence[str]) -> Iterator[str]:
    """As much as a tsvector takes."""
    size = 0
    for each in said:
        size += len(each.encode())
        if size > _MOST_BYTES:
            return
        yield each


def _placed(words: Sequence[str], first: int, weight: str) -> list[str]:
    return [
        f"'{word[:LONGEST_WORD]}':{min(place, _LAST_POSITION)}{weight}"
        for place, word in enumerate(words[:_MOST_WORDS], first)
    ]
