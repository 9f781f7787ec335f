"""WebDAV: what lies in a folder of a server, and what is said of it.

    PROPFIND /dav/ HTTP/1.1         <multistatus> <response> <href>/dav/a.csv2
    Depth: 11                         <propstat> <prop> <getetag>"5f"3 </prop> <status>HTTP/1.1 200 OK

1 0 for the address itself, 1 for what lies in it, too; 2 where, on the same server; 3 one a property, and those that a
resource does not have in a propstat of their own, with 404.

Source: RFC 4918, sections 9.1 (PROPFIND), 14.16 (multistatus), 15 (properties).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import unquote, urljoin, urlsplit

from appliance import markup, web
from appliance.errors import SourceError, UserError
from appliance.markup import BrokenError, Element
from appliance.web import Answer, Web

NAMESPACES = (
    'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav" '
    'xmlns:S="http://calendarserver.org/ns/"'
)
MULTISTATUS = 207
NOT_OFFERED = frozenset({400, 404, 405, 409, 415, 501})
LONGEST_TEXT = web.MOST_BYTES
_LABELS = 2  # of a domain that several hosts may share


@dataclass(frozen=True)
class ServerOptions:
    """A server, and who asks. `certificate`: that of a server at home which signs for itself."""

    address: str = field(default="", metadata={"title": "Address"})
    user: str = field(default="", metadata={"title": "User name"})
    password: str = field(
        default="",
        repr=False,
        metadata={"title": "Password", "secret": True, "help": "An app password, where there are such."},
    )
    certificate: str = field(
        default="",
        metadata={
            "title": "Certificate",
            "lines": True,
            "help": "Only for a server of your own that signs for itself: it begins with -----BEGIN CERTIFICATE-----.",
        },
    )

    def __post_init__(self) -> None:
        problems = self.problems()
        if problems:
            raise UserError(problems)

    def problems(self) -> list[str]:
        """What is wrong with them."""
        found = []
        if problem := web.address_problem(self.address):
            found.append(f"address: {problem}")
        if ":" in self.user:
            found.append("user: a name has no colon in it; write the password into its own place")
        if self.certificate.strip() and "-----BEGIN CERTIFICATE-----" not in self.certificate:
            found.append("certificate: it begins with -----BEGIN CERTIFICATE-----; leave it empty where there is none")
        return found

    @property
    def url(self) -> str:
        return web.whole_address(self.address)

    @property
    def auth(self) -> tuple[str, str] | None:
        return (self.user, self.password) if self.user or self.password else None


@dataclass(frozen=True, slots=True)
class Resource:
    """What a server says of one address: its properties by name without prefix, its types, and its status."""

    url: str
    status: int
    properties: Mapping[str, Element]

    @property
    def types(self) -> frozenset[str]:
        found = self.properties.get("resourcetype")
        return frozenset(each.name for each in found.children) if found else frozenset()

    @property
    def name(self) -> str:
        """The last part of its address, as a person reads it."""
        return unquote(urlsplit(self.url).path.rstrip("/").rpartition("/")[2])

    def said(self, name: str, *path: str) -> str:
        """A property's text, "" where it has none."""
        found = self.properties.get(name)
        return found.said(*path) if found else ""


class Server:
    """One server, asked with one password."""

    def __init__(self, options: ServerOptions, web_: Web) -> None:
        self.auth = options.auth
        self.web = web_.trusting(options.certificate)

    def propfind(
        self, url: str, depth: int, properties: Iterable[str], accepted: frozenset[int] = frozenset()
    ) -> list[Resource]:
        """What is at an address, and with depth 1 what lies in it. Of a status in `accepted` comes nothing."""
        wanted = "".join(f"<{name}/>" for name in properties)
        body = f"<D:propfind {NAMESPACES}><D:prop>{wanted}</D:prop></D:propfind>"
        found, _ = self.ask("PROPFIND", url, body, depth, accepted)
        return found

    def ask(
        self, method: str, url: str, body: str, depth: int, accepted: frozenset[int] = frozenset()
    ) -> tuple[list[Resource], str]:
        """The resources of an answer, and its sync-token; nothing of one whose status is in `accepted`."""
        answer = self.web.ask(
            method,
            url,
            headers={"Depth": str(depth), "Content-Type": "application/xml; charset=utf-8"},
            auth=self.auth,
            data=f'<?xml version="1.0" encoding="utf-8"?>{body}'.encode(),
            accepted=accepted,
        )
        if answer.status in accepted:
            return [], ""
        if answer.status != MULTISTATUS:
            raise SourceError(f"{web.host(url)} speaks no WebDAV at that address: check it, or wait until it does")
        return _resources(answer)


def _resources(answer: Answer) -> tuple[list[Resource], str]:
    found, token = [], ""
    try:
        for element in markup.elements([answer.body], ["response", "sync-token"], longest_text=LONGEST_TEXT):
            if element.name == "response":
                found.append(_resource(element, answer.url))
            else:
                token = element.text.strip()
    except BrokenError as error:
        raise SourceError(f"{web.host(answer.url)} answered in a way that cannot be read ({error.reason})") from None
    return found, token


def _resource(element: Element, base: str) -> Resource:
    properties: dict[str, Element] = {}
    for stat in element.every("propstat"):
        prop = stat.find("prop")
        if prop and _status(stat.said("status")) == HTTPStatus.OK:
            properties |= {each.name: each for each in prop.children}
    status = _status(element.said("status")) if element.find("status") else HTTPStatus.OK
    return Resource(beside(base, element.said("href")), status, properties)


def _status(line: str) -> int:
    """`HTTP/1.1 200 OK` -> 200."""
    parts = line.split()
    return int(parts[1]) if len(parts) > 1 and parts[1].isascii() and parts[1].isdigit() else HTTPStatus.OK


def beside(base: str, href: str) -> str:
    """An address that a server names, on itself or on a host beside it (p42-caldav.icloud.com of caldav.icloud.com)."""
    try:
        led = urljoin(base, href.strip())
        before, after = urlsplit(base), urlsplit(led)
        is_same = web.is_of(led, base)
    except ValueError:
        raise SourceError(f"{web.host(base)} names an address that is none; try again later") from None
    domain = (before.hostname or "").partition(".")[2]
    is_beside = domain.count(".") >= _LABELS - 1 and (after.hostname or "").endswith(f".{domain}")
    if is_same or (after.scheme == "https" and (is_beside or before.hostname == after.hostname)):
        return led
    raise SourceError(f"{web.host(base)} leads to {web.host(led)}: write that address, if you trust it", permanent=True)
