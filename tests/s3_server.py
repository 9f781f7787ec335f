"""A server that speaks as much of S3 as restic asks for, for one key, in memory (Amazon S3's API reference).

GET  /BUCKET/?location               PUT, HEAD  /BUCKET/
GET  /BUCKET/?list-type=2&prefix=    HEAD, GET (with Range), PUT, DELETE  /BUCKET/KEY

A body comes signed in pieces: its length in hex, a signature, the bytes, and an empty piece at the end (Signature
Version 4, "Transferring payload in multiple chunks"). Signatures are not looked into, but whose they are.
"""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

KEY_ID, SECRET = "box-key-id", "a/secret+key"
DAY = "Sun, 01 Mar 2026 03:00:00 GMT"
_PIECE = re.compile(rb"([0-9a-f]+);chunk-signature=[0-9a-f]+\r\n")


@dataclass
class S3Server:
    """What it keeps, by path."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """On a free port of this machine."""
    held: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), "Last-Modified": DAY, **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _fail(self, status: int, code: str) -> None:
            said = f"<Error><Code>{code}</Code><Message>{code}</Message></Error>"
            self._answer(status, said.encode(), {"Content-Type": "application/xml"})

        def handle_asked(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            address = urlsplit(self.path)
            path, query = unquote(address.path), parse_qs(address.query, keep_blank_values=True)
            _, bucket, key = (path.rstrip("/") + "//").split("/", 2)
            if f"Credential={KEY_ID}/" not in self.headers.get("Authorization", ""):
                self._fail(403, "InvalidAccessKeyId")
            elif key.strip("/"):
                self._object(f"/{bucket}/{key.strip('/')}", body)
            elif "location" in query:
                self._answer(200, b"<LocationConstraint></LocationConstraint>")
            elif "list-type" in query:
                self._answer(200, _listed(held, f"/{bucket}/", query.get("prefix", [""])[0]))
            else:
                self._answer(200)

        def _object(self, path: str, body: bytes) -> None:
            if self.command == "PUT":
                held[path] = _unpacked(body) if "STREAMING" in self.headers.get("x-amz-content-sha256", "") else body
                self._answer(200, headers=_etag(held[path]))
            elif path not in held:
                self._fail(404, "NoSuchKey")
            elif self.command == "DELETE":
                del held[path]
                self._answer(204)
            elif part := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
                first, end = int(part[1]), int(part[2]) + 1 if part[2] else len(held[path])
                found = held[path][first:end]
                span = f"bytes {first}-{first + len(found) - 1}/{len(held[path])}"
                self._answer(206, found, {"Content-Range": span, **_etag(held[path])})
            else:
                self._answer(200, held[path], _etag(held[path]))

        do_GET = do_HEAD = do_PUT = do_DELETE = handle_asked  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield S3Server(f"s3:http://127.0.0.1:{server.server_address[1]}/attic/box", held)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _etag(content: bytes) -> dict[str, str]:
    return {"ETag": f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'}


def _unpacked(body: bytes) -> bytes:
    """The bytes without the signatures among them."""
    found, at = b"", 0
    while piece := _PIECE.match(body, at):
        length = int(piece[1], 16)
        found += body[piece.end() : piece.end() + length]
        at = piece.end() + length + 2
    return found


def _listed(held: dict[str, bytes], bucket: str, prefix: str) -> bytes:
    rows = "".join(
        f"<Contents><Key>{escape(path.removeprefix(bucket))}</Key><Size>{len(kept)}</Size>"
        f"<LastModified>2026-03-01T03:00:00.000Z</LastModified>{'<ETag>x</ETag>'}</Contents>"
        for path, kept in sorted(held.copy().items())
        if path.startswith(bucket + prefix)
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()
