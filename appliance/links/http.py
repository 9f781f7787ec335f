"""A device in the home that answers over HTTP: one address, asked again and again, each answer a line of
`appliance.messages` whose topic is the path.

Nothing but that address is asked: an answer that sends on elsewhere is said and not followed.
"""

import contextlib
import http.client
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from appliance.errors import SourceError, UserError
from appliance.messages import LINE_BYTES, to_line

TITLE = "Network (HTTP)"

_PIECE_BYTES = 4096
_NEXT_STEP = {
    401: "it wants a password or a token: write it as token, or as header",
    403: "it does not allow this: of a HomeWizard, switch the local API on in its app (Settings, Meters, Local API)",
    404: "it has nothing there: check the path",
    429: "it is asked too often: write a longer interval_s",
}
"""Status (RFC 9110, section 15) -> what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked, how often, and what shows that we may."""

    url: str = field(metadata={"title": "Address, as in http://192.168.1.20/api/v1/data"})
    interval_s: float = field(default=10.0, metadata={"title": "Seconds from one question to the next"})
    timeout_s: float = field(default=5.0, metadata={"title": "Seconds to wait for an answer"})
    token: str = field(default="", repr=False, metadata={"title": "Bearer token", "secret": True})
    header: str = field(default="", repr=False, metadata={"title": "A header, as in X-Key: 123", "secret": True})
    ca_file: str = field(default="", metadata={"title": "Certificate of the device's own authority (empty: public)"})

    def __post_init__(self) -> None:
        problems = _url_problems(self.url)
        if not 0.1 <= self.interval_s <= 86_400:
            problems.append(f"interval_s: {self.interval_s} is out of range; write 0.1 to 86400 seconds")
        if not 0 < self.timeout_s <= 60:
            problems.append(f"timeout_s: {self.timeout_s} is out of range; write 0.1 to 60 seconds")
        if not (self.token + self.header).isprintable() or not (self.token + self.header).isascii():
            problems.append("token, header: hold what cannot be sent; write plain characters in one line")
        if self.header and not self.header.partition(":")[2]:
            problems.append("header: is none; write it as NAME: VALUE")
        if problems:
            raise UserError(problems)

    @classmethod
    def from_text(cls, text: str) -> "Options":
        """The whole text is the address; one that has no `http://` is given it."""
        return cls(url=text if "//" in text or not text.partition("/")[1] else f"http://{text}")

    def headers(self) -> dict[str, str]:
        name, _, value = self.header.partition(":")
        own = {name.strip(): value.strip()} if self.header else {}
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {"Accept": "application/json", "Connection": "close"} | bearer | own


class Link:
    """Asks one address. The first answer is fetched by `open`, which thereby knows that the device is there."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.interval_s = options.interval_s
        self._url = urlsplit(options.url)
        self._path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        self._place = f"{self._url.scheme}://{self._url.netloc}{self._url.path}"
        self._socket: socket.socket | None = None  # of the question that is being asked
        self._answer: bytes | None = None
        self._due_s = 0.0
        self._closed = threading.Event()
        self._closed.set()

    def open(self) -> None:
        """Asks for the first time. Raises SourceError, never permanent."""
        self.close()
        self._closed.clear()
        self._due_s = time.monotonic()
        self._answer = self._asked()

    def read(self, timeout_s: float) -> bytes:
        """The next answer, as a line; b"" where it is not yet time for one. Raises SourceError where none comes."""
        if self._closed.is_set():
            raise SourceError(f"{self._place} is not open")
        if self._answer is not None:
            line, self._answer = self._answer, None
            return line
        wait_s = self._due_s - time.monotonic()
        if self._closed.wait(max(0.0, min(wait_s, timeout_s))) or wait_s > timeout_s:
            return b""
        return self._asked()

    def write(self, data: bytes) -> None:
        """The device is only asked."""

    def close(self) -> None:
        self._closed.set()
        connected, self._socket = self._socket, None
        if connected is not None:
            with contextlib.suppress(OSError):  # the device may have been first
                connected.shutdown(socket.SHUT_RDWR)  # ends a read in another thread, which closing alone does not

    def _asked(self) -> bytes:
        """One answer as a line. The next question is due an interval after this one, however long it took."""
        self._due_s = max(self._due_s + self._options.interval_s, time.monotonic())
        try:
            body = self._body()
        except (OSError, ValueError, http.client.HTTPException) as error:
            if self._closed.is_set():
                return b""
            self._fail(self._refusal(error), error)
        return to_line(self._path, body)

    def _body(self) -> bytes:
        """What the device answers, cut off where it is longer than a line may be."""
        deadline_s = time.monotonic() + self._options.timeout_s
        connection = self._new()
        with contextlib.closing(connection):
            connection.connect()
            self._socket = connection.sock
            connection.request("GET", self._path, headers=self._options.headers())
            with contextlib.closing(connection.getresponse()) as response:
                if response.status != http.client.OK:
                    self._fail(self._declined(response))
                body = b""
                while len(body) <= LINE_BYTES and (piece := response.read1(_PIECE_BYTES)):
                    body += piece
                    if time.monotonic() > deadline_s:
                        raise TimeoutError
                return body

    def _new(self) -> http.client.HTTPConnection:
        host, port, timeout_s = self._url.hostname or "", self._url.port, self._options.timeout_s
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=timeout_s)
        context = ssl.create_default_context(cafile=self._options.ca_file or None)
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)

    def _fail(self, why: str, cause: Exception | None = None) -> NoReturn:
        self.close()
        raise SourceError(why) from cause

    def _declined(self, response: http.client.HTTPResponse) -> str:
        """What a person does about an answer that is not 200."""
        status = response.status
        if 300 <= status < 400:
            elsewhere = response.getheader("Location", "")[:200]
            return f"{self._place} sends on to {elsewhere!r}: if that is the device, write it as url"
        step = _NEXT_STEP.get(status, "look at the device itself, or switch it off and on")
        return f"{self._place} answers {status} {response.reason[:80]}: {step}"

    def _refusal(self, error: Exception) -> str:
        host = self._url.netloc
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"the certificate of {host} is not trusted ({error.verify_message}): name its authority as ca_file"
        if isinstance(error, FileNotFoundError):
            return f"there is no file {self._options.ca_file}: write as ca_file the authority's certificate"
        if isinstance(error, socket.gaierror):
            return f"no host is called {self._url.hostname}: check the name, or write its address"
        if isinstance(error, ConnectionRefusedError):
            return f"nothing listens on {host}: check the address, and that the device is switched on"
        if isinstance(error, TimeoutError):
            return f"{host} did not answer in {self._options.timeout_s:g} s: is it switched on?"
        if isinstance(error, http.client.HTTPException):
            return f"{host} does not answer as HTTP does: check the port"
        return f"cannot ask {host}: {getattr(error, 'strerror', None) or error}"


def _url_problems(url: str) -> list[str]:
    """What is wrong with an address. A password does not belong into it, since it is shown."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, sound = SplitResult("", "", "", "", ""), False
    if not sound or not url.isascii() or not url.isprintable() or " " in url:
        return ["url: is no address; write one such as http://192.168.1.20/api/v1/data"]
    if parts.username or parts.password:
        return ["url: holds a password, which would be shown; write it as header"]
    return []
