"""Originals: the files as they came, kept once by their SHA-256, compressed and sealed with the store's key.

    part = nonce (12 bytes) | AES-256-GCM(zlib(1 MiB of the file)), bound to the SHA-256 and the part's number

Sealed by us on SQLCipher too, so that one code is tested on both databases and PostgreSQL never sees one in clear.
"""

import hashlib
import re
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine, and_, delete, insert, select, update

from appliance.content import PIECE_BYTES, Content, InMemory
from appliance.errors import UserError
from appliance.store.keys import StoreKey
from appliance.store.models import Original, OriginalPart

PART_BYTES = PIECE_BYTES

Span = tuple[int, int]  # the first byte and the length

_NO_LINE_END = re.compile(rb"[^\r\n]")  # blanked line ends would move every line below


_Reading = Callable[[], AbstractContextManager[Connection]]


class Kept(Content):
    """An original that a store keeps, as a content; `read` opens a connection for as long as it is read."""

    def __init__(self, name: str, read: _Reading, key: StoreKey, sha256: str) -> None:
        with read() as connection:
            super().__init__(name, size(connection, sha256) or 0)
        self._read, self._key, self._sha256 = read, key, sha256

    def pieces(self) -> Iterator[bytes]:
        with self._read() as connection:
            yield from parts(connection, self._key, self._sha256)


def keep(connection: Connection, key: StoreKey, data: bytes | Content) -> str:
    """Keeps a file, where it is not kept yet; its SHA-256 in hex. One that was blanked is whole again."""
    content = InMemory("", data) if isinstance(data, bytes) else data
    sha256 = content.sha256()
    if size(connection, sha256) is None:
        connection.execute(insert(Original).values(sha256=sha256, size=content.size))
    elif blanked(connection, sha256):
        connection.execute(delete(OriginalPart).where(OriginalPart.sha256 == sha256))
        whole = {"blanked": None, "blanked_sha256": None}
        connection.execute(update(Original).where(Original.sha256 == sha256).values(whole))
    else:
        return sha256
    digest = hashlib.sha256()
    for number, part in enumerate(content.pieces()):
        digest.update(part)
        sealed = _sealed(_cipher(key), part, sha256, number)
        connection.execute(insert(OriginalPart).values(sha256=sha256, number=number, sealed=sealed))
    if digest.hexdigest() != sha256:
        raise UserError(f"{content.name}: the file changed while it was read; import it once it is whole")
    return sha256


def put(connection: Connection, key: StoreKey, row: Mapping[str, Any], parts: Iterable[bytes]) -> None:
    """Keeps a file of another store, which is not here yet: its row, and its content a mebibyte at a time."""
    sha256 = str(row["sha256"])
    connection.execute(insert(Original).values(row))
    for number, part in enumerate(parts):
        sealed = _sealed(_cipher(key), part, sha256, number)
        connection.execute(insert(OriginalPart).values(sha256=sha256, number=number, sealed=sealed))


def blank(connection: Connection, key: StoreKey, sha256: str, spans: Iterable[Span]) -> int:
    """Overwrites spans of a file with spaces, for good, but for its line ends; how many bytes of them."""
    length = size(connection, sha256) or 0
    before = blanked(connection, sha256)
    fresh = without(spans, before)
    inside = [(first, min(count, length - first)) for first, count in fresh if first < length]
    if not inside:
        return 0
    for number in sorted({each for first, count in inside for each in _numbers(first, count)}):
        part = bytearray(_part(connection, key, sha256, number))
        for first, count in inside:
            begin = max(0, first - number * PART_BYTES)
            end = min(len(part), first + count - number * PART_BYTES)
            if begin < end:
                part[begin:end] = _NO_LINE_END.sub(b" ", part[begin:end])
        which = and_(OriginalPart.sha256 == sha256, OriginalPart.number == number)
        sealed = _sealed(_cipher(key), bytes(part), sha256, number)
        connection.execute(update(OriginalPart).where(which).values(sealed=sealed))
    digest = hashlib.sha256()
    for each in parts(connection, key, sha256):
        digest.update(each)
    now = {"blanked": [list(span) for span in merged([*before, *inside])], "blanked_sha256": digest.hexdigest()}
    connection.execute(update(Original).where(Original.sha256 == sha256).values(now))
    return sum(count for _, count in inside)


def blanked(connection: Connection, sha256: str) -> list[Span]:
    """The spans of a file that were overwritten."""
    found = connection.execute(select(Original.blanked).where(Original.sha256 == sha256)).scalar_one_or_none()
    return [(first, length) for first, length in found or ()]


def digest_of(connection: Connection, sha256: str) -> str:
    """The SHA-256 that its content has: another one than its name's where a part of it was overwritten."""
    found = connection.execute(select(Original.blanked_sha256).where(Original.sha256 == sha256)).scalar_one_or_none()
    return found or sha256


