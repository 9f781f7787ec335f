"""Names of stores, from people's names."""

import re
import unicodedata

# Letters that Unicode does not take apart into a plain one and an accent, as people without a key for them type them.
PLAIN_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ŋ": "n", "ı": "i", "ß": "ss"}
)


def slug(name: str) -> str:
    """Lower-case letters, digits and hyphens, at most 40: what a store's folder and its schema can be called."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(PLAIN_LETTERS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:40].strip("-") or "person"
