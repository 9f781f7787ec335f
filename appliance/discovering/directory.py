"""The directory of companies: where each takes requests for a person's data.

Read at build time from `data/suppliers` (datenanfragen.de, CC0) into the package's own file, see `build`; a box that
was built without it has an empty directory, and the rest works.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("companies.json")
LETTER_FILE = Path(__file__).with_name("letter-access.txt")
_SOURCE, _LETTER = "companies-gb-and-global.json", "letter-access-default.txt"
_TEXTS = ("slug", "name", "address", "email", "web", "webform", "phone", "comments")
_LEAST_LETTERS = 4  # of a name that is looked for in a payee


@dataclass(frozen=True, slots=True)
class Company:
    """One company: what it runs, where to write, and what it asks for to know who writes."""

    slug: str
    name: str
    address: str
    email: str
    web: str
    webform: str
    phone: str
    comments: str
    runs: tuple[str, ...]
    asks_for: tuple[str, ...]


@lru_cache(maxsize=1)
def companies() -> dict[str, Company]:
    """Every company by its slug; none where the directory was not built in."""
    try:
        said = json.loads(FILE.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    lists = ("runs", "asks_for")
    return {each["slug"]: Company(**each | {name: tuple(each[name]) for name in lists}) for each in said}


def find(text: str, most: int = 20) -> list[Company]:
    """Companies whose name, or the name of something they run, has these words; the best first."""
    words = text.casefold().split()
    if not words:
        return []
    found = []
    for company in companies().values():
        names = [company.name, *company.runs, company.web]
        rank = min((_rank(words, name) for name in names), default=9)
        if rank < 9:
            found.append((rank, company.name.casefold(), company))
    return [company for _, _, company in sorted(found)[:most]]


def _rank(words: list[str], name: str) -> int:
    said = name.casefold()
    if said == " ".join(words):
        return 0
    if said.startswith(words[0]) and all(word in said for word in words):
        return 1
    return 2 if all(word in said for word in words) else 9


@lru_cache(maxsize=1)
def _by_word() -> dict[str, list[tuple[tuple[str, ...], Company]]]:
    """By the first word of each name, without what a company is in law: how payees are told."""
    found: dict[str, list[tuple[tuple[str, ...], Company]]] = {}
    for company in companies().values():
        for name in (company.name, *company.runs):
            words = plain(name)
            if words and len("".join(words)) >= _LEAST_LETTERS:
                found.setdefault(words[0], []).append((words, company))
    return found


def of_payee(payee: str) -> Company | None:
    """The company that a payee is, told by all the words of a name of its; the longest name wins."""
    words = plain(payee)
    best: tuple[int, Company] | None = None
    for place, word in enumerate(words):
        for name, company in _by_word().get(word, []):
            if words[place : place + len(name)] == name and (best is None or len(name) > best[0]):
                best = len(name), company
    return best[1] if best else None


_LEGAL = frozenset(
    {"ltd", "limited", "plc", "inc", "llc", "gmbh", "ag", "sa", "sarl", "bv", "nv", "co", "uk", "the", "europe", "corp",
     "corporation", "company", "group", "international", "s", "à", "r", "l", "se", "kg", "core"}
)  # fmt: skip


def plain(name: str) -> tuple[str, ...]:
    """The words of a name, without what a company is in law."""
    letters = "".join(each if each.isalnum() else " " for each in name.casefold())
    return tuple(word for word in letters.split() if word not in _LEGAL and not word.isdigit())


def build(folder: Path) -> int:
    """Reads the directory into the package; how many companies."""
    said: list[dict[str, Any]] = json.loads((folder / _SOURCE).read_text(encoding="utf-8"))
    kept = [
        {name: str(each.get(name, "")) for name in _TEXTS}
        | {
            "runs": [str(one) for one in each.get("runs", [])],
            "asks_for": [str(one.get("desc", "")) for one in each.get("required-elements", []) if one.get("desc")],
        }
        for each in said
        if not each.get("nsfw")
    ]
    FILE.write_text(json.dumps(kept, ensure_ascii=False, sort_keys=True), encoding="utf-8")
    LETTER_FILE.write_text((folder / _LETTER).read_text(encoding="utf-8"), encoding="utf-8")
    return len(kept)
