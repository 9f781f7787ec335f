"""Gunicorn's threads, given to nobody who dawdles: a connection gets one when its request is there.

Gunicorn reads in the thread that answers, so eight half-sent requests, or eight half-done TLS handshakes, would keep a
box of eight threads from everybody. Here the main loop shakes hands and reads, without ever waiting, until the head of
the request and a small body are there. Larger bodies are read by the thread, by few of them at once. Each step has
an end in time, and where too many wait, whoever has the most of them loses the oldest.
"""

import re
import selectors
import socket
import ssl
import time
from collections import Counter, deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from ipaddress import IPv6Address, ip_address
from typing import Any

from gunicorn import http
from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_BYTES = 32 << 10
SMALL_BYTES = 64 << 10
READ_BYTES = 16 << 10
LARGE_AT_ONCE = 2
ARRIVAL_S = 10.0
STALL_S = 20.0
ANSWER_S = 600.0
LINGER_S = 2.0
SEND_BYTES = 256 << 10
"""What the kernel takes of an answer whose reader is slow: pages and static files fit, and free the thread."""

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)
_READ_BY_THREAD = re.compile(rb"\r\n(?:expect|transfer-encoding):", re.IGNORECASE)
_HEAD_ENDS = b"\r\n\r\n"


class Connection(TConn):  # type: ignore[misc]  # gunicorn is untyped
    """One client, and what came of its next request."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, tls: ssl.SSLContext | None) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        server = _bare(sock.getsockname())
        super().__init__(cfg, sock, _bare(client), server)
        if tls is not None:
            self.sock = tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        self.is_shaken = tls is None
        self.came = b""
        self.deadline = 0.0
        self.is_large = False
        self.data_ready = True  # so that gunicorn does not wait for it in a thread
        self.parser = http.get_parser(cfg, self.sock, self.client)

    def init(self) -> None:
        """In the thread that answers: it waits for no read and no write longer than this."""
        self.sock.settimeout(STALL_S)

    def advance(self) -> bool:
        """Reads what is there; whether a thread can answer now. OSError or EOFError where it is over."""
        try:
            if not self.is_shaken:
                self.sock.do_handshake()
                self.is_shaken = True
            while not self._is_there():
                part = self.sock.recv(READ_BYTES)
                if not part:
                    raise EOFError
                self.came = (self.came + part).lstrip(b"\r\n")
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        self.parser.unreader.unread(self.came)
        self.came = b""
        return True

    def _is_there(self) -> bool:
        end = self.came.find(_HEAD_ENDS)
        if end < 0:
            if len(self.came) > HEAD_BYTES:
                raise EOFError
            return False
        head = self.came[: end + 2]
        length = int(found[1]) if (found := _LENGTH.search(head)) else 0
        self.is_large = length > SMALL_BYTES or bool(_READ_BY_THREAD.search(head))
        return self.is_large or len(self.came) >= end + len(_HEAD_ENDS) + length


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn is untyped
    """`waiting` have not sent a whole request, `busy` have a thread or wait for one, `leaving` were answered."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.waiting: dict[Connection, None] = {}
        self.busy: dict[Connection, None] = {}
        self.leaving: dict[Connection, None] = {}
        self.large = deque[Connection]()

    def accept(self, listener: Any) -> None:
        """Takes a connection in, and has it wait."""
        try:
            sock, client = listener.accept()
        except OSError:
            return
        self.nr_conns += 1
        try:
            connection = Connection(self.cfg, sock, client, self.app.tls(sock.getsockname()))
        except OSError:
            self.nr_conns -= 1
            sock.close()
            return
        self._wait(connection, ARRIVAL_S)
        if self.nr_conns >= self.worker_connections:
            self._make_room()

    def _wait(self, connection: Connection, seconds: float) -> None:
        connection.sock.setblocking(False)
        connection.deadline = time.monotonic() + seconds
        self.waiting[connection] = None
        self.poller.register(connection.sock, selectors.EVENT_READ, partial(self._come, connection))
        self._come(connection)  # bytes may lie where no poll sees them: decrypted already

    def _come(self, connection: Connection, _sock: Any = None) -> None:
        was_idle = not connection.came
        try:
            is_there = connection.advance()
        except (OSError, EOFError):
            self._drop(connection, self.waiting)
            return
        if is_there:
            self._forget(connection, self.waiting)
            self._answer(connection)
        elif was_idle and connection.came:
            connection.deadline = time.monotonic() + ARRIVAL_S

    def _answer(self, connection: Connection) -> None:
        if connection.is_large and sum(each.is_large for each in self.busy) >= LARGE_AT_ONCE:
            self.large.append(connection)
            return
        connection.deadline = time.monotonic() + ANSWER_S
        self.busy[connection] = None
        self.enqueue_req(connection)

    def finish_request(self, conn: Connection, fs: "Future[Any]") -> None:
        """In the main loop, when a thread has answered."""
        del self.busy[conn]
        if self.large and sum(each.is_large for each in self.busy) < LARGE_AT_ONCE:
            self._answer(self.large.popleft())
        try:
            if self.alive and not fs.cancelled() and not fs.exception() and fs.result():
                conn.came = conn.parser.unreader.take_buffered()
                self._wait(conn, self.cfg.keepalive)
            else:
                self._leave(conn)
        except (OSError, ValueError):  # it is closed
            self.nr_conns -= 1
            conn.close()

    def _leave(self, connection: Connection) -> None:
        """Says that there is no more, and reads away what still comes: a reset would take the answer with it."""
        connection.sock.setblocking(False)
        connection.sock.shutdown(socket.SHUT_WR)
        connection.deadline = time.monotonic() + LINGER_S
        self.leaving[connection] = None
        self.poller.register(connection.sock, selectors.EVENT_READ, partial(self._read_away, connection))

    def _read_away(self, connection: Connection, _sock: Any) -> None:
        try:
            more = connection.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            more = b""
        if not more:
            self._drop(connection, self.leaving)

    def _make_room(self) -> None:
        """Drops the oldest of those who wait, of the address that has most of them."""
        if not self.waiting:
            return
        held = Counter(each.client[0] for each in self.waiting)
        most = max(held.values())
        self._drop(next(each for each in self.waiting if held[each.client[0]] == most), self.waiting)

    def murder_pending(self) -> None:
        """Once a second: drops whose time is over."""
        now = time.monotonic()
        for those in (self.waiting, self.leaving):
            for connection in [each for each in those if each.deadline < now]:
                self._drop(connection, those)
        for connection in [each for each in self.busy if each.deadline < now]:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)  # its thread is told, and ends it

    def _cap_keepalive(self, deadline: float) -> None:
        """When the worker is told to stop: nobody is waited for who has not asked."""
        for connection in list(self.waiting):
            self._drop(connection, self.waiting)

    def _drop(self, connection: Connection, those: dict[Connection, None]) -> None:
        self._forget(connection, those)
        self.nr_conns -= 1
        connection.close()

    def _forget(self, connection: Connection, those: dict[Connection, None]) -> None:
        del those[connection]
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(connection.sock)


def _bare(address: Any) -> tuple[str, int]:
    """Address and port, an IPv4 address as such where it came in by IPv6."""
    host = ip_address(address[0].partition("%")[0])
    if isinstance(host, IPv6Address) and host.ipv4_mapped:
        host = host.ipv4_mapped
    return str(host), address[1]
