"""A meter on a serial port: a P1 cable, an optical head, an RS-485 adapter.

A USB adapter may come back under another name. The alias in /dev/serial/by-id that pointed at the port when it was
opened names the adapter itself, so it is what is opened again.
"""

import contextlib
import errno
import glob
import os
import re
import select
import termios
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.errors import SourceError, UserError
from appliance.links._permissions import forbidden

if TYPE_CHECKING:
    from serial import Serial

TITLE = "Serial port (USB cable)"

_CHUNK_BYTES = 4096
_BITS_A_BYTE = 12  # at most: start, eight bits, parity, two stop bits
_FRAMING = re.compile(r"([78])([NEO])([12])")


@dataclass(frozen=True, slots=True)
class Options:
    """Which port, and how it speaks.

    DSMR 4 and 5: 115200 8N1; DSMR 2.2 and 3: 9600 7E1. SML: 9600 8N1. D0: 300 7E1 on request, 9600 7E1 or 8N1 where it
    speaks by itself.
    """

    path: str = field(default="/dev/ttyUSB0", metadata={"title": "Port, or a pattern such as /dev/ttyUSB*"})
    baudrate: int = field(default=115_200, metadata={"title": "Baud"})
    bytesize: int = field(default=8, metadata={"title": "Data bits", "choices": (7, 8)})
    parity: str = field(default="N", metadata={"title": "Parity", "choices": ("N", "E", "O")})
    stopbits: int = field(default=1, metadata={"title": "Stop bits", "choices": (1, 2)})
    by_id: str = field(default="/dev/serial/by-id", metadata={"title": "Folder of the adapters' own names"})

    def __post_init__(self) -> None:
        checks = {
            "path: name the port, as in /dev/ttyUSB0": bool(self.path),
            f"baudrate: {self.baudrate} is no speed; write 115200, or 9600 for DSMR 2.2": 0
            < self.baudrate
            <= 4_000_000,
            f"bytesize: {self.bytesize} is not possible; write 7 or 8": self.bytesize in (7, 8),
            f"parity: {self.parity!r} is not possible; write N, E or O": self.parity in ("N", "E", "O"),
            f"stopbits: {self.stopbits} is not possible; write 1 or 2": self.stopbits in (1, 2),
        }
        if problems := [problem for problem, good in checks.items() if not good]:
            raise UserError(problems)

    @classmethod
    def from_text(cls, text: str) -> "Options":
        """Reads `PATH`, `PATH,BAUD` or `PATH,BAUD,FRAMING`, as in `/dev/ttyUSB0,9600,7E1`."""
        path, baudrate, framing, *rest = (*text.split(","), "", "")[: max(3, text.count(",") + 1)]
        match = _FRAMING.fullmatch(framing.upper() or "8N1")
        checks = {
            f"{text!r} has too many parts; write PATH,BAUD,FRAMING": not rest,
            f"{baudrate!r} is no speed; write a number, as in {path},9600,7E1": not baudrate or baudrate.isdecimal(),
            f"{framing!r} is no framing; write 8N1 or 7E1": match is not None,
        }
        if problems := [problem for problem, good in checks.items() if not good]:
            raise UserError(problems)
        bytesize, parity, stopbits = match.groups() if match else ("8", "N", "1")
        return cls(path, int(baudrate or 115_200), int(bytesize), parity, int(stopbits))


