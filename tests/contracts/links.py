"""What every link must do needs another side to talk to: a rig for each, with real terminals, sockets and files."""

import json
import os
import select
import shutil
import socket
import threading
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch

from appliance.links import EndedError, Link, gpio, mqtt, replay, serial, simulated, tcp, w1
from appliance.links import http as http_link
from appliance.messages import to_line
from tests import mosquitto
from tests.conftest import _missing
from tests.gpio_line import CHIP, LINE, KernelLine, kernel_line

PATIENCE_S = 20.0
"""How long a test waits for what must come; one that passes waits for none of it."""

SPOKEN = b"/TST5\\RIG\r\n\r\n!0000\r\n"


class Rig(Protocol):
    """The other side of one link."""

    options: Any
    has_end: bool  # whether it comes to an end by itself

    def speak(self) -> bytes:
        """Sends some bytes, once the link is open; those that must arrive, b"" where they are the rig's own."""
        ...

    def hang_up(self) -> None:
        """Goes away, as an adapter that is pulled out."""
        ...


class TerminalRig:
    """A pseudo-terminal under a name in a folder, as udev gives one."""

    has_end = False

    def __init__(self, folder: Path, name: str = "ttyUSB0", alias: str = "usb-P1_cable-if00") -> None:
        self.folder = folder
        self.by_id = folder / "by-id"
        self.by_id.mkdir(exist_ok=True)
        self._alias = self.by_id / alias
        self.plug_in(name)
        self.options = serial.Options(path=str(self.path), by_id=str(self.by_id))

    def plug_in(self, name: str) -> None:
        self.meter_end, self._port_end = os.openpty()
        tty.setraw(self._port_end)
        self.path = self.folder / name
        self.path.symlink_to(os.ttyname(self._port_end))
        self._alias.unlink(missing_ok=True)
        self._alias.symlink_to(self.path)

    def speak(self) -> bytes:
        os.write(self.meter_end, SPOKEN)
        return SPOKEN

    def hang_up(self) -> None:
        if self.meter_end >= 0:
            os.close(self.meter_end)
            os.close(self._port_end)
            self.meter_end = -1
            self._alias.unlink()
            self.path.unlink()


class SocketRig:
    """A server on the loopback interface that accepts one connection at a time."""

    has_end = False

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._server = socket.create_server((host, 0), family=family)
        self._server.settimeout(PATIENCE_S)
        self._connection: socket.socket | None = None
        self.options = tcp.Options(host=host, port=self._server.getsockname()[1], connect_timeout_s=PATIENCE_S)

    @property
    def connection(self) -> socket.socket:
        """The other end of the link's connection."""
        if self._connection is None:
            self._connection, _ = self._server.accept()
            self._connection.settimeout(PATIENCE_S)
        return self._connection

    def speak(self) -> bytes:
        self.connection.sendall(SPOKEN)
        return SPOKEN

    def hang_up(self) -> None:
        self.connection.close()
        self._connection = None

    def stop_listening(self) -> None:
        self._server.close()

    def close(self) -> None:
        self._server.close()
        if self._connection is not None:
            self._connection.close()


class BrokerRig:
    """A real broker, and a device that publishes."""

    has_end = False

    def __init__(self, folder: Path, settings: Mapping[str, object] | None = None) -> None:
        self.broker = mosquitto.Broker(mosquitto.program() or _missing(mosquitto.INSTALL), folder, settings)
        self.options = mqtt.Options(
            host="127.0.0.1", topic="tele/#", port=self.broker.port, connect_timeout_s=PATIENCE_S
        )

    def speak(self) -> bytes:
        self.broker.say("tele/rig/SENSOR", SPOKEN)
        return to_line("tele/rig/SENSOR", SPOKEN)

    def hang_up(self) -> None:
        self.broker.stop()


