"""Asking a server over HTTP(S): bounded in time and size, certificates checked, and errors in a person's words.

Nothing is sent to a host that was not asked for, and no text that is raised holds an address beyond its host: passwords
and tokens are in the rest. A name and a password go as the server wants them (RFC 7617, RFC 7616).
"""

import base64
import email.utils
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPDigestAuth
from urllib3.util.ssl_ import create_urllib3_context

from appliance import messages, outward
from appliance.errors import SourceError
from appliance.scratch import Scratch

CONNECT_S, READ_S, WHOLE_S = 10.0, 30.0, 600.0
MOST_BYTES = 64 << 20
MOST_FILE_BYTES = 4 << 30
WHOLE_FILE_S = 7_200.0
MOST_REDIRECTS = 5
_PIECE = 1 << 16
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class _Sink(Protocol):
    """What takes a body's pieces."""

    def write(self, piece: bytes, /) -> object: ...


class Web:
    """One conversation with a service. `authority` is the PEM of a certificate that is trusted besides the usual ones:
    that of a server at home. Whatever is asked, no answer is larger than `most` bytes or takes longer than `within_s`.
    """

    def __init__(self, authority: str = "", *, most: int = MOST_FILE_BYTES, within_s: float = WHOLE_FILE_S) -> None:
        self._most, self._within_s = most, within_s
        self._session = requests.Session()
        self._session.trust_env = False  # no proxies or passwords of whoever started the box
        self._session.headers["User-Agent"] = "Inglenook"
        if authority:
            self._session.mount("https://", _Trusting(authority))

    def trusting(self, authority: str) -> "Web":
        """A conversation that trusts one more certificate, where one is given."""
        return Web(authority, most=self._most, within_s=self._within_s) if authority.strip() else self

    def get(self, url: str, **more: Any) -> Answer:
        """See `ask`."""
        return self.ask("GET", url, **more)

    def download(self, url: str, name: str, **more: Any) -> tuple[Answer, Scratch]:
        """A file of up to 4 GB, and the answer without its body; see `ask`. The caller closes it."""
        scratch = Scratch(name)
        try:
            return self.ask("GET", url, into=scratch, most=MOST_FILE_BYTES, within_s=WHOLE_FILE_S, **more), scratch
        except BaseException:
            scratch.close()
            raise

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: bytes | Mapping[str, str] | None = None,
        most: int = MOST_BYTES,
        within_s: float = WHOLE_S,
        accepted: frozenset[int] = frozenset(),
        into: _Sink | None = None,
    ) -> Answer:
        """The answer of a server that took the question. SourceError where it did not, where it is not there, or where
        it sends more than `most` bytes; a status in `accepted` is an answer like others (304, say). The body of a good
        answer goes `into` what is given."""
        asked = _Asked(method, url, dict(headers or {}), auth, params, data)
        within_s = min(within_s, self._within_s)
        bounds = _Bounds(min(most, self._most), time.monotonic() + within_s, within_s)
        is_told = False
        for _ in range(MOST_REDIRECTS):
            _need_private_unless_encrypted(asked.url)
            with _said_plainly(asked.url):
                answer = self._answer(asked, bounds, into)
            if answer.status == HTTPStatus.UNAUTHORIZED and asked.auth and not is_told and _wants_digest(answer):
                asked.auth, is_told = HTTPDigestAuth(*asked.auth), True  # type: ignore[misc]
            elif answer.status in _REDIRECTS and "location" in answer.headers:
                asked.follow(answer)
            else:
                return good(answer, accepted)
        raise SourceError(f"{host(asked.url)} leads on and on from one address to the next; try again later")

    def _answer(self, asked: "_Asked", bounds: "_Bounds", into: _Sink | None) -> Answer:
        with self._session.request(
            asked.method,
            asked.url,
            headers=asked.headers,
            auth=_InUtf8(*asked.auth) if isinstance(asked.auth, tuple) else asked.auth,
            params=asked.params,
            data=asked.data,
            timeout=(CONNECT_S, READ_S),
            stream=True,
            allow_redirects=False,
        ) as response:
            body, size = io.BytesIO(), 0
            sink = into if into is not None and response.ok and response.status_code not in _REDIRECTS else body
            for piece in response.iter_content(_PIECE):
                size += len(piece)
                bounds.hold(size, asked.url)
                sink.write(piece)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, body.getvalue(), asked.url)


@dataclass
class _Asked:
    """One question, as it is asked anew where a server leads on."""

    method: str
    url: str
    headers: dict[str, str]
    auth: tuple[str, str] | HTTPDigestAuth | None
    params: Mapping[str, str] | None
    data: bytes | Mapping[str, str] | None

    def follow(self, answer: Answer) -> None:
        self.url, self.params = _led(self.url, answer.headers["location"]), None
        if answer.status == HTTPStatus.SEE_OTHER:
            self.method, self.data = "GET", None


@dataclass(frozen=True)
class _Bounds:
    """How much a server may send, and until when."""

    most: int
    until_s: float
    within_s: float

    def hold(self, size: int, url: str) -> None:
        if size > self.most:
            raise SourceError(
                f"{host(url)} sent more than {self.most >> 20} MB at once, which is more than is taken", permanent=True
            )
        if time.monotonic() > self.until_s:
            raise SourceError(f"{host(url)} took longer than {self.within_s:.0f} seconds to answer")


