r"""One conversation with an IMAP server: bounded in time and size, nothing in it changed, errors in a person's words.

    C: 1 EXAMINE "INBOX"                                1 S: * OK [UIDVALIDITY 1772465463] UIDs valid
    C: 2 UID SEARCH UID 18:* SINCE 1-Jan-2026           2 S: * SEARCH 18 19
    C: 3 UID FETCH 18,19 (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)])
    C: 4 UID FETCH 18 (UID BODY.PEEK[])                 3 S: * 7 FETCH (UID 18 BODY[] {4711} ... )

1 opens for reading only. 2 While that number stays, a message keeps its UID, and new ones get greater ones. 3 Or the
last message, though its UID is less, as 18:* has at least one. PEEK leaves messages unread.

Source: RFC 3501 (IMAP4rev1), sections 2.3.1.1, 5.1.3, 6.4.4, 6.4.5, 7.4.2; RFC 4616 (PLAIN); RFC 5530 (response codes).
"""

import binascii
import imaplib
import io
import re
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from appliance import outward, web
from appliance.connectors import _mail_providers
from appliance.errors import SourceError

TLS, STARTTLS, PLAIN = "TLS", "STARTTLS", "none"
MOST_BYTES = 50 << 20  # of one message
WAIT_S, WHOLE_S = 30.0, 600.0
_MOST_LINE = 16 << 20  # a search's answer is one line
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LISTED = re.compile(rb'\(([^()]*)\) (?:"(?:[^"\\]|\\.)"|NIL) (?:"((?:[^"\\]|\\.)*)"|(.*))', re.S)
_SHIFTED = re.compile(r"&([^-]*)-")
_UID, _SIZE = re.compile(rb"\bUID (\d{1,10})"), re.compile(rb"\bRFC822\.SIZE (\d{1,12})")
_LATER = (b"[UNAVAILABLE]", b"[INUSE]", b"[LIMIT]", b"[SERVERBUG]", b"TOO MANY", b"TRY AGAIN")
_HEADERS = "(UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)])"
_WHOLE = "(UID BODY.PEEK[])"


@dataclass(frozen=True, slots=True)
class Server:
    """Where a mailbox is, and how it is spoken to; `certificate` is trusted besides the usual ones."""

    host: str
    port: int
    encryption: str = TLS
    certificate: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder by the name that people read, as it is called on the wire, and what it is for (`\\Trash`)."""

    name: str
    wire: bytes
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message before it is fetched: its length in bytes, and its From and Subject as headers."""

    uid: int
    size: int
    headers: bytes


