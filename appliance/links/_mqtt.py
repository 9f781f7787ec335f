"""The MQTT client of paho, with a bound on what one message may cost. Only a box with a meter over MQTT loads it."""

import socket
import ssl
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

KEEPALIVE_S = 30


class Narrowed:
    """A broker's connection that lets no packet through which is longer than `limit`; `skipped` counts them.

    A packet of MQTT 3.1.1 (section 2.2), whose length may be given as 256 MB:

        30                  (1) type and flags
        8b 01               (2) length of what follows: 7 bits a byte, low ones first, the top bit says that more follow
        ...                 (3) as many bytes
    """

    def __init__(self, connected: socket.socket, limit: int) -> None:
        self._connected, self._limit = connected, limit
        self.skipped = 0
        self._header = bytearray()  # of the packet that begins, as far as it has arrived
        self._given = 0  # how much of it was handed on
        self._left = 0  # bytes of the packet's rest that are still to come
        self._skipping = False

    def recv(self, count: int) -> bytes:
        """The next bytes, as a socket gives them. Raises BlockingIOError where there are none yet, and after each
        piece that is left out, so that no reader is held by them."""
        while not self._begun():
            if not self._skip_or_begin():
                return b""
            if self._skipping:
                raise BlockingIOError
        if self._given < len(self._header):
            data = bytes(self._header[self._given : self._given + count])
            self._given += len(data)
        else:
            data = self._connected.recv(min(count, self._left))
            self._left -= len(data)
        if self._given == len(self._header) and not self._left:
            self._header.clear()
        return data

    def _begun(self) -> bool:
        """Whether the header of a packet to hand on is complete."""
        complete = len(self._header) > 1 and (self._header[-1] < 0x80 or len(self._header) > 4)
        return complete and not self._skipping

    def _skip_or_begin(self) -> bytes:
        """One step on the way to the next packet to hand on; b"" where the connection ends."""
        if self._skipping:
            data = self._connected.recv(min(self._left, 65_536))
            self._left -= len(data)
            self._skipping = self._left > 0
            return data
        data = self._connected.recv(1)
        self._header += data
        if data and self._begun():
            self._begin()
        return data

    def _begin(self) -> None:
        self._given = 0
        self._left = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(self._header[1:]))
        if self._left > self._limit:
            self.skipped += 1
            self._skipping = True
            self._header.clear()

    def pending(self) -> int:
        """Bytes that are here already, though the socket may have none to select."""
        beneath = self._connected.pending() if isinstance(self._connected, ssl.SSLSocket) else 0
        return beneath + (len(self._header) - self._given if self._begun() else 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connected, name)


class Client(paho.Client):
    """A client for MQTT 3.1.1 that keeps nothing at the broker, driven by its owner's own loop."""

    def __init__(self, client_id: str, packet_limit: int, timeout_s: float, tls: ssl.SSLContext | None) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id, clean_session=True, protocol=paho.MQTTv311)
        self._packet_limit, self._timeout_s, self._tls = packet_limit, timeout_s, tls
        self._narrowed: Narrowed | None = None
        self._told = 0

    def _create_socket(self) -> Any:  # paho has no other place to stand between it and its socket
        connected = socket.create_connection((self.host, self.port), self._timeout_s)
        if self._tls:
            try:
                connected = self._tls.wrap_socket(connected, server_hostname=self.host)
            except BaseException:
                connected.close()
                raise
        self._narrowed, self._told = Narrowed(connected, self._packet_limit), 0
        return self._narrowed

    def skipped(self) -> int:
        """How many packets were too long since this was last asked."""
        skipped = self._narrowed.skipped if self._narrowed else 0
        told, self._told = self._told, skipped
        return skipped - told
