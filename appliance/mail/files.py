"""What is attached to a message."""

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass

from appliance import parsing
from appliance.mail.message import MESSAGE, Part, message

_LONGEST_NAME = 200
_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')
_MOST_FORWARDED = 5  # messages in messages that are opened


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a message: a name that is fit for one (no path), its type, and its bytes, decoded."""

    name: str
    type: str
    data: bytes


def attachments(raw: bytes, depth: int = _MOST_FORWARDED) -> Iterator[Attachment]:
    """The files in a message, in its order, one after the other; of a message in it, that and then its own files."""
    for part in message(raw).leaves():
        if part.is_attached:
            data = part.content()
            yield Attachment(name(part), part.type, data)
            if part.type == MESSAGE and depth:
                yield from attachments(data, depth - 1)


def name(part: Part) -> str:
    """A part's own name without a path, or one made from what it is."""
    said = _UNFIT.sub("_", parsing.one_line(part.name.replace("\\", "/").rpartition("/")[2])).strip(". ")
    if said:
        stem, dot, ending = said.rpartition(".")
        return said if len(said) <= _LONGEST_NAME else f"{stem[: _LONGEST_NAME - 20]}{dot}{ending[-15:]}"
    if part.type == MESSAGE:
        return "message.eml"
    return f"unnamed{mimetypes.guess_extension(part.type) or ''}"


def listed(part: Part) -> str:
    """As a record says it: invoice.pdf (application/pdf, 45231 bytes)."""
    return f"{name(part)} ({part.type}, {part.size} bytes)"
