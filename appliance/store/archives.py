"""Archive files: facts that were moved out of a store, encrypted, one file an archive.

    DIR/stores/NAME/archives/NUMBER.archive = magic (8) | nonce (12) | the file's own key, wrapped (48) | frame...
    frame   = length of what follows (4, little-endian) | AES-256-GCM(zlib(JSON objects, one a line))
    nonce   = the frame's place in the file (11, big-endian) | 1 where it is the last one, else 0
    bound   = magic | the archive's number (8, big-endian)

The file's key is 32 random bytes, used for this file alone and wrapped (AES-256-GCM, bound as the frames are) by a key
derived from the store's. A frame that is dropped, swapped, cut off or taken from another archive opens nothing, since
its place, its being the last one and the archive's number are part of what is proven.
"""

import hashlib
import json
import os
import secrets
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.errors import UserError
from appliance.store.keys import StoreKey, sync_folder, write_durably

SUFFIX = ".archive"
FRAME_BYTES = 1 << 20
LONGEST_FRAME_BYTES = 256 << 20  # a line is never parted; more than this is no length that we wrote
_MAGIC: Final = b"INGARC01"
_KEY_BYTES: Final = 32
_WRAP_BYTES: Final = 12 + _KEY_BYTES + 16
_LENGTH: Final = struct.Struct("<I")

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """What an archive file came to: its length, the SHA-256 of its frames, and how many lines it holds."""

    size: int
    sha256: str
    lines: int


def folder_of(store_folder: Path) -> Path:
    """Where a store's archives lie."""
    return store_folder / "archives"


def path_of(store_folder: Path, number: int) -> Path:
    """Where an archive lies."""
    return folder_of(store_folder) / f"{number}{SUFFIX}"


def write(store_folder: Path, number: int, key: StoreKey, lines: Iterable[Line]) -> Written:
    """Writes an archive, in place of one that an earlier try left behind; it survives a power cut once this is done.

    OSError where the disk does not take it; nothing is left behind then.
    """
    path, secret, frames = path_of(store_folder, number), secrets.token_bytes(_KEY_BYTES), hashlib.sha256()
    cipher, bound, count = AESGCM(secret), _bound(number), 0
    with _durable(path) as file:
        file.write(_MAGIC + _wrapped(secret, key, number))
        for place, (content, lines_in_it, last) in enumerate(_frames(lines)):
            sealed = cipher.encrypt(_nonce(place, last=last), zlib.compress(content, 6), bound)
            frame = _LENGTH.pack(len(sealed)) + sealed
            frames.update(frame)
            file.write(frame)
            count += lines_in_it
    return Written(path.stat().st_size, frames.hexdigest(), count)


def read(store_folder: Path, number: int, key: StoreKey) -> Iterator[Line]:
    """Every line of an archive, each frame proven before its lines are given.

    UserError where the file is missing, cut or altered: what was given until then must be thrown away.
    """
    path, bound = path_of(store_folder, number), _bound(number)
    try:
        with path.open("rb") as file:
            cipher = AESGCM(_unwrapped(file, key, number))
            for place, (sealed, last) in enumerate(_sealed_frames(file)):
                content = zlib.decompress(cipher.decrypt(_nonce(place, last=last), sealed, bound))
                yield from map(json.loads, content.splitlines())
    except FileNotFoundError:
        raise UserError(
            f"{path}: the file of archive {number} is missing; put it back from a backup, nothing was changed"
        ) from None
    except (InvalidTag, zlib.error, EOFError):
        raise UserError(
            f"{path}: archive {number} is cut or was altered; put this file back from a backup, nothing was changed"
        ) from None
    except OSError as error:
        raise UserError(f"{path}: archive {number} cannot be read ({error.strerror}); nothing was changed") from None


