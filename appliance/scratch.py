"""What was fetched, as a content: in memory while it is small, then in a file without a name that nobody else can read.

The file is encrypted with a key that only this process has, and gone with it: what is on its way into a store is never
on a disk in clear.
"""

import errno
import io
import secrets
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Protocol, cast

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from appliance.content import PIECE_BYTES, Content
from appliance.errors import SourceError

IN_MEMORY_BYTES = 16 << 20
_BLOCK = 16  # bytes of an AES block, which the counter counts
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class _Writer(Protocol):
    def write(self, piece: bytes, /) -> int: ...


class Scratch(Content):
    """A content that is written first, and read afterwards. `close` forgets it."""

    def __init__(self, name: str, in_memory: int = IN_MEMORY_BYTES) -> None:
        super().__init__(name, 0)
        self._in_memory = in_memory
        self._key = secrets.token_bytes(32)
        self._file: BinaryIO = io.BytesIO()
        self._writer: _Writer = self._file

    def __enter__(self) -> "Scratch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_on_disk(self) -> bool:
        return isinstance(self._writer, _Encrypting)

    def write(self, piece: bytes) -> None:
        """Adds to its end. SourceError where the disk is full: there may be room later."""
        try:
            if not self.is_on_disk and self.size + len(piece) > self._in_memory:
                self._move_to_disk()
            self._writer.write(piece)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise SourceError(f"there is no room on the disk for {self.name}; free some, or wait") from None
            raise
        self.size += len(piece)

    def _move_to_disk(self) -> None:
        held = cast(io.BytesIO, self._file).getvalue()
        self._file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - `close` closes it
        self._writer = _Encrypting(self._file, _cipher(self._key, 0).encryptor())
        self._writer.write(held)

    def pieces(self) -> Iterator[bytes]:
        file = self.opened()
        while piece := file.read(PIECE_BYTES):
            yield piece

    def opened(self) -> BinaryIO:
        if self.is_on_disk:
            return cast(BinaryIO, io.BufferedReader(_Decrypting(self._file, self._key, self.size), PIECE_BYTES))
        return io.BytesIO(cast(io.BytesIO, self._file).getbuffer())

    def close(self) -> None:
        self._file.close()


def _cipher(key: bytes, block: int) -> Cipher[CTR]:
    """The stream from a block on. A key is used for one file, so its counter begins at 0."""
    return Cipher(AES(key), CTR(block.to_bytes(_BLOCK, "big")))


class _Encrypting:
    def __init__(self, file: BinaryIO, stream: CipherContext) -> None:
        self._file, self._stream = file, stream

    def write(self, piece: bytes, /) -> int:
        return self._file.write(self._stream.update(piece))


class _Decrypting(io.RawIOBase):
    """The file's content in clear, from any place."""

    def __init__(self, file: BinaryIO, key: bytes, size: int) -> None:
        self._file, self._key, self._size, self._at = file, key, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        skipped = self._at % _BLOCK
        self._file.seek(self._at - skipped)
        sealed = self._file.read(len(buffer) + skipped)
        clear = _cipher(self._key, self._at // _BLOCK).decryptor().update(sealed)[skipped:]
        buffer[: len(clear)] = clear
        self._at += len(clear)
        return len(clear)
