"""The bytes that a fact was read from, with what stands around them in the file."""

from dataclasses import dataclass

from sqlalchemy import Connection

from appliance.store import originals
from appliance.store.keys import StoreKey
from appliance.store.records import Stored

CONTEXT_BYTES, CONTEXT_LINES = 400, 7
SHOWN_BYTES = 8000


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of an original as text: what is before the fact, the fact's own bytes, and what is after it."""

    before: str
    own: str
    after: str
    first: int
    last: int
    size: int
    cut: bool


def of(connection: Connection, key: StoreKey, record: Stored) -> Excerpt | None:
    """What a fact was read from; None where nothing of it is in this store."""
    size = originals.size(connection, record.original) if record.original else None
    if size is None or record.first is None or record.length is None:
        return None
    begin, own_length = max(0, record.first - CONTEXT_BYTES), min(record.length, SHOWN_BYTES)
    own_at = record.first - begin
    data = originals.excerpt(connection, key, record.original, begin, own_at + own_length + CONTEXT_BYTES)
    before, own, after = (
        _whole_lines(data[:own_at], begin),
        data[own_at : own_at + own_length],
        data[own_at + own_length :],
    )
    cut = record.length > SHOWN_BYTES
    return Excerpt(
        before="".join(_text(before).splitlines(keepends=True)[-CONTEXT_LINES:]),
        own=_text(own),
        after="" if cut else "".join(_text(after).splitlines(keepends=True)[:CONTEXT_LINES]),
        first=record.first,
        last=record.first + record.length - 1,
        size=size,
        cut=cut,
    )


def _whole_lines(before: bytes, begin: int) -> bytes:
    """Without a first line whose beginning lies before what was read; of one long line, all that there is."""
    return before[before.find(b"\n") + 1 :] if begin else before


def _text(data: bytes) -> str:
    r"""Bytes as a person can read them: UTF-8, and what is not as \xe9."""
    return data.decode("utf-8", "backslashreplace").replace("\r\n", "\n").replace("\0", "\\x00")