class Mailbox:
    """An open mailbox. Raises SourceError whatever goes wrong."""

    def __init__(self, server: Server) -> None:
        self._server, self._is_broken = server, False
        self._need_encryption()
        with self._said_plainly():
            self._client = _connected(server)

    def close(self) -> None:
        """Ends the conversation: politely, unless something went wrong in it."""
        if not self._is_broken:
            with suppress(SourceError), self._said_plainly():
                self._client.logout()
        with suppress(OSError):
            self._client.shutdown()

    def login(self, user: str, password: str) -> None:
        """Says who asks: by PLAIN, which takes every letter, where the server has it."""
        said = f"\0{user}\0{password}".encode()
        with self._said_plainly():
            if "LOGINDISABLED" in self._client.capabilities and self._server.encryption == PLAIN:
                raise SourceError(
                    f"{self._server.host} takes no password without encryption: choose TLS or STARTTLS", permanent=True
                )
            try:
                if "AUTH=PLAIN" in self._client.capabilities:
                    self._client.authenticate("PLAIN", lambda _: said)
                else:
                    self._client.login(_quoted(user.encode()), password)  # type: ignore[arg-type]
            except imaplib.IMAP4.abort:
                raise
            except (imaplib.IMAP4.error, UnicodeError) as error:
                raise self._refused(str(error).upper().encode()) from None

    def folders(self) -> list[Folder]:
        """All folders in which messages can lie."""
        with self._said_plainly():
            lines = self._client.list()[1]
        found = filter(None, map(_folder, lines))
        return [folder for folder in found if not folder.flags & {"\\noselect", "\\nonexistent"}]

    def open(self, folder: Folder) -> int:
        """Opens a folder to read; its UIDVALIDITY, 0 where the server has none."""
        with self._said_plainly():
            status, _ = self._client.select(_quoted(folder.wire), readonly=True)  # type: ignore[arg-type]
            said = self._client.response("UIDVALIDITY")[1][-1]
        if status != "OK":
            raise SourceError(f"{self._server.host} does not open the folder {folder.name} at the moment")
        return int(said) if isinstance(said, bytes) and said.isdigit() else 0

    def after(self, uid: int, since: date | None) -> list[int]:
        """The UIDs of the messages after one, rising; of those alone that came on a day or later, where one is said."""
        asked = [f"UID {uid + 1}:*"]
        if since:
            asked.append(f"SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year:04}")
        found = self._uid("SEARCH", *asked)
        numbers = (int(each) for line in found if isinstance(line, bytes) for each in line.split() if each.isdigit())
        return sorted({number for number in numbers if number > uid})

    def envelopes(self, uids: Iterable[int]) -> list[Envelope]:
        """What these messages are, by rising UID; those that are gone meanwhile are not among them."""
        found = {}
        for said, headers in _answers(self._uid("FETCH", _set(uids), _HEADERS)):
            uid, size = _UID.search(said), _SIZE.search(said)
            if uid and size:
                found[int(uid[1])] = Envelope(int(uid[1]), int(size[1]), headers)
        return [found[uid] for uid in sorted(found)]

    def messages(self, uids: Iterable[int]) -> dict[int, bytes]:
        """The messages themselves by UID, without those that are gone meanwhile."""
        found = {}
        for said, raw in _answers(self._uid("FETCH", _set(uids), _WHOLE)):
            uid = _UID.search(said)
            if uid and b"BODY[]" in said:
                found[int(uid[1])] = raw
        return found

    def _uid(self, command: str, *said: str) -> list[Any]:
        with self._said_plainly():
            status, found = self._client.uid(command, *said)
        if status != "OK":
            raise SourceError(f"{self._server.host} cannot answer at the moment; it is tried again later")
        return list(found)

    def _need_encryption(self) -> None:
        server = self._server
        if server.encryption == PLAIN and not web.is_at_home(server.host, server.port):
            raise SourceError(f"{server.host} is not at home, so it is spoken to with TLS or STARTTLS", permanent=True)

    def _refused(self, said: bytes) -> SourceError:
        if any(each in said for each in _LATER):
            return SourceError(f"{self._server.host} lets nobody in at the moment; it is tried again later")
        wants = _mail_providers.WANTS.get(
            self._server.host.lower(), "where the provider has app passwords, it takes no other"
        )
        return SourceError(
            f"{self._server.host} refused the user name or the password: give them anew; {wants}", permanent=True
        )

    @contextmanager
    def _said_plainly(self) -> Iterator[None]:
        if hasattr(self, "_client"):
            self._client.begin()
        try:
            with _said_plainly(self._server.host, self._server.port):
                yield
        except BaseException:
            self._is_broken = True
            raise


