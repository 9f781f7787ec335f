"""A meter behind a TCP port: ser2net, a P1 reader on the network, an Ethernet gateway."""

import contextlib
import socket
from dataclasses import dataclass, field

from appliance.errors import SourceError, UserError

TITLE = "Network (TCP)"

_CHUNK_BYTES = 65_536
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Seconds of silence, seconds between probes, and probes: a gateway without power is noticed within a minute."""


@dataclass(frozen=True, slots=True)
class Options:
    """Where it listens. An IPv6 address stands without brackets here, and in brackets in `from_text`."""

    host: str = field(metadata={"title": "Host name or address"})
    port: int = field(metadata={"title": "Port"})
    connect_timeout_s: float = field(default=10.0, metadata={"title": "Seconds to wait for a connection"})

    def __post_init__(self) -> None:
        problems = [] if self.host else ["host: name the host, as in meter.local:2001"]
        if not 0 < self.port < 65_536:
            problems.append(f"port: {self.port} is no TCP port; write a number from 1 to 65535")
        if not 0 < self.connect_timeout_s <= 600:
            problems.append(f"connect_timeout_s: {self.connect_timeout_s} is out of range; write 0.1 to 600 seconds")
        if problems:
            raise UserError(problems)

    @classmethod
    def from_text(cls, text: str) -> "Options":
        """Reads `host:port` or `[IPv6]:port`."""
        host, colon, port = text.rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        if not colon or not (port.isascii() and port.isdecimal()) or (":" in host and not bracketed):
            raise UserError(f"{text!r} is no address; write host:port, and an IPv6 address as [fe80::1]:2001")
        return cls(host=host[1:-1] if bracketed else host, port=int(port))

    @property
    def address(self) -> str:
        """As a person writes it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Link:
    """One connection."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Connects, within the configured time. Raises SourceError."""
        self.close()
        try:
            connected = socket.create_connection(
                (self._options.host, self._options.port), self._options.connect_timeout_s
            )
        except OSError as error:
            raise SourceError(self._refusal(error)) from error
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE.items():
            if hasattr(socket, name):  # the times are Linux's names
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self._socket = connected

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; b"" where nothing did. Raises SourceError where the other side is gone."""
        connected = self._connected()
        try:
            connected.settimeout(timeout_s)
            data = connected.recv(_CHUNK_BYTES)
        except (TimeoutError, BlockingIOError):
            return b""
        except OSError as error:
            return self._lost(connected, error.strerror or str(error))
        return data or self._lost(connected, "it ended the connection")

    def write(self, data: bytes) -> None:
        """Sends all of `data`. Raises SourceError where the other side is gone, or takes nothing."""
        connected = self._connected()
        try:
            connected.settimeout(self._options.connect_timeout_s)
            connected.sendall(data)
        except OSError as error:
            self._lost(connected, error.strerror or str(error))

    def close(self) -> None:
        connected, self._socket = self._socket, None
        if connected is None:
            return
        with contextlib.suppress(OSError):  # the other side may have been first
            connected.shutdown(socket.SHUT_RDWR)  # ends a read in another thread, which closing alone does not
        connected.close()

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise SourceError(f"there is no connection to {self._options.address}")
        return self._socket

    def _lost(self, connected: socket.socket, why: str) -> bytes:
        """b"" where this side closed; otherwise closes and raises SourceError."""
        if self._socket is not connected:
            return b""
        self.close()
        raise SourceError(f"lost {self._options.address}: {why}; waiting for it to come back")

    def _refusal(self, error: OSError) -> str:
        address = self._options.address
        if isinstance(error, socket.gaierror):
            return f"no host is called {self._options.host}: check the name, or write its address"
        if isinstance(error, ConnectionRefusedError):
            return f"nothing listens on {address}: check the port, and that the gateway's service runs"
        if isinstance(error, TimeoutError):
            return f"{address} did not answer in {self._options.connect_timeout_s:g} s: is it switched on?"
        return f"cannot connect to {address}: {error.strerror or error}"
