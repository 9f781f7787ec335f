"""The spool: the collector's own durable queue of readings, until they are sealed into the store.

A segment is a preallocated file, so that a flush writes its pages and nothing of the file system's own:

    segment = magic (8) | id (16) | ephemeral public key (32) | CRC-32C of these (4) | frame... | zeros
    frame   = length of what follows the CRC (4) | CRC-32C of length, number and sealed (4) | sealed
    sealed  = AES-256-GCM, nonce = the frame's number, bound to the id, over a piece of one deflate stream (RFC 1951)

    key     = HKDF-SHA256(X25519(ephemeral, the home store's public key), salt = id)

Numbers are little-endian. The collector cannot read what it wrote a moment ago: only the store's private key opens a
segment. A reader goes to the first bad frame, which is where the writer is, or where a power cut stopped it. Frames are
written at once, so that the live view sees them, and synced every `flush_seconds`.

The writer holds an exclusive flock on its segment; a segment that nobody holds is finished.
"""

import fcntl
import os
import secrets
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final

import google_crc32c
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.shared import file_mode
from appliance.store.keys import derive, sync_folder

SEGMENT_BYTES = 1 << 20
SUFFIX = ".spool"
WAITING_FRAMES = 50_000  # kept in memory while the disk takes none: about half a day of one meter
_MAGIC: Final = b"INGSPL01"
_HEADER: Final = struct.Struct("<8s16s32sI")
HEADER_BYTES: Final = _HEADER.size
_FRAME: Final = struct.Struct("<II")
_WINDOW_BITS = -13  # 8 kB of context is enough for telegrams of 1 kB, and saves the collector 200 kB


def segments(folder: Path) -> list[Path]:
    """The spool's segments, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def is_free(segment: BinaryIO | FileIO) -> bool:
    """Whether no process writes the segment; none can begin to while this one has the file open."""
    try:
        fcntl.flock(segment, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Spool:
    """What the collector writes. One thread at a time."""

    def __init__(self, folder: Path, public_key: bytes, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder, self.public_key, self.segment_bytes = folder, public_key, segment_bytes
        self.waiting: deque[bytes] = deque(maxlen=WAITING_FRAMES)
        self.dropped = 0
        self._segment: _Segment | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def append(self, payload: bytes) -> None:
        """Writes a frame, to be synced by the next `flush`. What a full disk refuses waits in memory for `flush`."""
        if len(self.waiting) == WAITING_FRAMES:
            self.dropped += 1
        self.waiting.append(payload)
        if len(self.waiting) > 1:
            return  # the disk refused the one before: not every telegram tries to make a segment
        try:
            self._write_waiting()
        except OSError:
            return  # flush tries again, and says why it cannot

    def flush(self) -> None:
        """Makes everything appended so far survive a power cut. OSError where the disk does not take it."""
        self._write_waiting()
        if self._segment:
            os.fdatasync(self._segment.descriptor)

    def close(self) -> None:
        """Flushes, and lets go of the segment: it is finished, and takes no more room than it needs."""
        try:
            self.flush()
        finally:
            if self._segment:
                self._segment.finish()
                self._segment = None

    def _write_waiting(self) -> None:
        while self.waiting:
            if self._segment is None or not self._segment.has_room(self.waiting[0]):
                self._rotate()
            if self._segment:
                self._write(self._segment, self.waiting[0])
            self.waiting.popleft()

    def _write(self, segment: "_Segment", payload: bytes) -> None:
        try:
            segment.write(payload)
        except OSError:  # its deflate stream has gone on without this piece: what follows belongs into another segment
            with suppress(OSError):
                os.fdatasync(segment.descriptor)  # what it holds is among what the next flush answers for
            os.close(segment.descriptor)
            self._segment = None
            raise

    def _rotate(self) -> None:
        fresh = _Segment(self.folder, self.public_key, max(self.segment_bytes, len(self.waiting[0]) + 4096))
        if self._segment:
            os.fdatasync(self._segment.descriptor)
            self._segment.finish()
        self._segment = fresh


class _Segment:
    """One preallocated file that is being written."""

    def __init__(self, folder: Path, public_key: bytes, size: int) -> None:
        self.size, self.frames, self.end = size, 0, _HEADER.size
        self.id = secrets.token_bytes(16)
        ephemeral = X25519PrivateKey.generate()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_key))
        self.cipher = AESGCM(derive(shared, "spool segment", self.id))
        self.deflate = zlib.compressobj(6, zlib.DEFLATED, _WINDOW_BITS, 6)
        self.path, self.descriptor = _new_file(folder)
        try:
            self._preallocate(_header(self.id, ephemeral.public_key().public_bytes_raw()))
            sync_folder(folder)
        except BaseException:
            os.close(self.descriptor)
            self.path.unlink(missing_ok=True)
            raise

    def _preallocate(self, header: bytes) -> None:
        """Zeros on the disk, not a promise of them: an unwritten extent would cost journal writes at each flush."""
        zeros = bytes(4096)  # in pages: the kernel dirties at a flush what was written here in one go
        for offset in range(0, self.size, len(zeros)):
            _write_all(self.descriptor, zeros[: self.size - offset], offset)
        _write_all(self.descriptor, header, 0)
        os.fsync(self.descriptor)

    def has_room(self, payload: bytes) -> bool:
        return self.end + _FRAME.size + len(payload) + 256 <= self.size  # deflate and GCM may add a little

    def write(self, payload: bytes) -> None:
        piece = self.deflate.compress(payload) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        frame = _framed(self.frames, self.cipher.encrypt(_nonce(self.frames), piece, self.id))
        _write_all(self.descriptor, frame, self.end)
        self.end += len(frame)
        self.frames += 1

    def finish(self) -> None:
        os.ftruncate(self.descriptor, self.end)
        os.fsync(self.descriptor)
        os.close(self.descriptor)


class SegmentReader:
    """Reads a segment from its beginning, and goes on where it stopped when asked again.

    ValueError where the file is no segment.
    """

    def __init__(self, path: Path, *private_keys: X25519PrivateKey) -> None:
        """`private_keys` are the store's and those that it had before: one of them opens it."""
        self.path, self.frames, self.end = path, 0, _HEADER.size
        self._file = path.open("rb", buffering=0)
        try:
            self.id, public = _read_header(self._file.read(_HEADER.size))
        except ValueError:
            self._file.close()
            raise
        ephemeral = X25519PublicKey.from_public_bytes(public)
        shared = (key.exchange(ephemeral) for key in private_keys)
        self._ciphers = [AESGCM(derive(each, "spool segment", self.id)) for each in shared]
        self._inflate = zlib.decompressobj(_WINDOW_BITS)

    def new(self) -> Iterator[bytes]:
        """The payloads of the frames that were written since the last call. ValueError where the key does not open
        them."""
        self._file.seek(self.end)
        content = self._file.read()
        at = 0
        while (sealed := _sealed_at(content, at, self.frames)) is not None:
            piece = self._opened(sealed)
            at += _FRAME.size + len(sealed)
            self.end += _FRAME.size + len(sealed)
            self.frames += 1
            yield self._inflate.decompress(piece)

    def _opened(self, sealed: bytes) -> bytes:
        for cipher in self._ciphers:
            with suppress(InvalidTag):
                opened = cipher.decrypt(_nonce(self.frames), sealed, self.id)
                self._ciphers = [cipher]
                return opened
        raise ValueError("sealed to another store's key, or changed by somebody")

    def is_damaged(self) -> bool:
        """Whether a good frame stands behind the bad one at which reading stopped: damage, and not a writer's end."""
        self._file.seek(self.end)
        rest = self._file.read()
        if len(rest) < _FRAME.size:
            return False
        behind = _FRAME.size + _FRAME.unpack_from(rest)[0]
        return any(_sealed_at(rest, behind, self.frames + skipped) is not None for skipped in (0, 1))

    def is_finished(self) -> bool:
        """Whether its writer has let go of it, by intent or by dying."""
        free = is_free(self._file)
        if free:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        return free

    def is_deleted(self) -> bool:
        """Whether it was sealed and deleted; another segment may have its name by now."""
        return os.fstat(self._file.fileno()).st_nlink == 0

    def close(self) -> None:
        self._file.close()


