"""Originals: the files as they came, kept once by their SHA-256, compressed and sealed with the store's key.

    part = nonce (12 bytes) | AES-256-GCM(zlib(1 MiB of the file)), bound to the SHA-256 and the part's number

Sealed by us on SQLCipher too, so that one code is tested on both databases and PostgreSQL never sees one in clear.
"""

import hashlib
import secrets
import zlib
from collections.abc import Iterator
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Engine, and_, insert, select, update

from appliance.store.keys import StoreKey
from appliance.store.models import Original, OriginalPart

PART_BYTES = 1 << 20


def keep(connection: Connection, key: StoreKey, data: bytes) -> str:
    """Keeps a file, where it is not kept yet; its SHA-256 in hex."""
    sha256 = hashlib.sha256(data).hexdigest()
    if size(connection, sha256) is None:
        connection.execute(insert(Original).values(sha256=sha256, size=len(data)))
        cipher = _cipher(key)
        for number in range(-(-len(data) // PART_BYTES)):
            part = zlib.compress(data[number * PART_BYTES : (number + 1) * PART_BYTES], 1)
            nonce = secrets.token_bytes(12)
            sealed = nonce + cipher.encrypt(nonce, part, _bound(sha256, number))
            connection.execute(insert(OriginalPart).values(sha256=sha256, number=number, sealed=sealed))
    return sha256


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


def _cipher(key: StoreKey) -> AESGCM:
    return AESGCM(key.derived("originals"))


def _bound(sha256: str, number: int) -> bytes:
    return f"{sha256} {number}".encode()
