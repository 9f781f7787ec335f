"""Any service that answers in JSON: an address, a token, and a mapping that says what the items of an answer are.

The mapping is `appliance.json_mapping`'s: it says too how the next page is found, and with which parameter only what is
new is asked for. A token goes into a header, or into the address where that has {token}.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urljoin

from appliance import json_mapping
from appliance import web as asking
from appliance.connectors import Fetched, Kept
from appliance.connectors._dav import ServerOptions
from appliance.content import InMemory
from appliance.errors import SourceError, UserError
from appliance.json_mapping import JsonMapping
from appliance.web import Answer, Web

TITLE = "Any JSON service"
HELP = (
    "For a service that has pages for developers: the address of a list, a token from there, and how the list's items "
    "are read. You see what comes of it before anything is stored."
)
RHYTHM_S = 86_400
FORMAT = "json_items"
TRIED_FIRST = True
MOST_PAGES = 1_000
MOST_BYTES = 32 << 20
MOST_DIGESTS = 1_000
TOKEN = "{token}"  # noqa: S105 - a place in an address
_DAY_S = 86_400
_PAST_THE_LAST = frozenset({HTTPStatus.NOT_FOUND.value})
_EXAMPLE = (
    'Such as: items = "data" and kind = "money.transaction" on lines of their own, then [columns] and below it '
    'at = "date", amount = "amount", title = "name".'
)


@dataclass(frozen=True)
class Options(ServerOptions):
    """`header`: the name of the header that carries the token, and a word before it. `mapping`: as TOML."""

    token: str = field(default="", repr=False, metadata={"title": "Token", "secret": True})
    header: str = field(
        default="Authorization: Bearer",
        metadata={"title": "Header of the token", "help": "Its name, and a word that stands before the token."},
    )
    mapping: str = field(
        default="",
        metadata={"title": "How its items are read", "lines": True, "help": _EXAMPLE, "guide": json_mapping.GUIDE},
    )

    def problems(self) -> list[str]:
        found = super().problems()
        name, _, word = self.header.partition(":")
        is_name = name.strip().replace("-", "").isalnum() and name.isascii()
        if self.token and TOKEN not in self.address and not (is_name and (word + name).isprintable()):
            found.append(f"header={self.header!r}: write its name, such as X-Api-Key, or Authorization: Bearer")
        if not self.token.strip().isprintable():
            found.append("token: it has a character in it that no token has; copy it again")
        if not self.mapping.strip():
            found.append(f"mapping: say how the items are read. {_EXAMPLE}")
            return found
        try:
            json_mapping.read(self.mapping)
        except UserError as error:
            found += error.problems
        return found

    @property
    def headers(self) -> dict[str, str]:
        """With the token, where it does not go into the address."""
        said = {"Accept": "application/json"}
        if self.token.strip() and TOKEN not in self.address:
            name, _, word = self.header.partition(":")
            said[name.strip()] = f"{word.strip()} {self.token.strip()}".strip()
        return said


def fetch(options: Options, kept: Kept, web: Web) -> Iterator[Fetched]:
    """The pages that say something else than the last time."""
    yield from _Run(options, kept, web).fetched()


class _Run:
    def __init__(self, options: Options, kept: Kept, web: Web) -> None:
        self._options, self._web = options, web.trusting(options.certificate)
        self._mapping = json_mapping.read(options.mapping)
        self._mark = hashlib.sha256(options.mapping.encode()).hexdigest()[:32]
        if kept.get("mapping") != self._mark:  # by another mapping every page is news
            kept = {}
        self._is_new, self._said_items, self._remark = not kept, True, ""
        self._known = set(kept.get("digests", []))
        self._digests: list[str] = list(kept.get("digests", []))
        self._until_s: int | None = kept.get("until_s")

    def fetched(self) -> Iterator[Fetched]:
        now_s, met = _now_s(), list[str]()
        for number, (answer, digest) in enumerate(self._pages(), 1):
            met.append(digest)
            if digest in self._known:
                continue
            self._digests.append(digest)
            name = f"{asking.host(answer.url)} page {number}.json"
            options = {"mapping": self._options.mapping}
            yield Fetched(InMemory(name, answer.body), self._kept(), format=FORMAT, options=options)
        if self._said_items:
            self._digests, self._until_s = met, now_s
        yield Fetched(None, self._kept(), remark=self._remark)

    def _kept(self) -> Kept:
        until = {} if self._until_s is None else {"until_s": self._until_s}
        return {"mapping": self._mark, "digests": self._digests[-MOST_DIGESTS:], **until}

    # ---- pages ----

    def _pages(self) -> Iterator[tuple[Answer, str]]:
        """Each page that has items, with a digest of them, in the service's order."""
        base = self._options.url.replace(TOKEN, quote(self._options.token.strip(), safe=""))
        url, params, before = base, self._first(), ""
        visited = set[tuple[str, frozenset[tuple[str, str]]]]()
        for number in range(1, MOST_PAGES + 1):
            visited.add((url, frozenset(params.items())))
            answer = self._asked(url, params, is_first=number == 1)
            if answer.status == HTTPStatus.NOT_FOUND:  # past the last page
                return
            said = asking.json_of(answer)
            digest = self._digest(said, answer, is_first=number == 1)
            if not digest or (self._mapping.page and digest == before):
                return
            yield answer, digest
            before = digest
            url, params = self._onward(said, answer, base, params, number)
            if not url:
                return
            if (url, frozenset(params.items())) in visited:
                self._remark = (
                    f"{asking.host(base)} leads from page {number} back to one before it: no more was fetched."
                )
                return
        self._remark = f"Only the first {MOST_PAGES:,} pages were fetched. Ask for what is new alone: see [since]."

    def _first(self) -> dict[str, str]:
        """What the first page is asked with."""
        return self._since() | ({self._mapping.page: str(self._mapping.first)} if self._mapping.page else {})

    def _onward(
        self, said: Any, answer: Answer, base: str, params: dict[str, str], number: int
    ) -> tuple[str, dict[str, str]]:
        """The address of the page after this one, "" where there is none, and what it is asked with."""
        mapping = self._mapping
        if mapping.next:
            return self._next(said, answer, base), {}
        if mapping.page:
            return base, params | {mapping.page: str(mapping.first + number)}
        cursor = json_mapping.found(said, mapping.cursor) if mapping.cursor else ""
        return base if cursor else "", params | {mapping.parameter: str(cursor)}

    def _asked(self, url: str, params: dict[str, str], *, is_first: bool) -> Answer:
        """The answer; that there is no such page is one where pages are counted."""
        return self._web.get(
            url,
            headers=self._options.headers,
            auth=self._options.auth if self._options.user else None,
            params=params or None,
            most=MOST_BYTES,
            accepted=frozenset() if is_first or not self._mapping.page else _PAST_THE_LAST,
        )

    def _digest(self, said: Any, answer: Answer, *, is_first: bool) -> str:
        """Of a page's items, and of nothing else that it says; "" where it has none."""
        lists = list(json_mapping.items(said, self._mapping.items))
        if is_first and not lists:
            self._miss(said, answer)
        return hashlib.sha256(json.dumps(lists).encode()).hexdigest()[:32] if any(lists) else ""

    def _miss(self, said: Any, answer: Answer) -> None:
        """The first page is not what the mapping says: it never was, or says something else this time."""
        is_list, names = isinstance(said, list), ", ".join(map(str, said))[:200] if isinstance(said, dict) else ""
        problem = (
            f"there are no items at {'.'.join(self._mapping.items) or 'the top'} in what {asking.host(answer.url)} "
            f"answers; there is: {'a list' if is_list else names or 'nothing'}"
        )
        if self._is_new:
            raise SourceError(f"{problem}. Mend the mapping", permanent=True)
        self._said_items, self._remark = False, f"{problem[0].upper()}{problem[1:]}."

    def _next(self, said: Any, answer: Answer, base: str) -> str:
        """The next page's address, which a service may give as a part; "" where there is none."""
        found = json_mapping.found(said, self._mapping.next)
        if not isinstance(found, str) or not found:
            return ""
        try:
            url = urljoin(answer.url, found)
            if base.startswith("https://") and url.startswith("http://"):  # as services behind a proxy write theirs
                url = f"https://{url.removeprefix('http://')}"
            is_same = asking.is_of(url, base)
        except ValueError:
            is_same = False
        if not is_same:
            raise SourceError(
                f"{asking.host(base)} leads to another server for its next page, which is not asked", permanent=True
            )
        return url

    def _since(self) -> dict[str, str]:
        if not self._mapping.since or self._until_s is None:
            return {}
        at_s = self._until_s - self._mapping.late_days * _DAY_S
        return {self._mapping.since: _written(at_s, self._mapping)}


def _written(at_s: int, mapping: JsonMapping) -> str:
    if mapping.since_as == "seconds":
        return str(at_s)
    written = "%Y-%m-%d" if mapping.since_as == "day" else "%Y-%m-%dT%H:%M:%SZ"
    return datetime.fromtimestamp(at_s, UTC).strftime(written)


def _now_s() -> int:
    return int(time.time())
