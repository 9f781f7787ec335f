"""A mailbox as one file (mbox), as Thunderbird, Apple's Mail, Google Takeout and Unix keep it, read forward.

    From kim@example.org Mon Mar  2 19:00:00 2026   1
    Date: Mon, 2 Mar 2026 19:00:00 +0100
    Subject: Saturday
                                                    2
    Dear Ada,
    >From now on we meet at four.                   3

1 begins a message, behind an empty line: `From `, a time, and a header in the next line. 2 ends the headers. 3 is a
line of the text that would look like 1 otherwise; one `>` is taken away, as mboxo and mboxrd put one there. The length
that some mailboxes state (Content-Length) is not trusted: it is often another one. What a message is read as stands in
`appliance.mail`.

Source: RFC 4155, appendix A; the descriptions of mboxo, mboxrd, mboxcl and mboxcl2 in qmail's mbox(5) and its heirs.
"""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from appliance import mail, zones
from appliance.errors import UserError
from appliance.mail.record import NAMES, SOURCE
from appliance.records import Item, Record, Rejected, Span, Warned

TITLE = "Mailbox (mbox)"

LONGEST_MESSAGE = 24 << 20  # bytes of one message that are looked at; of a longer one the rest is in the original
_SCANNED_AT_ONCE = 1 << 16
_LOOK_AHEAD = 1 << 12  # bytes behind a line that may begin a message: its own rest, and the next one
_LOOK_BACK = 4
_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*+")
_LINE = re.compile(rb"From ([^\r\n]{0,998}+)(?:(?:\r\n?|\n)([^\r\n]{0,998}+)|\Z)")
_TIME = re.compile(rb"(?:^|\s)([A-Z][a-z]{2},? .{0,20}[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?\b.{0,40})", re.S)
_HEADER = re.compile(rb"([!-9;-~]{1,100}+)[ \t]*+:")
_QUOTED_FROM = re.compile(rb"^>(?=>*From )", re.M)
_KNOWN = frozenset(
    {
        *NAMES,
        *("arc-seal", "authentication-results", "cc", "content-type", "delivered-to", "dkim-signature", "status"),
        *("envelope-to", "x-account-key", "x-gm-thrid", "x-gmail-labels", "x-mozilla-status", "x-original-to"),
    }
)


@dataclass(frozen=True)
class Options:
    """`zone`: that of a Date which names none, such as Europe/London."""

    zone: str = field(default="", metadata={"title": "Time zone, where a message names none"})

    def __post_init__(self) -> None:
        if self.zone and zones.named(self.zone) is None:
            raise UserError(f"zone={self.zone!r} is not a time zone; write one such as Europe/London")


def identify(head: bytes, name: str) -> bool:
    """Whether it begins with a line that begins a message. Names say nothing: these files often have no ending."""
    begin = _BEGIN.match(head)
    return _begins(head, begin.end() if begin else 0, is_first=True)


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """The one `Source`, and every message as a `Record` of `message`, or a `Rejected`; one is held at a time."""
    yield SOURCE
    zone = zones.named(options.zone) if options.zone else None
    count = 0
    for count, each in enumerate(_messages(pieces), 1):
        span = Span(each.first, each.length)
        try:
            if not each.raw.startswith(b"From "):
                raise ValueError("no line that begins a message stands before it")
            found = mail.record(_unquoted(each.raw), span, zone, _received(each.raw))
            yield found if len(each.raw) == each.length else _marked(found)
        except ValueError as error:
            reason = f"{error}. Export the mailbox again, or save this message by itself"
            yield Rejected(span, each.line, f"message {count}", reason)
    if not count:
        yield Warned("The file holds no messages.")


class _Message(NamedTuple):
    """One message with its line that begins it: its first `LONGEST_MESSAGE` bytes, and where it lies in the file."""

    raw: bytes
    first: int
    length: int
    line: int