def _new_file(folder: Path) -> tuple[Path, int]:
    """A new segment's file, empty and locked."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # what seals leftovers removes an empty one
    while True:
        newest = segments(folder)[-1:]
        number = int(newest[0].stem) + 1 if newest else 1
        path = folder / f"{number:010}{SUFFIX}"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue  # another collector took that number
        os.fchmod(descriptor, file_mode(folder))  # who seals it may be another user
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return path, descriptor
        os.close(descriptor)  # before it was locked, it was taken for one that a power cut left without a header


def _write_all(descriptor: int, content: bytes, offset: int) -> None:
    written = 0
    while written < len(content):
        written += os.pwrite(descriptor, content[written:], offset + written)


def _header(segment_id: bytes, public: bytes) -> bytes:
    crc = google_crc32c.value(_MAGIC + segment_id + public)
    return _HEADER.pack(_MAGIC, segment_id, public, crc)


def _read_header(header: bytes) -> tuple[bytes, bytes]:
    if len(header) < _HEADER.size:
        raise ValueError("shorter than a segment's header")
    magic, segment_id, public, crc = _HEADER.unpack(header)
    if magic != _MAGIC or google_crc32c.value(header[:-4]) != crc:
        raise ValueError("not a segment of a spool")
    return segment_id, public


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "little")


def _framed(number: int, sealed: bytes) -> bytes:
    length = len(sealed).to_bytes(4, "little")
    return _FRAME.pack(len(sealed), google_crc32c.value(length + _nonce(number) + sealed)) + sealed


def _sealed_at(content: bytes, at: int, number: int) -> bytes | None:
    """The sealed part of a good frame, or None where there is none (yet)."""
    if at + _FRAME.size > len(content):
        return None
    length, crc = _FRAME.unpack_from(content, at)
    sealed = content[at + _FRAME.size : at + _FRAME.size + length]
    if not length or len(sealed) < length:
        return None
    whole = length.to_bytes(4, "little") + _nonce(number) + sealed
    return sealed if google_crc32c.value(whole) == crc else None
