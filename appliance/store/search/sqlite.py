"""The index on SQLite: an FTS5 table that keeps no text, only where words occur.

FTS5 finds every fact of a word that is only begun before it gives the first, which took 90 ms where one such word is in
each of a million facts. So what is begun is completed from a list of all words, and FTS5 is asked for whole ones.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from appliance.store.search.clauses import Clause
from appliance.store.search.entries import Entries
from appliance.store.search.words import Phrase, folded

KEY, MATCH = "rowid", "search_words MATCH :asked"
MOST_COMPLETIONS = 200
_FOLDED_AT_ONCE = 200  # facts: the words of messages take ten times the memory of their text
_HIGHEST = "\U0010ffff"
_ADD = "INSERT INTO search_words (rowid, title, rest) VALUES (?, ?, ?)"
_ADD_TERM = "INSERT OR IGNORE INTO search_terms (term) VALUES (?)"
_DELETE = "DELETE FROM search_words WHERE rowid = ?"


def add(connection: Connection, entries: Entries) -> None:
    """Adds facts, in order of their keys: FTS5 begins another segment wherever a key is lower than the one before."""
    texts = [(key, title, f"{rest} {marks}") for key, title, rest, marks in entries.texts]
    connection.exec_driver_sql(_ADD, texts)
    terms = set[str]()
    for begin in range(0, len(entries.texts), _FOLDED_AT_ONCE):
        some = entries.texts[begin : begin + _FOLDED_AT_ONCE]
        terms.update(folded(" ".join([f"{title} {rest}" for _, title, rest, _ in some])).split())
    if terms:
        connection.exec_driver_sql(_ADD_TERM, [(term,) for term in sorted(terms)])


def delete(connection: Connection, keys: Sequence[int]) -> None:
    """Takes facts out; their words stay in the file until a merge."""
    if keys:
        connection.exec_driver_sql(_DELETE, [(key,) for key in sorted(keys)])


def clear(connection: Connection) -> None:
    """Takes everything out."""
    connection.exec_driver_sql("INSERT INTO search_words (search_words) VALUES ('delete-all')")
    connection.exec_driver_sql("DELETE FROM search_terms")


def tidy(connection: Connection, terms: Iterable[str]) -> None:
    """Lets nothing remain of facts that were taken out: their words leave the file, and those that no fact has any
    more the list of words.
    """
    connection.exec_driver_sql("INSERT INTO search_words (search_words) VALUES ('optimize')")
    for term in terms:
        still = "SELECT rowid FROM search_words WHERE search_words MATCH ? LIMIT 1"
        if connection.exec_driver_sql(still, (_quoted([term]),)).first() is None:
            connection.exec_driver_sql("DELETE FROM search_terms WHERE term = ?", (term,))


def asked(connection: Connection, clauses: Sequence[Clause], *, in_title: bool, whole: bool) -> str:
    """All of the clauses, as FTS5 asks. Only in titles, and only whole words, where that is wanted."""
    return " AND ".join(_clause(connection, each, in_title, whole) for each in clauses)


def found(connection: Connection, sought: str, parameters: Mapping[str, Any]) -> list[int]:
    """The keys that a statement finds, the highest first. They come as one value: thousands of rows cost Python as much
    again as FTS5 needs to find them.
    """
    together = text(f"SELECT json_group_array({KEY}) FROM ({sought})")  # noqa: S608
    return sorted(json.loads(connection.execute(together, parameters).scalar_one()), reverse=True)


def _clause(connection: Connection, clause: Clause, in_title: bool, whole: bool) -> str:
    marks = [_quoted([mark]) for mark in clause.marks]
    if clause.phrase is None:
        return f"({' OR '.join(marks)})"
    said = " OR ".join(_completed(connection, clause.phrase, whole))
    return f"({' OR '.join([f'title : ({said})' if in_title else said, *marks])})"


def _completed(connection: Connection, phrase: Phrase, whole: bool) -> list[str]:
    """What a phrase can mean: each word that its last one may become. Of too many, FTS5 finds them itself."""
    *before, last = phrase.words
    if phrase.whole or whole:
        return [_quoted(phrase.words)]
    begun = "SELECT term FROM search_terms WHERE term >= ? AND term < ? LIMIT ?"
    terms = connection.exec_driver_sql(begun, (last, last + _HIGHEST, MOST_COMPLETIONS + 1)).scalars().all()
    if not terms or len(terms) > MOST_COMPLETIONS:
        return [f"{_quoted(phrase.words)} *"]
    return [_quoted([*before, term]) for term in terms]


def _quoted(words: Sequence[str]) -> str:
    """Words are letters and digits alone, so nothing in them ends a string of FTS5's."""
    return f'"{" ".join(words)}"'
