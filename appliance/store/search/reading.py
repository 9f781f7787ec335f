"""Looking for words in facts one by one, as the index would: for what was believed on a day, which it does not hold."""

from sqlalchemy import Connection

from appliance.store import declared, sources
from appliance.store.search.entries import Columns, Group, group_of, own_texts
from appliance.store.search.groups import kind_words
from appliance.store.search.words import spoken, typed


class Reader:
    """What a person typed, put to facts by their columns."""

    def __init__(self, connection: Connection, search: str) -> None:
        self._phrases = typed(search)
        self._kinds = declared.every(connection)
        self._titles = {name: title for name, title, _ in sources.every(connection)}
        self._groups: dict[Group, str] = {}

    def finds(self, row: Columns) -> bool:
        """Whether a fact has all that was typed, in its own words or in those of its kind, source and account."""
        texts = spoken(*own_texts(row)) + self._common(row)
        return bool(self._phrases) and all(phrase.stands_in(texts) for phrase in self._phrases)

    def _common(self, row: Columns) -> str:
        """The words that it has in common with others; most facts share them."""
        group = group_of(row)
        if group not in self._groups:
            kind, source = kind_words(self._kinds, row["kind"]), row["source"]
            self._groups[group] = spoken("", kind, source, self._titles.get(source, ""), row["account"])
        return self._groups[group]
