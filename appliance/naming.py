"""Names of stores, from people's names, and of meters."""

import re
import unicodedata
from collections.abc import Iterable

# Letters that Unicode does not take apart into a plain one and an accent, as people without a key for them type them.
PLAIN_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ŋ": "n", "ı": "i", "ß": "ss"}
)


def slug(name: str) -> str:
    """Lower-case letters, digits and hyphens, at most 40: what a store's folder and its schema can be called."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(PLAIN_LETTERS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:40].strip("-") or "person"


METER_NAME_LETTERS = 40
_NAME_PARTS = re.compile(r"[^\w .'’-]+")


def meter_name(text: str) -> str:
    """The text as a meter may be called, which also names its source: letters, digits, spaces and . ' -, at most 40.

    "" where nothing of it is left. What commands give a meaning of their own (`/`, `@`, `=`) is in no name.
    """
    plain = " ".join(_NAME_PARTS.sub(" ", unicodedata.normalize("NFC", text)).split())
    return plain.strip(" .'’-")[:METER_NAME_LETTERS].strip(" .'’-")


def name_problems(name: str, taken: Iterable[str]) -> list[str]:
    """Why a new meter cannot be called so."""
    if not name:
        return ["Give the meter a name."]
    if (allowed := meter_name(name)) != name:
        instead = f"Try {allowed!r}." if allowed else "Choose another."
        return [f"A name has letters, digits, spaces and . ' -, at most {METER_NAME_LETTERS} of them. {instead}"]
    if name.casefold() in {each.casefold() for each in taken}:
        return [f"There is a meter called {name} already. Choose another name."]
    return []
