"""Web servers for tests, on a free loopback port: they speak what a test says, and fail as real ones do."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LATER_S = 120
"""What a server that is asked too often asks to wait, in either way to say it."""

ENDLESS_PIECE = bytes(1 << 20)
TROUBLES = (
    "401", "403", "429 seconds", "429 date", "500", "503", "hangs up", "cut in the middle", "endless", "nonsense"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that came; headers by lower-case name."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What is said to it."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Server:
    """A server that answers by a function. While `trouble` is one of TROUBLES, it fails in that way instead."""

    def __init__(self, answer: Callable[[Asked], Answered], identity: Path | None = None) -> None:
        self.asked: list[Asked] = []
        self.trouble = ""
        self.answer = answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if identity:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(identity)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self.address = f"{'https' if identity else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def serving(answer: Callable[[Asked], Answered], identity: Path | None = None) -> Iterator[Server]:
    server = Server(answer, identity)
    try:
        yield server
    finally:
        server.stop()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            parts = urlsplit(self.path)
            asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            server.asked.append(asked)
            if server.trouble:
                _fail(self, server.trouble)
            else:
                _say(self, server.answer(asked))

        do_GET = do_POST = do_PROPFIND = do_REPORT = handle_any  # noqa: N815 - as http.server calls them

        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def handle(self) -> None:
            try:
                super().handle()
            except (ConnectionError, ssl.SSLError):
                self.close_connection = True

    return Handler


def _say(handler: BaseHTTPRequestHandler, answered: Answered) -> None:
    handler.send_response(answered.status)
    for name, value in answered.headers.items():
        handler.send_header(name, value)
    if answered.status != 304:
        handler.send_header("Content-Length", str(len(answered.body)))
    handler.end_headers()
    handler.wfile.write(answered.body)


def _fail(handler: BaseHTTPRequestHandler, trouble: str) -> None:
    if trouble == "429 seconds":
        _say(handler, Answered(b"slowly", 429, {"Retry-After": str(LATER_S)}))
    elif trouble == "429 date":
        at = datetime.now(UTC) + timedelta(seconds=LATER_S)
        _say(handler, Answered(b"slowly", 429, {"Retry-After": format_datetime(at, usegmt=True)}))
    elif trouble == "hangs up":
        handler.close_connection = True
    elif trouble == "cut in the middle":
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        handler.wfile.write(b"<half of it>")
        handler.close_connection = True
    elif trouble == "endless":
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(ENDLESS_PIECE)
    elif trouble == "nonsense":
        _say(handler, Answered(b"<html><body>Please sign in to the hotel's wireless network<body>", 200))
    else:
        _say(handler, Answered(b"no", int(trouble)))


def identity(folder: Path) -> tuple[Path, str]:
    """The key and the certificate of 127.0.0.1 in a file, which nobody vouches for, and the certificate as PEM."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "home")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "identity.pem"
    path.write_bytes(secret + pem)
    return path, pem.decode()
