"""One email as a file (.eml): what its headers say, its text, and what is attached.

    Date: Mon, 2 Mar 2026 19:00:00 +0100            1
    From: Kim Lee <kim@example.org>                 2
    Subject: =?UTF-8?Q?Caf=C3=A9?=                  3
    Message-ID: <7f3a@example.org>                  4

    See you there.                                  5

1 when, 2 with whom, 3 its title, 4 the supplier's own id, 5 its memo, up to a length. Attachments stay in the original;
their names, types and sizes are told (`appliance.mail.attachments` gives them).

Source: RFC 5322, RFC 2045 to 2047, RFC 2231.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import mmap

from appliance import mail, zones
from appliance.errors import UserError
from appliance.mail.record import NAMES, SOURCE
from appliance.records import Item, Rejected, Span

TITLE = "Email message (.eml)"

_HEADER = re.compile(rb"([!-9;-~]{1,100}+)[ \t]*+:[^\r\n]*+(?:(?:\r\n?|\n)[ \t][^\r\n]*+)*+(?:\r\n?|\n|\Z)")
_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*+")
_ENOUGH = 2  # headers that only messages have
_MOST_LOOKED_AT = 200


@dataclass(frozen=True)
class Options:
    """`zone`: that of a Date which names none, such as Europe/London."""

    zone: str = field(default="", metadata={"title": "Time zone, where a message names none"})

    def __post_init__(self) -> None:
        if self.zone and zones.named(self.zone) is None:
            raise UserError(f"zone={self.zone!r} is not a time zone; write one such as Europe/London")


def identify(head: bytes, name: str) -> bool:
    """Whether it begins with headers, two of which only messages have. Names say nothing."""
    begin = _BEGIN.match(head)
    position, found = begin.end() if begin else 0, set[str]()
    for _ in range(_MOST_LOOKED_AT):
        header = _HEADER.match(head, position)
        if header is None:
            break
        found.add(header[1].decode("ascii").lower())
        position = header.end()
    return len(found.intersection(NAMES)) >= _ENOUGH


def extract(data: bytes | mmap, options: Options) -> Iterator[Item]:
    """The one `Source`, and the message as a `Record` of `message`, or a `Rejected`."""
    yield SOURCE
    raw = bytes(data)
    begin = _BEGIN.match(raw)
    first = begin.end() if begin else 0
    span = Span(first, len(raw) - first)
    if not span.length:
        return
    try:
        yield mail.record(raw[first:], span, zones.named(options.zone) if options.zone else None)
    except ValueError as error:
        yield Rejected(
            span, 1, "message", f"{error}. Save it again from the mail program, as a message with its headers"
        )
