"""Bytes that were recorded from a meter, read from a file."""

import threading
import time
from dataclasses import dataclass, field
from typing import BinaryIO

from appliance.errors import SourceError, UserError
from appliance.links import EndedError

TITLE = "A recording (file)"

_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Options:
    """Which file, and how fast."""

    path: str = field(metadata={"title": "File"})
    speed: float = field(default=0, metadata={"title": "Bytes a second (0: as fast as possible)"})

    def __post_init__(self) -> None:
        problems = [] if self.path else ["path: name the file to replay"]
        if not 0 <= self.speed < float("inf"):
            problems.append(f"speed: {self.speed} is no number of bytes a second; write 0 for as fast as possible")
        if problems:
            raise UserError(problems)

    @classmethod
    def from_text(cls, text: str) -> "Options":
        """The whole text is the file's name."""
        return cls(path=text)


class Link:
    """One pass over the file; opened again it begins again."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._file: BinaryIO | None = None
        self._due_s = 0.0
        self._closed = threading.Event()

    def open(self) -> None:
        """Raises SourceError, permanent, where the file cannot be read."""
        self.close()
        try:
            self._file = open(self._options.path, "rb")  # noqa: PTH123, SIM115 - kept open from call to call
        except OSError as error:
            raise SourceError(f"cannot replay {self._options.path}: {error.strerror}", permanent=True) from error
        self._due_s = time.monotonic()
        self._closed.clear()

    def read(self, timeout_s: float) -> bytes:
        """The next bytes, at the pace asked for. Raises EndedError after the last, SourceError where it is not open."""
        file = self._file
        if file is None:
            raise SourceError(f"{self._options.path} is not open")
        if not self._options.speed:
            return self._next(file, _CHUNK_BYTES)
        wait_s = self._due_s - time.monotonic()
        if self._closed.wait(max(0.0, min(wait_s, timeout_s))) or wait_s > timeout_s:
            return b""
        data = self._next(file, max(1, round(self._options.speed / 10)))
        self._due_s += len(data) / self._options.speed
        return data

    def write(self, data: bytes) -> None:
        """A recording hears nothing."""

    def close(self) -> None:
        self._closed.set()
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _next(self, file: BinaryIO, count: int) -> bytes:
        try:
            data = file.read(count)
        except ValueError:  # closed meanwhile from another thread
            return b""
        except OSError as error:
            raise SourceError(f"cannot replay {self._options.path}: {error.strerror}", permanent=True) from error
        if not data:
            raise EndedError
        return data
