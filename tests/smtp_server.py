"""A mail server for tests, on a free loopback port: SMTP (RFC 5321), TLS, STARTTLS (RFC 3207) and AUTH (RFC 4954)."""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from tests.web_server import identity

USER, PASSWORD = "ann@example.org", "an app password 4711"


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps what it is given. `trouble` is a reply's beginning that a command gets instead, such as ("DATA", "451")."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, folder: Path, encryption: str) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.encryption, self.trouble = encryption, ("", "")
        pem, self.certificate = identity(folder)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)
        self.received: list[EmailMessage] = []
        self.was_encrypted: list[bool] = []
        self.asked = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or trusts us not, is no news."""


class _Conversation(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        try:
            self._speak(cast(MailServer, self.server))
        finally:
            self.request.close()  # what is encrypted is another socket than the one that the server closes

    def _speak(self, server: MailServer) -> None:
        server.asked += 1
        self.is_known, self.is_encrypted, self.rest = False, server.encryption == "TLS", b""
        if self.is_encrypted:
            self.request = server.context.wrap_socket(self.request, server_side=True)
        self._say("220 here")
        while line := self._line():
            word = line.split()[0].upper().decode()
            if word == "QUIT":
                self._say("221 bye")
                return
            self._answer(server, word, line)

    def _answer(self, server: MailServer, word: str, line: bytes) -> None:
        at, reply = server.trouble
        if word == at:
            if reply == "hangs up":
                raise ConnectionAbortedError
            self._say(f"{reply} {line.decode().strip()} is not for me")
        elif word == "EHLO":
            can = ["here", *(["STARTTLS"] if server.encryption == "STARTTLS" and not self.is_encrypted else [])]
            can += ["AUTH PLAIN"] if self.is_encrypted else []
            self._say(*(f"250{'-' if each != can[-1] else ' '}{each}" for each in can))
        elif word == "STARTTLS":
            self._say("220 go ahead")
            self.request, self.is_encrypted = server.context.wrap_socket(self.request, server_side=True), True
        elif word == "AUTH":
            said = base64.b64decode(line.split()[2]).split(b"\0")[1:]
            self.is_known = said == [USER.encode(), PASSWORD.encode()]
            self._say("235 welcome" if self.is_known else f"535 not with {said[1].decode()}")
        elif word == "DATA":
            self._say("354 go ahead")
            self._keep(server)
        else:
            self._say(
                "250 fine" if self.is_known or server.encryption == "none" or word == "RSET" else "530 who are you"
            )

    def _keep(self, server: MailServer) -> None:
        lines = []
        while (line := self._line()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        server.received.append(message_from_bytes(b"".join(lines), EmailMessage, policy=policy.default))
        server.was_encrypted.append(self.is_encrypted)
        self._say("250 kept")

    def _line(self) -> bytes:
        while b"\r\n" not in self.rest:
            if not (more := self.request.recv(4096)):
                return b""
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\r\n")
        return line + b"\r\n"

    def _say(self, *lines: str) -> None:
        self.request.sendall("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def serving(folder: Path, encryption: str) -> Iterator[MailServer]:
    """A server that runs."""
    with MailServer(folder, encryption) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
