"""Recovery kits: 32 random bytes as 24 words of BIP-39's English list, of which the last carries a check."""

from difflib import get_close_matches
from typing import Any

from appliance.errors import UserError

COUNT = 24


def words_of(secret: bytes) -> list[str]:
    """The kit's words."""
    return str(_list().to_mnemonic(secret)).split()


def secret_of(words: list[str]) -> bytes:
    """What the words stand for; UserError that says which of them are wrong, and what they might have been."""
    listed = _list()
    said = [word.strip().lower() for word in words]
    wrong = [_named(number, word, listed) for number, word in enumerate(said, 1) if word not in listed.wordlist]
    if wrong:
        raise UserError(f"no word of a recovery kit: {', '.join(wrong)}; look at the printed page again")
    if len(said) != COUNT:
        raise UserError(f"a recovery kit has {COUNT} words, and these are {len(said)}")
    if not listed.check(" ".join(said)):
        raise UserError("every word is in the list, but they do not fit together: one is another's, or two are swapped")
    return bytes(listed.to_entropy(said))


def typed(said: str) -> list[str]:
    """The words alone, of a page that was copied with its numbers too."""
    return [word for word in said.split() if not word.strip(".:)").isdecimal()]


def _named(number: int, word: str, listed: Any) -> str:
    close = get_close_matches(word, listed.wordlist, n=1)
    return f"word {number}, {word!r}" + (f" (is it {close[0]!r}?)" if close else "")


def _list() -> Any:
    from mnemonic import Mnemonic  # only a kit needs the list of 2,048 words

    return Mnemonic("english")