def discard(connection: Connection, sha256: str) -> None:
    """Removes a file that nothing names any more."""
    connection.execute(delete(OriginalPart).where(OriginalPart.sha256 == sha256))
    connection.execute(delete(Original).where(Original.sha256 == sha256))


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch or overlap as one, none of them empty."""
    joined: list[Span] = []
    for first, length in sorted(span for span in spans if span[1] > 0):
        if joined and first <= sum(joined[-1]):
            joined[-1] = (joined[-1][0], max(sum(joined[-1]), first + length) - joined[-1][0])
        else:
            joined.append((first, length))
    return joined


def without(spans: Iterable[Span], kept: Iterable[Span]) -> list[Span]:
    """What spans cover and the kept ones do not."""
    rest: list[Span] = []
    others = merged(kept)
    place = 0
    for first, length in merged(spans):
        end = first + length
        while place < len(others) and sum(others[place]) <= first:
            place += 1
        at = place
        while first < end and at < len(others) and others[at][0] < end:
            rest.append((first, others[at][0] - first))
            first = max(first, sum(others[at]))
            at += 1
        rest.append((first, end - first))
    return [span for span in rest if span[1] > 0]


def size(connection: Connection, sha256: str) -> int | None:
    """The original's length in bytes, or None where the store has none such."""
    return connection.execute(select(Original.size).where(Original.sha256 == sha256)).scalar_one_or_none()


def all_of(connection: Connection) -> list[tuple[str, int]]:
    """Every original's SHA-256 and length."""
    rows = connection.execute(select(Original.sha256, Original.size).order_by(Original.sha256))
    return [(sha256, length) for sha256, length in rows]


def read(connection: Connection, key: StoreKey, sha256: str) -> bytes:
    """The whole file."""
    return b"".join(parts(connection, key, sha256))


def parts(connection: Connection, key: StoreKey, sha256: str) -> Iterator[bytes]:
    """The file, a part of at most 1 MiB at a time."""
    for number in range(-(-(size(connection, sha256) or 0) // PART_BYTES)):
        yield _part(connection, key, sha256, number)


def excerpt(connection: Connection, key: StoreKey, sha256: str, first: int | None, length: int | None) -> bytes:
    """The bytes of a span; shorter where the file ends before it, none where there is no span."""
    if first is None or length is None or length <= 0 or first < 0:
        return b""
    begin, end = first // PART_BYTES, (first + length - 1) // PART_BYTES
    last = ((size(connection, sha256) or 0) - 1) // PART_BYTES
    joined = b"".join(_part(connection, key, sha256, number) for number in range(begin, min(end, last) + 1))
    return joined[first - begin * PART_BYTES :][:length]


def reseal(engine: Engine, before: StoreKey, after: StoreKey) -> None:
    """Seals every original with another key, a file a transaction. What is done already is left alone."""
    with engine.connect() as connection:
        every = [sha256 for sha256, _ in all_of(connection)]
    for sha256 in every:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            _reseal(connection, _cipher(before), _cipher(after), sha256)


def _reseal(connection: Connection, before: AESGCM, after: AESGCM, sha256: str) -> None:
    numbers = select(OriginalPart.number).where(OriginalPart.sha256 == sha256)
    for number in connection.execute(numbers).scalars().all():
        part, bound = and_(OriginalPart.sha256 == sha256, OriginalPart.number == number), _bound(sha256, number)
        sealed = connection.execute(select(OriginalPart.sealed).where(part)).scalar_one()
        with suppress(InvalidTag):
            after.decrypt(sealed[:12], sealed[12:], bound)
            continue
        nonce = secrets.token_bytes(12)
        again = nonce + after.encrypt(nonce, before.decrypt(sealed[:12], sealed[12:], bound), bound)
        connection.execute(update(OriginalPart).where(part).values(sealed=again))


def _part(connection: Connection, key: StoreKey, sha256: str, number: int) -> bytes:
    found = select(OriginalPart.sealed).where(OriginalPart.sha256 == sha256, OriginalPart.number == number)
    sealed = connection.execute(found).scalar_one()
    return zlib.decompress(_cipher(key).decrypt(sealed[:12], sealed[12:], _bound(sha256, number)))


def _numbers(first: int, length: int) -> range:
    """The parts in which a span lies."""
    return range(first // PART_BYTES, (first + length - 1) // PART_BYTES + 1)


def _sealed(cipher: AESGCM, part: bytes, sha256: str, number: int) -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + cipher.encrypt(nonce, zlib.compress(part, 1), _bound(sha256, number))


def _cipher(key: StoreKey) -> AESGCM:
    return AESGCM(key.derived("originals"))


def _bound(sha256: str, number: int) -> bytes:
    return f"{sha256} {number}".encode()
