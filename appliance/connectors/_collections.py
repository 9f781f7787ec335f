"""Collections of a CalDAV or CardDAV server, and what changed in each: told by its tag, and item by item by ETags.

    /.well-known/caldav -> current-user-principal -> calendar-home-set -> its collections
    of each: sync-token and getctag; REPORT sync-collection (where it is offered), else PROPFIND getetag of all
    of what changed: REPORT calendar-multiget, a hundred at a time

The items of a collection come as few files, one after the other in each, as the server has them. What was removed there
is told, and stays here.

Source: RFC 6764, section 6 (discovery); RFC 5397 (current-user-principal); RFC 4791, section 7.9, and RFC 6352, section
8.7 (multiget); RFC 6578 (sync-collection); getctag is CalendarServer's.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape

from appliance import web as asking
from appliance.connectors import Fetched, Kept
from appliance.connectors._dav import NAMESPACES, NOT_OFFERED, Resource, Server, ServerOptions, beside
from appliance.content import InMemory
from appliance.errors import SourceError
from appliance.web import Web

MOST_ITEMS = 100_000
ASKED_AT_ONCE = 100
FILE_ITEMS, FILE_BYTES = 1_000, 8 << 20
MOST_PARTS = 1_000
_ITEM_BYTES = 4_096  # of one whose length the server does not say
_TRUNCATED = 507
_TOKEN_REFUSED = NOT_OFFERED | {HTTPStatus.FORBIDDEN, HTTPStatus.PRECONDITION_FAILED, _TRUNCATED}
_NO_MULTIGET = NOT_OFFERED | {HTTPStatus.FORBIDDEN}
_LISTED = (
    "D:resourcetype",
    "D:displayname",
    "D:sync-token",
    "D:supported-report-set",
    "S:getctag",
)


@dataclass(frozen=True)
class CollectionOptions(ServerOptions):
    """`chosen`: the names of the collections that are wanted, one a line; nothing for all."""

    chosen: str = field(
        default="",
        metadata={"title": "Which of them", "lines": True, "help": "Their names, one a line; nothing for all."},
    )

    @property
    def names(self) -> list[str]:
        return [line.strip() for line in self.chosen.splitlines() if line.strip()]


@dataclass(frozen=True, slots=True)
class Service:
    """What CalDAV and CardDAV differ in. `item` begins every good item; `named` is a line that names its collection,
    with the name to be put in.
    """

    words: str
    well_known: str
    home: str
    type: str
    data: str
    multiget: str
    item: str
    suffix: str
    named: str = ""


def fetch(service: Service, options: CollectionOptions, kept: Kept, web: Web) -> Iterator[Fetched]:
    """The items of each chosen collection that are new or have changed."""
    yield from _Run(service, options, kept, web).fetched()


@dataclass(slots=True)
class _Changes:
    """Of a collection since the last time: items by address with their ETags and lengths, and those that are gone."""

    changed: dict[str, tuple[str, int]]
    gone: set[str]
    token: str


class _Run:
    def __init__(self, service: Service, options: CollectionOptions, kept: Kept, web: Web) -> None:
        self._service, self._options = service, options
        self._server = Server(options, web)
        self._kept: dict[str, dict[str, Any]] = {
            url: {**state, "items": dict(state.get("items", {}))} for url, state in kept.get("collections", {}).items()
        }

    def fetched(self) -> Iterator[Fetched]:
        for collection in self._chosen():
            yield from self._of(collection)

    def _keep(self) -> Kept:
        return {"collections": {url: {**state, "items": dict(state["items"])} for url, state in self._kept.items()}}

    # ---- which collections ----

    def _chosen(self) -> list[Resource]:
        found = self._discovered()
        if not found:
            raise SourceError(
                f"{asking.host(self._options.url)} has no {self._service.words} at that address for this user: "
                "write the address that the server shows for it",
                permanent=True,
            )
        wanted = {name.casefold() for name in self._options.names}
        by_name = {name: each for each in found for name in (_title(each).casefold(), each.name.casefold())}
        if missing := sorted(wanted - by_name.keys()):
            there = ", ".join(sorted(_title(each) for each in found))
            raise SourceError(f"there is no {', '.join(missing)} there; there are: {there}", permanent=True)
        return [each for each in found if not wanted or {_title(each).casefold(), each.name.casefold()} & wanted]

    def _discovered(self) -> list[Resource]:
        url = self._options.url
        whole = urlsplit(url).path.strip("/")
        places = [url] if whole else [urljoin(url, self._service.well_known), urljoin(url, "/")]
        for place in places:
            here = next(iter(self._ask(place, 0)), None)
            if here is None:
                continue
            if self._service.type in here.types:
                return [here]
            home = self._home(here) or (here.url if whole else "")
            if found := [each for each in self._ask(home, 1) if self._service.type in each.types] if home else []:
                return sorted(found, key=lambda each: each.url)
        return []

    def _home(self, here: Resource) -> str:
        """Where the user's collections lie, as this resource or the user's own says; "" where neither does."""
        name = self._service.home.partition(":")[2]
        if not here.said(name, "href") and (principal := here.said("current-user-principal", "href")):
            [here] = self._ask(beside(here.url, principal), 0)[:1] or [here]
        home = here.said(name, "href")
        return beside(here.url, home) if home else ""

    def _ask(self, url: str, depth: int) -> list[Resource]:
        wanted = (*_LISTED, "D:current-user-principal", self._service.home)
        return self._server.propfind(url, depth, wanted, NOT_OFFERED)

    # ---- one collection ----

    def _of(self, collection: Resource) -> Iterator[Fetched]:
        state = self._kept.setdefault(collection.url, {"source": self._source(collection), "items": {}})
        mark = collection.said("getctag") or collection.said("sync-token")
        if mark and mark == state.get("mark"):
            return
        changes = self._changes(collection, state)
        unread = 0
        for part in _parts(changes.changed):
            texts = self._texts(collection, part)
            good = {url: text for url, text in texts.items() if _is_item(text, self._service.item)}
            unread += len(texts) - len(good)
            state["items"] |= {_short(url, collection): changes.changed[url][0] for url in texts}
            yield Fetched(self._file(collection, good.values()) if good else None, self._keep(), source=state["source"])
        for url in changes.gone:
            state["items"].pop(_short(url, collection), None)
        state |= {"mark": mark, "token": changes.token}
        yield Fetched(None, self._keep(), remark=_remark(_title(collection), len(changes.gone), unread))

    def _source(self, collection: Resource) -> str:
        """A name that is the same from one time to the next, though the collection gets another, and nobody else's."""
        whose = f" of {self._options.user}" if self._options.user else ""
        name = f"{_title(collection)}{whose} at {asking.host(collection.url)}"
        taken = {state.get("source") for state in self._kept.values()}
        return name if name not in taken else f"{name} ({collection.name})"

    def _file(self, collection: Resource, texts: Iterable[str]) -> InMemory:
        title = _title(collection)
        named = self._service.named.format(_escaped(title))
        whole = "".join(_named(text, self._service.item, named) for text in texts)
        return InMemory(f"{title}{self._service.suffix}", whole.encode("utf-8", "replace"))

    # ---- what changed ----

    def _changes(self, collection: Resource, state: Mapping[str, Any]) -> _Changes:
        if token := state.get("token", ""):
            since = self._since(collection, state, token)
            if since is not None:
                return since
        return self._compared(collection, state)

    def _since(self, collection: Resource, state: Mapping[str, Any], token: str) -> _Changes | None:
        """What a server that keeps account of changes says; None where it does not know the token any more."""
        changed: dict[str, tuple[str, int]] = {}
        gone: set[str] = set()
        for _ in range(MOST_PARTS):
            body = (
                f"<D:sync-collection {NAMESPACES}><D:sync-token>{escape(token)}</D:sync-token>"
                "<D:sync-level>1</D:sync-level><D:prop><D:getetag/><D:getcontentlength/></D:prop></D:sync-collection>"
            )
            found, now = self._server.ask("REPORT", collection.url, body, 0, _TOKEN_REFUSED)
            if not now:
                return None
            is_cut = any(each.status == _TRUNCATED for each in found)
            for each in found:
                if each.status == HTTPStatus.NOT_FOUND:
                    gone.add(each.url)
                    changed.pop(each.url, None)
                elif each.url.rstrip("/") != collection.url.rstrip("/"):
                    gone.discard(each.url)
                    changed[each.url] = _tag(each)
            if not is_cut or now == token:
                known = state["items"]
                fresh = {url: tag for url, tag in changed.items() if known.get(_short(url, collection)) != tag[0]}
                return _Changes(fresh, {url for url in gone if _short(url, collection) in known}, now)
            token = now
        return None

    def _compared(self, collection: Resource, state: Mapping[str, Any]) -> _Changes:
        """Every item that there is, compared with those that were known."""
        wanted = ("D:getetag", "D:getcontentlength", "D:resourcetype")
        listed = {
            each.url: _tag(each)
            for each in self._server.propfind(collection.url, 1, wanted)
            if "collection" not in each.types and each.url.rstrip("/") != collection.url.rstrip("/")
        }
        if len(listed) > MOST_ITEMS:
            raise SourceError(f"{_title(collection)} has more than {MOST_ITEMS:,} entries", permanent=True)
        known = state["items"]
        changed = {url: tag for url, tag in listed.items() if known.get(_short(url, collection)) != (tag[0] or None)}
        there = {_short(url, collection) for url in listed}
        gone = {urljoin(collection.url, name) for name in known if name not in there}
        return _Changes(changed, gone, collection.said("sync-token"))

    # ---- items ----

    def _texts(self, collection: Resource, urls: list[str]) -> dict[str, str]:
        """The items at these addresses; one that was removed meanwhile is left out."""
        texts: dict[str, str] = {}
        name = self._service.data.partition(":")[2]
        for begin in range(0, len(urls), ASKED_AT_ONCE):
            some = urls[begin : begin + ASKED_AT_ONCE]
            hrefs = "".join(f"<D:href>{escape(urlsplit(url).path)}</D:href>" for url in some)
            body = (
                f"<{self._service.multiget} {NAMESPACES}><D:prop><D:getetag/><{self._service.data}/></D:prop>"
                f"{hrefs}</{self._service.multiget}>"
            )
            found, _ = self._server.ask("REPORT", collection.url, body, 1, _NO_MULTIGET)
            texts |= {each.url: each.properties[name].text for each in found if name in each.properties}
            if not found:
                texts |= {url: text for url in some if (text := self._text(url)) is not None}
        return {url: texts[url] for url in urls if url in texts}

    def _text(self, url: str) -> str | None:
        accepted = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
        answer = self._server.web.get(url, auth=self._server.auth, accepted=accepted)
        return None if answer.status in accepted else answer.body.decode("utf-8", "replace")