class Link:
    """One port. Only one program may have it open: a second reader would take bytes away from the first."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._alias: Path | None = None
        self._port: Serial | None = None
        self._path = options.path
        self._reading = threading.RLock()
        self._closing = False
        self._wake_read, self._wake_write = -1, -1
        self._baudrate = options.baudrate
        self._sent_s = 0.0  # when the last byte that was written has left, by the clock that never jumps

    def open(self) -> None:
        """Opens the port under whatever name it has now. Raises SourceError, never permanent: it may be plugged in."""
        import serial  # loaded only by a box that has a serial meter

        self.close()
        self._path = self._present()
        self._baudrate = self._options.baudrate
        try:
            self._port = serial.Serial(
                self._path,
                self._options.baudrate,
                self._options.bytesize,
                self._options.parity,
                self._options.stopbits,
                timeout=0,
                write_timeout=10,
                exclusive=True,
            )
            self._check_parity(self._port)
        except (OSError, ValueError, termios.error) as error:  # SerialException is an OSError
            raise SourceError(self._refusal(error)) from error
        self._wake_read, self._wake_write = os.pipe()
        self._alias = self._alias_of(self._path) or self._alias

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; b"" where nothing did. Raises SourceError where the port is gone or not open."""
        if self._closing:  # or a reader that comes back at once would keep the one who closes out
            return b""
        with self._reading:
            if self._port is None:
                raise SourceError(f"the serial port {self._path} is not open")
            try:
                number = self._port.fileno()
                ready, _, _ = select.select([number, self._wake_read], [], [], timeout_s)
                if number not in ready:
                    return b""
                data = os.read(number, _CHUNK_BYTES)
            except BlockingIOError:
                return b""
            except (OSError, ValueError) as error:
                return self._gone(error)
            return data or self._gone(None)

    def write(self, data: bytes) -> None:
        """Sends all of `data`. Raises SourceError where the port is gone or takes nothing."""
        if self._port is None:
            raise SourceError(f"the serial port {self._path} is not open")
        try:
            self._port.write(data)
        except OSError as error:
            self._gone(error)
        self._sent_s = time.monotonic() + len(data) * _BITS_A_BYTE / self._baudrate

    def set_baudrate(self, baudrate: int | None) -> None:
        """Changes the speed, once all that was written has left at the old one; None: back to the configured one.

        Many USB adapters say that they have sent what they still hold, so the time that it takes is waited for as well.
        Raises SourceError where the port is gone or not open.
        """
        if self._port is None:
            raise SourceError(f"the serial port {self._path} is not open")
        try:
            self._port.flush()
            time.sleep(max(0.0, self._sent_s - time.monotonic()))
            self._baudrate = self._port.baudrate = baudrate or self._options.baudrate
            self._check_parity(self._port)
        except (OSError, ValueError, termios.error) as error:
            self._gone(error)

    def _check_parity(self, port: "Serial") -> None:
        """Makes a byte whose parity is wrong a NUL, which no meter's text has; pyserial leaves it as it came."""
        if self._options.parity != "N":
            attributes = termios.tcgetattr(port.fileno())
            attributes[0] |= termios.INPCK
            termios.tcsetattr(port.fileno(), termios.TCSANOW, attributes)

    def close(self) -> None:
        self._closing = True
        with contextlib.suppress(OSError):  # it may not be open
            os.write(self._wake_write, b"\0")
        with self._reading:  # a read in another thread has ended before its file numbers are given away
            port, self._port = self._port, None
            wakes, (self._wake_read, self._wake_write) = (self._wake_read, self._wake_write), (-1, -1)
            if port is not None:
                port.close()
            for number in wakes:
                if number >= 0:
                    os.close(number)
            self._closing = False

    def _gone(self, error: Exception | None) -> bytes:
        """b"" where this side closed; otherwise closes and raises SourceError."""
        if self._port is None:
            return b""
        self.close()
        raise SourceError(f"the serial port {self._path} is gone; {self._awaited()}") from error

    def _present(self) -> str:
        """The path to open: of the adapter that was open before, else of the configured name, else of the pattern."""
        if self._alias is not None and self._alias.exists():
            return str(self._alias.resolve())
        if Path(self._options.path).exists():
            return self._options.path
        return next(iter(sorted(glob.glob(self._options.path))), self._options.path)  # noqa: PTH207 - may be absolute

    def _alias_of(self, path: str) -> Path | None:
        """The adapter's own name for an open port, if it has one."""
        folder = Path(self._options.by_id)
        aliases = sorted(folder.iterdir()) if folder.is_dir() else []
        return next((alias for alias in aliases if alias.resolve() == Path(path).resolve()), None)

    def _refusal(self, error: Exception) -> str:
        reason = getattr(error, "errno", None)
        if reason in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EIO):
            return f"there is no serial port {self._path}; {self._awaited()}"
        if reason in (errno.EACCES, errno.EPERM):
            return forbidden(self._path, "dialout")
        if reason in (errno.EBUSY, errno.EAGAIN):
            return f"another program has the serial port {self._path} open: stop it, and this one goes on by itself"
        return f"{self._path} cannot be opened as a serial port: {error}"

    def _awaited(self) -> str:
        if self._alias is not None:
            return f"waiting for {self._alias.name} to be plugged in again, under any name"
        if any(sign in self._options.path for sign in "*?["):
            return f"waiting for a port that matches {self._options.path}"
        return "plug it in, or name another port"
