"""A dashboard that speaks HTTPS, as a process of its own, and a client that trusts it."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.p1_cable import PATIENCE_S
from tests.services.processes import Service, service


@dataclass
class SecureBox:
    """A running dashboard, its two ports on this machine, and its data folder."""

    data: Path
    port: int
    plain_port: int
    service: Service

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def asked(
        self,
        path: str,
        *,
        plain: bool = False,
        method: str = "GET",
        host: str = "",
        body: str = "",
        within_s: float = PATIENCE_S,
    ) -> tuple[http.client.HTTPResponse, str]:
        """The answer and what it says, by a client that checks the certificate."""
        if plain:
            connection = http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=within_s)
        else:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=within_s, context=self.trusting)
        connection.request(method, path, body or None, {"Host": host} if host else {})
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
        connection.close()
        return answer, said

    @cached_property
    def trusting(self) -> ssl.SSLContext:
        """A client's context that trusts what the box gave out on its plain port."""
        connection = http.client.HTTPConnection("127.0.0.1", self.plain_port, timeout=PATIENCE_S)
        connection.request("GET", "/trust/inglenook.pem")
        pem = connection.getresponse().read().decode()
        connection.close()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=pem)
        return context


@contextmanager
def secure_box(data: Path) -> Iterator[SecureBox]:
    """A box that nobody has claimed yet."""
    port, plain_port = _free_ports(2)
    data.mkdir(exist_ok=True)
    said = f"[dashboard]\nhttps = true\nport = {port}\nplain_port = {plain_port}\n"
    (data / "inglenook.toml").write_text(said, encoding="utf-8")
    with service("services.dashboard", data) as running:
        running.says("enter the code")
        box = SecureBox(data, port, plain_port, running)
        assert box.trusting
        yield box


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        chosen = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in chosen]