def _title(collection: Resource) -> str:
    return " ".join(collection.said("displayname").split())[:200] or collection.name


def _short(url: str, collection: Resource) -> str:
    """An item's address, as short as it can be: there may be many."""
    return url.removeprefix(f"{collection.url.rstrip('/')}/")


def _tag(item: Resource) -> tuple[str, int]:
    length = item.said("getcontentlength")
    return item.said("getetag"), int(length) if length.isascii() and length.isdigit() else _ITEM_BYTES


def _parts(changed: Mapping[str, tuple[str, int]]) -> Iterator[list[str]]:
    """Addresses of items, as many at a time as go into one file."""
    part: list[str] = []
    held = 0
    for url, (_, length) in changed.items():
        if part and (len(part) >= FILE_ITEMS or held + length > FILE_BYTES):
            yield part
            part, held = [], 0
        part.append(url)
        held += length
    if part:
        yield part


def _is_item(text: str, item: str) -> bool:
    return text.lstrip("\ufeff\r\n\t ")[: len(item)].upper() == item


def _escaped(title: str) -> str:
    """A text as iCalendar has it (RFC 5545, section 3.3.11)."""
    for mark in "\\;,":
        title = title.replace(mark, f"\\{mark}")
    return title


def _named(text: str, item: str, named: str) -> str:
    """An item that ends its line, with the name of its collection in its second, where it has one."""
    end = "\r\n" if "\r\n" in text[:200] else "\n"
    text = text.lstrip("\ufeff\r\n\t ").rstrip() + end
    return f"{item}{end}{named}{text.removeprefix(item)}" if named and text.startswith(f"{item}{end}") else text


def _remark(title: str, gone: int, unread: int) -> str:
    said = []
    if gone:
        said.append(f"{gone} of {title} are gone there, and stay here.")
    if unread:
        said.append(f"{unread} of {title} could not be read.")
    return " ".join(said)
