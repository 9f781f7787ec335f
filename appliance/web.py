"""Asking a server over HTTP(S): bounded in time and size, certificates checked, and errors in a person's words.

Nothing is sent to a host that was not asked for, and no text that is raised holds an address beyond its host: passwords
and tokens are in the rest.
"""

import base64
import email.utils
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from appliance.errors import SourceError

CONNECT_S, READ_S, WHOLE_S = 10.0, 30.0, 600.0
MOST_BYTES = 64 << 20
MOST_REDIRECTS = 5
_PIECE = 1 << 16
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


class Web:
    """One conversation with a service. `authority` is the PEM of a certificate that is trusted besides the usual ones:
    that of a server at home."""

    def __init__(self, authority: str = "") -> None:
        self._session = requests.Session()
        self._session.trust_env = False  # no proxies or passwords of whoever started the box
        self._session.headers["User-Agent"] = "Inglenook"
        if authority:
            self._session.mount("https://", _Trusting(authority))

    def get(self, url: str, **more: Any) -> Answer:
        """See `ask`."""
        return self.ask("GET", url, **more)

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
        accepted: frozenset[int] = frozenset(),
    ) -> Answer:
        """The answer of a server that took the question. SourceError where it did not, where it is not there, or where
        it sends more than `most` bytes; a status in `accepted` is an answer like others (304, say)."""
        until_s = time.monotonic() + WHOLE_S
        for _ in range(MOST_REDIRECTS):
            _need_private_unless_encrypted(url)
            with _said_plainly(url):
                answer = self._answer(method, url, headers or {}, auth, params, data, most, until_s)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return _good(answer, accepted)
            url, params = _led(url, answer.headers["location"]), None
            if answer.status == HTTPStatus.SEE_OTHER:
                method, data = "GET", None
        raise SourceError(f"{host(url)} leads on and on from one address to the next; try again later")

    def _answer(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        auth: tuple[str, str] | None,
        params: Mapping[str, str] | None,
        data: bytes | Mapping[str, str] | None,
        most: int,
        until_s: float,
    ) -> Answer:
        with self._session.request(
            method,
            url,
            headers={**headers, **({"Authorization": _basic(*auth)} if auth else {})},
            params=params,
            data=data,
            timeout=(CONNECT_S, READ_S),
            stream=True,
            allow_redirects=False,
        ) as response:
            body = bytearray()
            for piece in response.iter_content(_PIECE):
                body += piece
                if len(body) > most:
                    raise SourceError(
                        f"{host(url)} sent more than {most >> 20} MB, which is no answer to this", permanent=True
                    )
                if time.monotonic() > until_s:
                    raise SourceError(f"{host(url)} took longer than {WHOLE_S / 60:.0f} minutes to answer")
            return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, bytes(body), url)


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
    except requests.exceptions.Timeout:
        raise SourceError(f"{host(url)} does not answer; try again later") from None
    except requests.exceptions.ConnectionError:
        raise SourceError(f"{host(url)} cannot be reached, or broke off in the middle; try again later") from None
    except (requests.exceptions.RequestException, UnicodeError):
        raise SourceError(f"{host(url)} answered in a way that cannot be read; try again later") from None


def _good(answer: Answer, accepted: frozenset[int]) -> Answer:
    status, name = answer.status, host(answer.url)
    if status < HTTPStatus.MULTIPLE_CHOICES or status in accepted:
        return answer
    if status in _REFUSED:
        raise SourceError(
            f"{name} refused the password or token ({status}): it was changed or withdrawn; give the new one",
            permanent=True,
        )
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SourceError(f"{name} cannot answer at the moment ({status})", retry_after_s=_retry_after_s(answer))
    raise SourceError(f"{name} has nothing at that address ({status}): check what was typed", permanent=True)


def _retry_after_s(answer: Answer) -> float | None:
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
    if before.hostname != after.hostname or (before.scheme, after.scheme) == ("https", "http"):
        raise SourceError(f"{host(url)} leads to {host(led)}: write that address, if you trust it", permanent=True)
    return led


def _basic(user: str, password: str) -> str:
    """RFC 7617, in UTF-8."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _need_private_unless_encrypted(url: str) -> None:
    """Only at home may be spoken without encryption."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return
    if parts.scheme != "http" or not parts.hostname:
        raise SourceError("this is no address of a server; write one such as https://cloud.example", permanent=True)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except (OSError, ValueError, UnicodeError):
        raise SourceError(f"{parts.hostname} cannot be found; check how it is written, or try again later") from None
    if not all(ipaddress.ip_address(str(each[4][0]).partition("%")[0]).is_private for each in found):
        raise SourceError(f"{parts.hostname} is not at home, so its address must begin with https://", permanent=True)


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
