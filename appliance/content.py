"""A file's content, wherever it lies: read forward in pieces, or at once where it is small or can be mapped."""

import hashlib
import mmap
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

from appliance.errors import UserError

PIECE_BYTES = 1 << 20
WHOLE_BYTES = 64 << 20  # the most that is held in memory at once

Data = bytes | mmap.mmap
"""A content at once: both kinds can be searched, sliced and matched by regular expressions."""


class Content(ABC):
    """Bytes that can be read again and again from their beginning. `name` is what a person calls the file."""

    def __init__(self, name: str, size: int) -> None:
        self.name, self.size = name, size

    @abstractmethod
    def pieces(self) -> Iterator[bytes]:
        """The content in order: pieces of `PIECE_BYTES`, but for the last."""

    def opened(self) -> BinaryIO:
        """As a file of its own that can be sought in; UserError where it is too large for that."""
        return BytesIO(self.whole())

    def whole(self) -> Data:
        """All of it; UserError where that is too much to hold."""
        if self.size > WHOLE_BYTES:
            raise UserError(
                f"{self.name}: {self.size >> 20} MB is more than is read at once of a file of this format "
                f"({WHOLE_BYTES >> 20} MB) from here; import the file by itself with: inglenook import FILE"
            )
        return b"".join(self.pieces())

    def head(self, length: int) -> bytes:
        """The first bytes."""
        found = b""
        for piece in self.pieces():
            found += piece
            if len(found) >= length:
                break
        return found[:length]

    def sha256(self) -> str:
        """In hex."""
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()

    def line_at(self, offset: int) -> int:
        """The line, from 1, that a byte lies on."""
        line = 1
        for piece in self.pieces():
            line += piece.count(b"\n", 0, max(0, offset))
            offset -= len(piece)
            if offset <= 0:
                break
        return line

    def read_up_to(self, offset: int) -> None:  # noqa: B027 - most contents hold nothing
        """Says that nothing before a byte is needed for now: what was mapped of it need not stay in memory."""


class InMemory(Content):
    """Bytes that are in memory already."""

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(name, len(data))
        self._data = data

    def pieces(self) -> Iterator[bytes]:
        for at in range(0, len(self._data), PIECE_BYTES):
            yield self._data[at : at + PIECE_BYTES]

    def whole(self) -> Data:
        return self._data

    def head(self, length: int) -> bytes:
        return self._data[:length]


def of_file(name: str, file: BinaryIO) -> Content:
    """An open file's content; it must stay open as long as that is read. A small one is read here, once."""
    content = InFile(name, file)
    return content if content.size > WHOLE_BYTES else InMemory(name, b"".join(content.pieces()))


class InFile(Content):
    """A large file of this machine, which is mapped."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        super().__init__(name, file.seek(0, 2))
        self._file = file
        self._mapped: mmap.mmap | None = None

    def pieces(self) -> Iterator[bytes]:
        place = 0
        while place < self.size:
            self._file.seek(place)
            piece = self._file.read(PIECE_BYTES)
            if not piece:
                raise UserError(f"{self.name}: the file became shorter while it was read; import it once it is whole")
            place += len(piece)
            yield piece

    def opened(self) -> BinaryIO:
        return os.fdopen(os.dup(self._file.fileno()), "rb")

    def whole(self) -> Data:
        self._mapped = mmap.mmap(self._file.fileno(), self.size, access=mmap.ACCESS_READ)
        return self._mapped

    def read_up_to(self, offset: int) -> None:
        if self._mapped is not None and (pages := offset // PIECE_BYTES * PIECE_BYTES):
            self._mapped.madvise(mmap.MADV_DONTNEED, 0, pages)