def problem(store_folder: Path, number: int, key: StoreKey, sha256: str) -> str:
    """What is wrong with an archive, read to its end; "" where it is the one that was written."""
    try:
        for _ in read(store_folder, number, key):
            pass
    except UserError as error:
        return "; ".join(error.problems)
    path, frames = path_of(store_folder, number), hashlib.sha256()
    with path.open("rb") as file:
        file.seek(len(_MAGIC) + _WRAP_BYTES)
        while part := file.read(FRAME_BYTES):
            frames.update(part)
    if frames.hexdigest() != sha256:
        return f"{path}: archive {number} is another one than this store wrote last; put this file back from a backup"
    return ""


def rewrap(store_folder: Path, before: StoreKey, after: StoreKey) -> None:
    """Lets another key open every archive, a file at a time, so that the key before opens none any more.

    What it opens already is left alone, and so is a damaged one: that it is, is said when it is needed.
    """
    for path in files(store_folder):
        number = int(path.stem)
        with path.open("rb") as file:
            if _opened_by(file, StoreKey(after.secret), number) is None:
                file.seek(0)
                if secret := _opened_by(file, before, number):
                    write_durably(path, _MAGIC + _wrapped(secret, after, number) + file.read())


def files(store_folder: Path) -> list[Path]:
    """The archives that lie there, by number."""
    found = folder_of(store_folder).glob(f"*{SUFFIX}")
    return sorted((path for path in found if path.stem.isdecimal()), key=lambda path: int(path.stem))


def remove_others(store_folder: Path, numbers: Iterable[int]) -> None:
    """Removes every file of the folder but these archives': what a power cut left behind, before its row was there."""
    folder, kept = folder_of(store_folder), {path_of(store_folder, number) for number in numbers}
    if not folder.exists():
        return
    if others := [path for path in folder.iterdir() if path not in kept]:
        for path in others:
            path.unlink()
        sync_folder(folder)


@contextmanager
def _durable(path: Path) -> Iterator[IO[bytes]]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_folder(path.parent.parent)
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            scratch.unlink()
        raise
    sync_folder(path.parent)


def _frames(lines: Iterable[Line]) -> Iterator[tuple[bytes, int, bool]]:
    """The lines in frames of about a mebibyte, how many each holds, and whether it is the last; one at least."""
    parts: list[bytes] = []
    size = 0
    for line in lines:
        if size >= FRAME_BYTES:
            yield b"".join(parts), len(parts), False
            parts, size = [], 0
        parts.append(json.dumps(line, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
        size += len(parts[-1])
    yield b"".join(parts), len(parts), True


def _sealed_frames(file: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    head = file.read(_LENGTH.size)
    while True:
        if len(head) < _LENGTH.size:
            raise EOFError
        (length,) = _LENGTH.unpack(head)
        if length > LONGEST_FRAME_BYTES:
            raise EOFError
        sealed = file.read(length)
        head = file.read(_LENGTH.size)
        yield sealed, not head
        if not head:
            return


def _nonce(place: int, *, last: bool) -> bytes:
    return place.to_bytes(11, "big") + bytes([last])


def _bound(number: int) -> bytes:
    return _MAGIC + number.to_bytes(8, "big")


def _wrapped(secret: bytes, key: StoreKey, number: int) -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key.derived("archives")).encrypt(nonce, secret, _bound(number))


def _unwrapped(file: IO[bytes], key: StoreKey, number: int) -> bytes:
    secret = _opened_by(file, key, number)
    if secret is None:
        raise EOFError
    return secret


def _opened_by(file: IO[bytes], key: StoreKey, number: int) -> bytes | None:
    """The file's own key, where the store's key or one before it opens it; the file stands behind it then."""
    head = file.read(len(_MAGIC) + _WRAP_BYTES)
    wrapped = head[len(_MAGIC) :]
    if not head.startswith(_MAGIC) or len(wrapped) < _WRAP_BYTES:
        return None
    for wrapping in key.every_derived("archives"):
        with suppress(InvalidTag):
            return AESGCM(wrapping).decrypt(wrapped[:12], wrapped[12:], _bound(number))
    return None
