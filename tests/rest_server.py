"""A server that speaks restic's REST protocol (restic's documentation, "REST Backend"), for one user, in memory.

POST   /NAME/?create=true            HEAD, GET, POST  /NAME/config
GET    /NAME/TYPE/   the list        HEAD, GET (with Range), POST, DELETE  /NAME/TYPE/ID
"""

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LISTED = "application/vnd.x.restic.rest.v2"
USER, PASSWORD = "box", "p@ss/word"


@dataclass
class RestServer:
    """What it keeps, by path."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def rest_server() -> Iterator[RestServer]:
    """On a free port of this machine."""
    held: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self, status: int, body: bytes = b"", kind: str = "application/octet-stream") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _is_let_in(self) -> bool:
            wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            return self.headers.get("Authorization") == f"Basic {wanted}"

        def handle_asked(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body, path = self.rfile.read(length), self.path.partition("?")[0]
            if not self._is_let_in():
                self._answer(401)
            elif self.command == "POST":
                if "create=true" not in self.path:
                    held[path] = body
                self._answer(200)
            elif path.endswith("/"):
                there = [(each, kept) for each, kept in held.copy().items() if each.startswith(path)]
                found = [{"name": each.removeprefix(path), "size": len(kept)} for each, kept in there]
                self._answer(200, json.dumps(found).encode(), LISTED)
            elif path not in held:
                self._answer(404)
            elif self.command == "DELETE":
                del held[path]
                self._answer(200)
            elif part := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
                end = int(part[2]) + 1 if part[2] else len(held[path])
                self._answer(206, held[path][int(part[1]) : end])
            else:
                self._answer(200, held[path])

        do_GET = do_HEAD = do_POST = do_DELETE = handle_asked  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield RestServer(f"rest:http://127.0.0.1:{server.server_address[1]}/attic/", held)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
