"""Words: how texts are folded so that whoever types "cafe lowe" finds "Café LÖWE", and what a person asks for."""

import re
import unicodedata
from dataclasses import dataclass

from appliance.naming import PLAIN_LETTERS

# What a person types is taken apart into letters and digits, so no character of it can mean anything to a database.
_WORD = re.compile(r"[^\W_]+")
_NO_WORD = re.compile(r"[\W_]+")
_IDEOGRAPH = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")  # no spaces between words
_THOUSANDS = re.compile(r"[-+\u2212]?\d{1,3}(,\d{3})+(\.\d+)?")
_PIECE = re.compile(r'"([^"]*)"|\S+')
_ASCII_GAPS = {code: " " for code in range(128) if not chr(code).isalnum()}
MOST_PIECES = 24
LONGEST_WORD = 200
LONGEST_TEXT = 200_000

GROUP, STEP = "\ue000", "\ue001"  # before the marks that filters find; `folded` lets neither through


def folded(text: str) -> str:
    """A text in lower case without accents, and with spaces for whatever is neither letter nor digit."""
    if text.isascii():
        return text.lower().translate(_ASCII_GAPS)
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold().translate(PLAIN_LETTERS))
    plain = "".join(each for each in decomposed if not unicodedata.category(each).startswith("M"))
    return _NO_WORD.sub(" ", _IDEOGRAPH.sub(r" \1 ", plain))


def words(text: str) -> list[str]:
    """A text's words, folded."""
    return [each[:LONGEST_WORD] for each in folded(text).split()]


def spoken(*texts: str) -> str:
    """Texts as words that `Phrase.stands_in` looks at; a gap between two lets no phrase go from one into the next."""
    return "  ".join(f" {' '.join(words(text))} " for text in texts)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand beside each other; the last one is only begun, unless it is `whole`."""

    words: tuple[str, ...]
    whole: bool = False

    def stands_in(self, texts: str) -> bool:
        """Whether texts as `spoken` makes them have these words."""
        return f" {' '.join(self.words)}{' ' if self.whole else ''}" in texts


def typed(text: str) -> list[Phrase]:
    """What a person asks for: all of these. What is in quotation marks stands so; what is joined, like 12.50 or
    o'neill, too, and its last word may go on.
    """
    found = []
    for piece in _PIECE.finditer(text):
        quoted = piece[1] is not None
        said = piece[1] if quoted else piece[0]
        if _THOUSANDS.fullmatch(said):
            said = said.replace(",", "")
        if parts := words(said):
            found.append(Phrase(tuple(parts), whole=quoted))
    return list(dict.fromkeys(found))[:MOST_PIECES]