class _Bounded(imaplib.IMAP4):
    """Reads no more for one question, and no longer, than an answer can need."""

    def __init__(self, *said: Any, **more: Any) -> None:
        self.begin()
        super().__init__(*said, **more)

    def begin(self) -> None:
        """A question is asked."""
        self._left, self._until_s = 2 * MOST_BYTES, time.monotonic() + WHOLE_S

    def read(self, size: int) -> bytes:
        if size > self._left:
            self._hold(size)
        whole = bytearray()
        while len(whole) < size and (piece := self._next(size - len(whole))):
            whole += piece
        return bytes(whole)

    def readline(self) -> bytes:
        line = bytearray()
        while piece := self._next(_MOST_LINE - len(line), to_line_end=True):
            line += piece
            if piece.endswith(b"\n"):
                break
        return bytes(line)

    def _next(self, most: int, *, to_line_end: bool = False) -> bytes:
        """What has come, waiting once where that is nothing; b"" at the end, and where no more is wanted."""
        file = cast(io.BufferedReader, self.file)
        come = file.peek(1)[:most] if most else b""
        length = come.find(b"\n") + 1 if to_line_end else 0
        self._hold(length or len(come))
        return file.read(length or len(come))

    def _hold(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise SourceError(
                f"{self.host} sent more than {2 * MOST_BYTES >> 20} MB, which is no answer to this", permanent=True
            )
        if time.monotonic() > self._until_s:
            raise SourceError(f"{self.host} took longer than {WHOLE_S / 60:.0f} minutes to answer")


class _BoundedOverTls(_Bounded, imaplib.IMAP4_SSL):
    """The same over TLS."""


def _connected(server: Server) -> _Bounded:
    if server.encryption == TLS:
        return _BoundedOverTls(server.host, server.port, ssl_context=_context(server.certificate), timeout=WAIT_S)
    client = _Bounded(server.host, server.port, timeout=WAIT_S)
    try:
        if server.encryption == STARTTLS:
            _encrypt(client, server)
    except BaseException:
        with suppress(OSError):
            client.shutdown()
        raise
    return client


def _encrypt(client: _Bounded, server: Server) -> None:
    if "STARTTLS" not in client.capabilities:
        raise SourceError(f"{server.host} offers no STARTTLS: choose TLS, at port 993", permanent=True)
    client.starttls(_context(server.certificate))


@contextmanager
def _said_plainly(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except ssl.SSLCertVerificationError:
        raise SourceError(
            f"{host} shows a certificate that nobody trusted vouches for; if it is a server of your own, give its "
            "certificate with it",
            permanent=True,
        ) from None
    except ssl.SSLError as error:
        if error.reason == "WRONG_VERSION_NUMBER":
            raise SourceError(
                f"{host} speaks no TLS at that port: check the port (993 is usual), or choose STARTTLS",
                permanent=True,
            ) from None
        raise SourceError(f"{host} cannot be reached, or broke off in the middle; try again later") from None
    except (OSError, UnicodeError, imaplib.IMAP4.abort) as error:
        if why := outward.closed(host, port):
            raise SourceError(f"{host} cannot be reached: {why}", permanent=True) from None
        if isinstance(error, TimeoutError):
            raise SourceError(f"{host} does not answer; try again later") from None
        raise SourceError(f"{host} cannot be reached, or broke off in the middle; try again later") from None
    except (imaplib.IMAP4.error, ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise SourceError(f"{host} answered in a way that no mail server does; check the port") from None


def _context(authority: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if authority.strip():
        try:
            context.load_verify_locations(cadata=authority)
        except (ssl.SSLError, ValueError):
            raise SourceError(
                "the certificate is not one: it begins with -----BEGIN CERTIFICATE-----", permanent=True
            ) from None
    return context


def _answers(found: list[Any]) -> Iterator[tuple[bytes, bytes]]:
    """What is said of each message, before and after its literal, and that: (b'1 (UID 18 BODY[] {3}', b'abc'), b')'.

    An empty one comes without a literal: b'1 (UID 18 BODY[] "")'.
    """
    position = 0
    while position < len(found):
        each = found[position]
        after = found[position + 1] if position + 1 < len(found) else None
        if isinstance(each, tuple):
            yield each[0] + (after if isinstance(after, bytes) else b""), each[1]
            position += 1 + isinstance(after, bytes)
        else:
            if isinstance(each, bytes):
                yield each, b""
            position += 1


def _set(uids: Iterable[int]) -> str:
    return ",".join(map(str, uids))


# ---- names of folders ----


def _folder(line: Any) -> Folder | None:
    """`(\\HasNoChildren) "/" "Bills"`, or with the name as a literal."""
    whole = re.sub(rb"\{\d+\}\Z", b"", line[0]) + b'"' + _escaped(line[1]) + b'"' if isinstance(line, tuple) else line
    found = _LISTED.fullmatch(whole) if isinstance(whole, bytes) else None
    if not found:
        return None
    wire = re.sub(rb"\\(.)", rb"\1", found[2], flags=re.S) if found[2] is not None else found[3]
    flags = frozenset(found[1].decode("ascii", "replace").lower().split())
    return Folder(_read(wire), wire, flags)


def _quoted(text: bytes) -> bytes:
    return b'"' + _escaped(text) + b'"'


def _escaped(text: bytes) -> bytes:
    return re.sub(rb'(["\\])', rb"\\\1", text)


def _read(wire: bytes) -> str:
    """Modified UTF-7: Entw&APw-rfe -> Entwürfe; what is none stays as it is."""
    try:
        return _SHIFTED.sub(lambda found: _unshifted(found[1]), wire.decode("utf-8", "replace"))
    except ValueError:
        return wire.decode("utf-8", "replace")


def _unshifted(letters: str) -> str:
    if not letters:
        return "&"
    raw = binascii.a2b_base64(letters.replace(",", "/") + "=" * (-len(letters) % 4))
    return raw.decode("utf-16-be")
