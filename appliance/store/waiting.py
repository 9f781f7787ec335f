"""Files that came while a store was locked: sealed to its public key, in the order in which they came.

    DIR/stores/NAME/waiting/NUMBER.sealed = magic (8) | ephemeral X25519 public key (32) | sealed
    sealed  = AES-256-GCM, nonce 0 since the key is used once, bound to magic and public key, over
              length of the name (2, little-endian) | name in UTF-8 | content
    key     = HKDF-SHA256(X25519(ephemeral, the store's public key))

Nothing on the box opens one while the store is locked.
"""

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.store.keys import derive, write_durably

SUFFIX = ".sealed"
_MAGIC: Final = b"INGWAI01"
_HEAD_BYTES: Final = len(_MAGIC) + 32
_NONCE: Final = bytes(12)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that waited, opened."""

    name: str
    content: bytes


def folder_of(store_folder: Path) -> Path:
    """Where a store's files wait."""
    return store_folder / "waiting"


def files(store_folder: Path) -> list[Path]:
    """What waits for a store, the first that came first."""
    return sorted(folder_of(store_folder).glob(f"*{SUFFIX}"))


def put(store_folder: Path, public_key: bytes, file: Waiting) -> None:
    """Seals a file to a store; it survives a power cut once this is done."""
    ephemeral = X25519PrivateKey.generate()
    head = _MAGIC + ephemeral.public_key().public_bytes_raw()
    cipher = _cipher(ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key)))
    name = file.name.encode()[:0xFFFF]
    sealed = cipher.encrypt(_NONCE, len(name).to_bytes(2, "little") + name + file.content, head)
    while True:
        with suppress(FileExistsError):  # another file of the same nanosecond
            path = folder_of(store_folder) / f"{time.time_ns():020}{SUFFIX}"
            return write_durably(path, head + sealed, exclusive=True)


@contextmanager
def taken(path: Path, private_keys: Sequence[X25519PrivateKey]) -> Iterator[Waiting | None]:
    """A file that waits, which goes when the block ends; None where another process takes it at this moment.

    It stays where the block raises. ValueError where none of the keys opens it.
    """
    try:
        held = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        if not path.exists():
            yield None
            return
        yield _opened(held.read(), private_keys)
        path.unlink(missing_ok=True)


def _opened(content: bytes, private_keys: Sequence[X25519PrivateKey]) -> Waiting:
    head, sealed = content[:_HEAD_BYTES], content[_HEAD_BYTES:]
    if len(head) < _HEAD_BYTES or not head.startswith(_MAGIC):
        raise ValueError("this is no file that was sealed to a store")
    ephemeral = X25519PublicKey.from_public_bytes(head[len(_MAGIC) :])
    for key in private_keys:
        with suppress(InvalidTag):
            opened = _cipher(key.exchange(ephemeral)).decrypt(_NONCE, sealed, head)
            end = 2 + int.from_bytes(opened[:2], "little")
            return Waiting(opened[2:end].decode("utf-8", "replace"), opened[end:])
    raise ValueError("it is sealed to another store's key, or was changed by somebody")


def _cipher(shared: bytes) -> AESGCM:
    return AESGCM(derive(shared, "waiting file"))
