"""A message as a fact."""

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from hashlib import blake2b

from appliance import parsing
from appliance.mail import files, words
from appliance.mail.message import Part, message
from appliance.records import Record, Source, Span

SOURCE = Source("email", "Email")
KIND, ACCOUNT = "message", "email"
LONGEST_TEXT = 20_000  # characters of a message's text; part of its key, so another number would make each a new one
LONGEST_SUBJECT = 1_000
MOST_ATTACHMENTS = 100
NAMES = ("from", "to", "date", "subject", "message-id", "received", "sender", "return-path", "reply-to", "mime-version")
_DELIVERED = ("delivered-to", "x-original-to", "envelope-to", "x-delivered-to", "x-envelope-to")
_IDS = re.compile(r"<([^<>\s]{1,500}+)>")
_SENT = frozenset({"sent", "sent mail", "gesendet", "envoyés", "messages envoyés", "enviados", "inviata", "verzonden"})
_MOST_REFERENCES = 100


def record(raw: bytes, span: Span, zone: tzinfo | None = None, received: str = "") -> Record:
    """The fact of a message's bytes; `zone` is that of times without one, `received` what a mailbox says of when it
    came. ValueError, with the reason for a person, where it is no message.
    """
    said = message(raw)
    if not any(said.header(name) for name in NAMES):
        raise ValueError("it has no header that a message has")
    text, attached = said.text(), [part for part in said.leaves() if part.is_attached]
    at, dated = _when(said, zone, received)
    is_sent = any(label.casefold() in _SENT for label in _labels(said))
    account = words.bare(said.header("from")) if is_sent else _delivered_to(said)
    fields = {
        "service": "email",
        "direction": "sent" if is_sent else "received" if account else "",
        **_people(said),
        **_thread(said),
        "attachments": "\n".join(_listed(attached)),
        "labels": ", ".join(_labels(said)),
        "list": said.header("list-id"),
        "dated": dated,
        "cut": f"the first {LONGEST_TEXT} of {len(text)} characters" if len(text) > LONGEST_TEXT else "",
    }
    return Record(
        kind=KIND,
        at=at,
        title=said.header("subject")[:LONGEST_SUBJECT],
        span=span,
        party=_party(fields["to" if is_sent else "from"].splitlines()),
        account=account,
        account_key=ACCOUNT,
        memo=text[:LONGEST_TEXT],
        supplier_id=_id(said.header("message-id")),
        fields={name: value for name, value in fields.items() if value},
        detail=_digest(said, attached),
    )


def _people(said: Part) -> dict[str, str]:
    """Whom it is from and to, each address on a line."""
    names = {"from": "from", "to": "to", "cc": "cc", "bcc": "bcc", "reply_to": "reply-to"}
    stated = {field: words.addresses(", ".join(said.headers(header))) for field, header in names.items()}
    return {field: "\n".join(addresses) for field, addresses in stated.items()}


def _listed(attached: list[Part]) -> Iterator[str]:
    yield from map(files.listed, attached[:MOST_ATTACHMENTS])
    if len(attached) > MOST_ATTACHMENTS:
        yield f"and {len(attached) - MOST_ATTACHMENTS} more"


def _when(said: Part, zone: tzinfo | None, received: str) -> tuple[datetime | None, str]:
    """When it was sent, and where its own date cannot be read, what was taken for it."""
    stated = said.header("date")
    if at := words.when(stated, zone):
        return at, ""
    own = f"its own date {stated[:80]!r} cannot be read" if stated else "it has no date of its own"
    for each in said.headers("received"):
        if at := words.when(each.rpartition(";")[2], zone):
            return at, f"when it was received: {own}"
    if at := words.when(received, None):
        return at, f"when the mailbox got it: {own}"
    return None, own


def _delivered_to(said: Part) -> str:
    return next((words.bare(each) for each in map(said.header, _DELIVERED) if each), "")


def _party(addresses: list[str]) -> str:
    names = [words.name(each) for each in addresses[:3]]
    return ", ".join(names) + (f" and {len(addresses) - 3} more" if len(addresses) > 3 else "")


def _labels(said: Part) -> list[str]:
    """Where it lay: Gmail's labels, and the keywords of others."""
    every = [*said.headers("x-gmail-labels"), *said.headers("x-keywords"), *said.headers("keywords")]
    return list(dict.fromkeys(label.strip().strip('"') for one in every for label in one.split(",") if label.strip()))


def _thread(said: Part) -> dict[str, str]:
    references = _IDS.findall(" ".join(said.headers("references")))
    answered = _IDS.findall(said.header("in-reply-to"))
    first = (references or answered or [_id(said.header("message-id"))])[0]
    return {
        "thread": said.header("x-gm-thrid") or first,
        "in_reply_to": "\n".join(answered[:_MOST_REFERENCES]),
        "references": "\n".join(references[:_MOST_REFERENCES]),
    }


def _id(said: str) -> str:
    """A Message-ID without its brackets."""
    found = _IDS.search(said)
    return found[1] if found else parsing.one_line(said)[:500]


def _digest(said: Part, attached: list[Part]) -> str:
    """What tells messages apart that say the same on one day: who sent them, when to the second, and their files."""
    told = [said.header("from"), said.header("date"), *(f"{part.type} {part.name}" for part in attached)]
    return blake2b("\n".join(told).encode("utf-8", "replace"), digest_size=12).hexdigest()