class _InUtf8(AuthBase):
    """A name and a password in the header, in UTF-8 (RFC 7617)."""

    def __init__(self, user: str, password: str) -> None:
        self._said = base64.b64encode(f"{user}:{password}".encode()).decode()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Basic {self._said}"
        return request


def _wants_digest(answer: Answer) -> bool:
    """Whether a server takes no password in clear, but what is worked out of it (RFC 7616)."""
    return answer.headers.get("www-authenticate", "").lower().startswith("digest")


def whole_address(text: str) -> str:
    """An address as a person writes it, with https:// where it names no scheme."""
    text = text.strip()
    return text if "://" in text else f"https://{text}"


def address_problem(text: str) -> str:
    """What is wrong with an address that a person wrote, or ""; it does not repeat it, as it may hold a password."""
    try:
        parts = urlsplit(whole_address(text))
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or any(each.isspace() for each in text.strip()):
        return "this is no address of a server; write one such as https://cloud.example/remote.php/dav/"
    if parts.username or parts.password:
        return "leave the name and the password out of the address; they have places of their own"
    return ""


def is_of(url: str, address: str) -> bool:
    """Whether an address is one of the same server: what is asked with a password is asked of no other."""
    one, other = urlsplit(url), urlsplit(address)
    return (one.scheme, one.hostname, one.port or _PORTS.get(one.scheme)) == (
        other.scheme,
        other.hostname,
        other.port or _PORTS.get(other.scheme),
    )


def json_of(answer: Answer) -> Any:
    """What an answer says, its numbers as exact text; SourceError where that is no JSON."""
    said = messages.parsed(answer.body)
    if said is None:
        raise SourceError(f"{host(answer.url)} answered with something that is no JSON; try again later")
    return said


def host(url: str) -> str:
    """The part of an address that may be shown."""
    return urlsplit(url).hostname or "the server"


@contextmanager
def _said_plainly(url: str) -> Iterator[None]:
    try:
        yield
    except requests.exceptions.SSLError:
        raise SourceError(
            f"{host(url)} shows a certificate that nobody trusted vouches for; if it is a server of your own, give its "
            "certificate with it",
            permanent=True,
        ) from None
    except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema, requests.exceptions.InvalidSchema):
        raise SourceError(
            "this is no address of a server; write one such as https://cloud.example", permanent=True
        ) from None
    except (requests.exceptions.Timeout, requests.exceptions.ConnectionError) as error:
        if why := outward.closed_at(url):
            raise SourceError(f"{host(url)} cannot be reached: {why}", permanent=True) from None
        if isinstance(error, requests.exceptions.Timeout):
            raise SourceError(f"{host(url)} does not answer; try again later") from None
        raise SourceError(f"{host(url)} cannot be reached, or broke off in the middle; try again later") from None
    except (requests.exceptions.RequestException, UnicodeError):
        raise SourceError(f"{host(url)} answered in a way that cannot be read; try again later") from None


def good(answer: Answer, accepted: frozenset[int] = frozenset()) -> Answer:
    """The answer of a server that took the question; SourceError where it did not, which says whether it may later."""
    status, name = answer.status, host(answer.url)
    if status < HTTPStatus.MULTIPLE_CHOICES or status in accepted:
        return answer
    if status in _REFUSED:
        raise SourceError(
            f"{name} refused the password or token ({status}): it was changed or withdrawn; give the new one",
            permanent=True,
        )
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SourceError(f"{name} cannot answer at the moment ({status})", retry_after_s=retry_after_s(answer))
    raise SourceError(f"{name} has nothing at that address ({status}): check what was typed", permanent=True)


def retry_after_s(answer: Answer) -> float | None:
    """RFC 9110, 10.2.3: seconds, or a date."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        at = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _led(url: str, location: str) -> str:
    """Where a server leads, on its own host alone: what it is asked with is meant for it."""
    led = urljoin(url, location)
    before, after = urlsplit(url), urlsplit(led)
    is_safe = after.scheme == "https" or before.scheme == "http"
    if before.hostname != after.hostname or not is_safe:
        raise SourceError(f"{host(url)} leads to {host(led)}: write that address, if you trust it", permanent=True)
    return led


def _need_private_unless_encrypted(url: str) -> None:
    """Only at home may be spoken without encryption."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return
    if parts.scheme != "http" or not parts.hostname:
        raise SourceError("this is no address of a server; write one such as https://cloud.example", permanent=True)
    if not is_at_home(parts.hostname, parts.port or 80):
        raise SourceError(f"{parts.hostname} is not at home, so its address must begin with https://", permanent=True)


def is_at_home(name: str, port: int) -> bool:
    """Whether a host has private addresses alone; SourceError where it has none."""
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError, UnicodeError):
        raise SourceError(f"{name} cannot be found; check how it is written, or try again later") from None
    return all(ipaddress.ip_address(str(each[4][0]).partition("%")[0]).is_private for each in found)


class _Trusting(HTTPAdapter):
    """HTTPS with one more authority."""

    def __init__(self, authority: str) -> None:
        self._context = create_urllib3_context()
        self._context.load_default_certs()
        try:
            self._context.load_verify_locations(cadata=authority)
        except (ssl.SSLError, ValueError):
            raise SourceError(
                "the certificate is not one: it begins with -----BEGIN CERTIFICATE-----", permanent=True
            ) from None
        super().__init__()

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **more)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leaves the checking to the context, which knows the authority."""
        conn.cert_reqs = "CERT_REQUIRED"