class DeviceRig:
    """A device on the loopback interface that answers every question the same, until it is told to answer otherwise."""

    has_end = False

    def __init__(self, body: bytes = SPOKEN, path: str = "/api/v1/data") -> None:
        self.body, self.path, self.status = body, path, 200
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._server: ThreadingHTTPServer | None = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}{path}"
        self.options = http_link.Options(url=self.url, interval_s=0.1, timeout_s=PATIENCE_S)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        rig = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                rig.asked.append((self.path, dict(self.headers)))
                self.send_response(rig.status)
                for name, value in rig.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(rig.body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        return Handler

    def speak(self) -> bytes:
        return to_line(self.path, self.body)

    def hang_up(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            self._thread.join()


class FileRig:
    """A recording."""

    has_end = True

    def __init__(self, folder: Path) -> None:
        path = folder / "recording.txt"
        path.write_bytes(SPOKEN)
        self.options = replay.Options(path=str(path))

    def speak(self) -> bytes:
        return SPOKEN

    def hang_up(self) -> None:
        """It ends by itself."""


class HouseRig:
    """The simulated house speaks by itself, and does not go away."""

    has_end = False

    def __init__(self) -> None:
        self.options = simulated.Options(interval_s=0.01, anchor="2026-01-01T00:00:00+00:00")

    def speak(self) -> bytes:
        return b""

    def hang_up(self) -> None:
        """It stays."""


class GpioRig:
    """A line of a kernel's chip, and a monotonic clock that stands still."""

    has_end = False
    READ_NS = 8_123_456_912_345

    def __init__(self, line: KernelLine) -> None:
        self.line = line
        self.options = gpio.Options(line=LINE, chip=CHIP, driver="gpiod")

    def speak(self) -> bytes:
        edge_ns = self.READ_NS - 123_456
        self.line.edge(edge_ns)
        said = {"edge_ns": edge_ns, "read_ns": self.READ_NS, "seq": 1}
        return to_line("gpiochip0/17", json.dumps(said).encode())

    def hang_up(self) -> None:
        self.line.unplug()


class SensorRig:
    """The kernel's folder of a 1-wire bus with one sensor."""

    has_end = False
    TEXT = b"72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "devices"
        self.plug_in("28-00000623003b")
        self.options = w1.Options(folder=str(self.folder), interval_s=0.01)

    def plug_in(self, sensor: str) -> None:
        (self.folder / sensor).mkdir(parents=True)
        (self.folder / sensor / "w1_slave").write_bytes(self.TEXT)

    def speak(self) -> bytes:
        return to_line("28-00000623003b", self.TEXT)

    def hang_up(self) -> None:
        shutil.rmtree(self.folder)


@contextmanager
def _terminal(folder: Path) -> Iterator[Rig]:
    rig = TerminalRig(folder)
    try:
        yield rig
    finally:
        rig.hang_up()


@contextmanager
def _server(folder: Path) -> Iterator[Rig]:
    rig = SocketRig()
    try:
        yield rig
    finally:
        rig.close()


@contextmanager
def _file(folder: Path) -> Iterator[Rig]:
    yield FileRig(folder)


@contextmanager
def _house(folder: Path) -> Iterator[Rig]:
    yield HouseRig()


@contextmanager
def _broker(folder: Path) -> Iterator[Rig]:
    rig = BrokerRig(folder)
    try:
        yield rig
    finally:
        rig.hang_up()


@contextmanager
def _device(folder: Path) -> Iterator[Rig]:
    rig = DeviceRig()
    try:
        yield rig
    finally:
        rig.hang_up()


@contextmanager
def _gpio(folder: Path) -> Iterator[Rig]:
    with kernel_line() as line, patch.object(gpio, "monotonic_ns", lambda: GpioRig.READ_NS):
        yield GpioRig(line)


@contextmanager
def _sensors(folder: Path) -> Iterator[Rig]:
    yield SensorRig(folder)


RIGS: dict[str, Callable[[Path], Any]] = {
    "gpio": _gpio,
    "http": _device,
    "mqtt": _broker,
    "replay": _file,
    "serial": _terminal,
    "simulated": _house,
    "tcp": _server,
    "w1": _sensors,
}
"""A context manager for each link: folder for its files -> Rig. A new link adds its own."""


def heard(link: Link, count: int) -> bytes:
    """At least `count` bytes from the link, fewer where it ends; fails where they do not come."""
    data = b""
    while len(data) < count:
        try:
            piece = link.read(PATIENCE_S)
        except EndedError:
            return data
        assert piece, f"nothing came in {PATIENCE_S} s after {len(data)} bytes"
        data += piece
    return data


def written(number: int, count: int) -> bytes:
    """`count` bytes that arrived at a file number."""
    data = b""
    while len(data) < count:
        ready, _, _ = select.select([number], [], [], PATIENCE_S)
        assert ready, f"nothing came in {PATIENCE_S} s after {len(data)} bytes"
        data += os.read(number, count - len(data))
    return data