def _messages(pieces: Iterator[bytes]) -> Iterator[_Message]:
    taken = _Taken()
    window, fed, offset = b"", 0, 0  # what is looked at, how much of it belongs to a message already, where it begins
    for more, is_last in _larger(pieces):
        window += more
        sure = len(window) if is_last else max(fed, len(window) - _LOOK_AHEAD)
        for begin in _begins_in(window, fed, sure, offset):
            taken.take(window[fed:begin])
            if message := taken.message():
                yield message
            taken = _Taken(offset + begin, taken.next_line)
            fed = begin
        taken.take(window[fed:sure])
        kept = max(0, sure - _LOOK_BACK)
        window, fed, offset = window[kept:], sure - kept, offset + kept
    if message := taken.message():
        yield message


def _larger(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The pieces, small ones joined, and whether one is the last."""
    held, length = list[bytes](), 0
    for piece in pieces:
        if length >= _SCANNED_AT_ONCE:
            yield b"".join(held), False
            held, length = [], 0
        held.append(piece)
        length += len(piece)
    yield b"".join(held), True


def _begins_in(window: bytes, first: int, end: int, offset: int) -> Iterator[int]:
    """Where messages begin in a part of what is looked at."""
    if not offset and not first and (begin := _BEGIN.match(window)) and begin.end() < end:
        if _begins(window, begin.end(), is_first=True):
            yield begin.end()
        first = begin.end() + 1
    place = window.find(b"\nFrom ", max(0, first - 1), end + 5)
    while place >= 0 and place + 1 < end:
        if place + 1 >= first and _begins(window, place + 1, is_first=False):
            yield place + 1
        place = window.find(b"\nFrom ", place + 1, end + 5)


def _begins(window: bytes, place: int, *, is_first: bool) -> bool:
    """Whether a message begins there: behind an empty line with a time or a well-known header, else with both."""
    line = _LINE.match(window, place)
    if line is None:
        return False
    header = _HEADER.match(line[2] or b"")
    is_known = header is not None and header[1].decode("ascii").lower() in _KNOWN
    has_time = _TIME.search(line[1]) is not None
    if is_first or window[max(0, place - 2) : place] == b"\n\n" or window[max(0, place - 3) : place] == b"\n\r\n":
        return is_known or (has_time and (header is not None or not line[2] or line[2].startswith(b">From ")))
    return is_known and has_time


class _Taken:
    """The bytes of a message, as they come."""

    def __init__(self, first: int = 0, line: int = 1) -> None:
        self._first, self._line = first, line
        self._held, self._length = bytearray(), 0
        self._line_ends, self._blank = 0, 0  # the second: line ends at its end, which part it from the next one

    def take(self, more: bytes) -> None:
        if self._length < LONGEST_MESSAGE:
            self._held += more[: LONGEST_MESSAGE - self._length]
        self._length += len(more)
        self._line_ends += more.count(b"\n")
        bare = len(more.rstrip(b"\r\n"))
        self._blank = len(more) - bare if bare else self._blank + len(more)

    @property
    def next_line(self) -> int:
        """The number of the line after it."""
        return self._line + self._line_ends

    def message(self) -> _Message | None:
        """The message without the empty line behind it; None for nothing but empty lines."""
        length = self._length - self._blank
        if not length:
            return None
        del self._held[length:]
        return _Message(bytes(self._held), self._first, length, self._line)


def _unquoted(raw: bytes) -> bytes:
    """A message without the `>` that its mailbox put before lines of it."""
    if b"\n>" not in raw:
        return raw
    bare, end = bytearray(), 0
    for quoted in _QUOTED_FROM.finditer(raw):  # `sub` would hold every line by itself
        bare += raw[end : quoted.start()]
        end = quoted.end()
    return bytes(bare + raw[end:])


def _received(raw: bytes) -> str:
    """The time that the line before a message states."""
    line = _LINE.match(raw)
    time = _TIME.search(line[1]) if line else None
    return time[1].decode("ascii", "replace") if time else ""


def _marked(found: Record) -> Record:
    cut = f"of this message {LONGEST_MESSAGE >> 20} MB were read"
    return dataclasses.replace(found, fields={**found.fields, "cut": cut})
