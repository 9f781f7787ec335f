"""Connections that break: what a server says passes through up to a byte, and then the line is dead."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Cutting:
    """A port that leads to another; after `most` bytes of the server's the connection ends."""

    def __init__(self, to_port: int) -> None:
        self.most = 1 << 60
        self.passed = 0
        self._to_port = to_port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def stop(self) -> None:
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to_port))
            self.passed = 0
            for each in (lambda a=client, b=server: self._forth(a, b), lambda a=client, b=server: self._back(a, b)):
                self._threads.append(threading.Thread(target=each))
                self._threads[-1].start()

    def _forth(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := client.recv(1 << 16):
                server.sendall(piece)
        _end(server)

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        with server, client:
            with suppress(OSError):
                while self.passed < self.most and (piece := server.recv(1 << 12)):
                    piece = piece[: self.most - self.passed]
                    self.passed += len(piece)
                    client.sendall(piece)
            _end(client)
            _end(server)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting(to_port: int) -> Iterator[Cutting]:
    proxy = Cutting(to_port)
    try:
        yield proxy
    finally:
        proxy.stop()


@contextmanager
def saying(*said: bytes) -> Iterator[int]:
    """The port of a server that says this, a piece after each line it is told, and hangs up."""
    server = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_say, args=(server, said))
    thread.start()
    try:
        yield int(server.getsockname()[1])
    finally:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def _say(server: socket.socket, said: tuple[bytes, ...]) -> None:
    with suppress(OSError):
        client, _ = server.accept()
        with client, client.makefile("rb") as lines:
            for number, piece in enumerate(said):
                tag = lines.readline().split(b" ")[0] if number else b""
                client.sendall(piece.replace(b"{tag}", tag))
