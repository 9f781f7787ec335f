"""Messages of an MQTT broker, each as a line of `appliance.messages`.

The broker is listened to and never written to. Nothing is kept there while nobody listens: a message that waited would
come with nobody knowing how old it is. What this side cannot take yet stays in the connection and with the broker, so
that no more than one read's worth is held here; a message longer than a line may be is dropped on its way in, and
comes as a line that no meter takes, so that it is counted.
"""

import contextlib
import hashlib
import os
import re
import secrets
import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from appliance.errors import AccessError, SourceError, UserError
from appliance.messages import LINE_BYTES, to_line

if TYPE_CHECKING:
    from appliance.links._mqtt import Client

TITLE = "MQTT broker"

PORT, TLS_PORT = 1883, 8883
READ_BYTES = 65_536
READ_PACKETS = 256
"""About how much one read gives: messages are taken in until there is this much."""

_ADDRESS = re.compile(r"(?:\[([0-9A-Fa-f:.]+(?:%\w+)?)\]|([^\s:\[\]]+))(?::([0-9]{1,6}))?")
_REFUSED = b'{"topic": "", "refused": "too long"}\n'
_SUBSCRIPTION_REFUSED = 0x80
_DISTRUST = (ssl.SSLError, ConnectionResetError)
_EXPIRED, _OTHER_HOST, _OTHER_ADDRESS = 10, 62, 64  # of OpenSSL's X509_V_ERR


@dataclass(frozen=True, slots=True)
class Options:
    """Which broker, who we are to it, and which of its topics: `+` stands for one level, `#` for all that follow."""

    host: str = field(metadata={"title": "Host name or address of the broker"})
    topic: str = field(metadata={"title": "Topic, as in tele/+/SENSOR"})
    port: int = field(default=0, metadata={"title": "Port (0: 1883, with TLS 8883)"})
    username: str = field(default="", metadata={"title": "User name (empty: none)"})
    password: str = field(default="", repr=False, metadata={"title": "Password", "secret": True})
    password_file: str = field(default="", metadata={"title": "File that holds the password, in its place"})
    tls: bool = field(default=False, metadata={"title": "Encrypted (TLS)"})
    ca_file: str = field(default="", metadata={"title": "Certificate of the broker's own authority (empty: public)"})
    connect_timeout_s: float = field(default=10.0, metadata={"title": "Seconds to wait for a connection"})

    def __post_init__(self) -> None:
        problems = [] if self.host else ["host: name the broker's host, as in broker.local"]
        if not 0 <= self.port < 65_536:
            problems.append(f"port: {self.port} is no TCP port; write a number from 1 to 65535, or 0 for the usual one")
        if not 0 < self.connect_timeout_s <= 600:
            problems.append(f"connect_timeout_s: {self.connect_timeout_s} is out of range; write 0.1 to 600 seconds")
        if self.password and self.password_file:
            problems.append("password_file: there is a password as well; keep one of them")
        if (self.password or self.password_file) and not self.username:
            problems.append("username: a password needs a user name; write the broker's")
        if self.ca_file and not self.tls:
            problems.append("ca_file: is for an encrypted connection; set tls = true")
        if problems := [*problems, *_topic_problems(self.topic)]:
            raise UserError(problems)

    @classmethod
    def from_text(cls, text: str) -> "Options":
        """Reads `host/topic`, `host:port/topic` or `[IPv6]:port/topic`; port 8883 means TLS."""
        address, slash, topic = text.partition("/")
        match = _ADDRESS.fullmatch(address)
        if not slash or not match:
            raise UserError(f"{text!r} names no topic; write host:port/topic, as in broker.local/tele/+/SENSOR")
        bare, port = match[1] or match[2], match[3] or ""
        return cls(host=bare, topic=topic, port=int(port or 0), tls=port == str(TLS_PORT))

    @property
    def address(self) -> str:
        """As a person writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port or (TLS_PORT if self.tls else PORT)}"


class Link:
    """One connection to a broker, used by the thread that reads; `close` may come from any."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._client: Client | None = None
        self._client_id = client_id()
        self._heard: list[bytes] = []
        self._answer: str | None = None  # why the broker does not let us read; "" where it does
        self._is_stranger = False  # to the broker: it takes nobody whom it does not know
        self._reading = threading.RLock()
        self._closing = False
        self._wake_read, self._wake_write = -1, -1

    def open(self) -> None:
        """Connects and subscribes. Raises SourceError, never permanent: brokers and passwords are mended; AccessError
        where a user name, a password or TLS may be what is missing."""
        from appliance.links._mqtt import Client  # paho is loaded only by a box that needs it

        self.close()
        options = self._options
        client = Client(self._client_id, LINE_BYTES, options.connect_timeout_s, self._tls() if options.tls else None)
        if options.username:
            client.username_pw_set(options.username, self._password() or None)
        client.on_connect, client.on_subscribe, client.on_message = self._connected, self._subscribed, self._message
        self._wake_read, self._wake_write = os.pipe()
        self._heard, self._answer, self._is_stranger = [], None, False
        with self._reading:
            self._client = client
            self._connect(client)

    def read(self, timeout_s: float) -> bytes:
        """The messages that have come, as lines; b"" where none did. Raises SourceError where the broker is gone."""
        if self._closing:  # or a reader that comes back at once would keep the one who closes out
            return b""
        with self._reading:
            if self._client is None:
                raise SourceError(f"there is no connection to the broker {self._options.address}")
            if not self._heard:
                self._turn(self._client, timeout_s)
                self._check(self._client)
            heard, self._heard = self._heard, []
            return b"".join(heard)

    def write(self, data: bytes) -> None:
        """A broker is only listened to."""

    def close(self) -> None:
        self._closing = True
        with contextlib.suppress(OSError):  # it may not be open
            os.write(self._wake_write, b"\0")
        with self._reading:
            client, self._client = self._client, None
            wakes, (self._wake_read, self._wake_write) = (self._wake_read, self._wake_write), (-1, -1)
            if client is not None:
                _hang_up(client)
            for number in wakes:
                if number >= 0:
                    os.close(number)
            self._closing = False

    def _connect(self, client: "Client") -> None:
        """Waits for the broker to take us and our topic. Its first messages may come before it says so."""
        from appliance.links._mqtt import KEEPALIVE_S

        options = self._options
        deadline_s = time.monotonic() + options.connect_timeout_s
        try:
            client.connect(options.host, options.port or (TLS_PORT if options.tls else PORT), KEEPALIVE_S)
        except (OSError, ValueError) as error:  # SSLError is an OSError
            self._fail(self._refusal(error), error, AccessError if isinstance(error, _DISTRUST) else SourceError)
        while self._answer is None and not self._heard and not self._closing:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                why = f"{options.address} does not answer as a broker: check the port, and whether it needs tls"
                self._fail(why, kind=AccessError)
            self._turn(client, left_s)
            self._check(client)

    def _check(self, client: "Client") -> None:
        """Raises SourceError where nothing more will come."""
        if self._answer and not self._heard:
            self._fail(self._answer, kind=AccessError if self._is_stranger else SourceError)
        if client.socket() is None and not self._heard and not self._closing:
            if self._answer is None:
                self._fail(self._ended(), kind=AccessError)
            self._fail(f"lost the broker {self._options.address}; waiting for it to come back")

    def _turn(self, client: "Client", timeout_s: float) -> None:
        """Waits for something to come, takes in what is there, and keeps the connection alive."""
        for _ in range(READ_PACKETS):
            if not self._ready(client, timeout_s) or client.loop_read() or sum(map(len, self._heard)) >= READ_BYTES:
                break
            timeout_s = 0
        self._heard += [_REFUSED] * client.skipped()
        if client.want_write():
            client.loop_write()
        client.loop_misc()

    def _ready(self, client: "Client", timeout_s: float) -> bool:
        """Whether the connection has something to read, waiting for it; a close from another thread ends the wait."""
        connected: Any = client.socket()
        if connected is None:
            return False
        if connected.pending():
            return True
        ready, _, _ = select.select([connected, self._wake_read], [], [], timeout_s)
        return connected in ready

    def _connected(self, client: Any, _: object, __: object, reason: Any, ___: object) -> None:
        """The broker's CONNACK."""
        options = self._options
        if reason.value == 0:
            client.subscribe(options.topic, qos=0)  # no acknowledgements: what is dropped on its way in owes none
        elif reason.getName() in ("Bad user name or password", "Not authorized"):
            whom = (
                f"the user name {options.username!r} or its password" if options.username else "us without a password"
            )
            self._answer = f"the broker {options.address} does not take {whom}: check both as the broker has them"
            self._is_stranger = True
        else:
            self._answer = f"the broker {options.address} refuses the connection: {reason.getName()}"

    def _subscribed(self, _: object, __: object, ___: int, reasons: list[Any], ____: object) -> None:
        """The broker's SUBACK."""
        refused = any(reason.value >= _SUBSCRIPTION_REFUSED for reason in reasons)
        who = self._options.username or "us"
        self._answer = (
            f"the broker {self._options.address} does not let {who} read {self._options.topic}: allow it in its list"
            if refused
            else ""
        )

    def _message(self, _: object, __: object, message: Any) -> None:
        try:
            line = to_line(message.topic, message.payload, retained=message.retain)
        except UnicodeDecodeError:  # a topic that is no text
            line = _REFUSED
        self._heard.append(line)

    def _fail(self, why: str, cause: Exception | None = None, kind: type[SourceError] = SourceError) -> NoReturn:
        self.close()
        raise kind(why) from cause

    def _ended(self) -> str:
        return f"{self._options.address} ends the connection at once: check the port, and whether it has tls"

    def _password(self) -> str:
        options = self._options
        if not options.password_file:
            return options.password
        try:
            return Path(options.password_file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SourceError(f"cannot read the password in {options.password_file}: {reason}") from error

    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._options.ca_file or None)
        except (OSError, ValueError) as error:
            raise SourceError(
                f"cannot read a certificate in {self._options.ca_file}: write the authority's, in PEM"
            ) from error

    def _refusal(self, error: Exception) -> str:
        options = self._options
        if isinstance(error, ssl.SSLCertVerificationError):
            return self._distrusted(error)
        if isinstance(error, ssl.SSLError):
            return f"{options.address} does not speak TLS as we do: check the port, and tls ({error.reason})"
        if isinstance(error, socket.gaierror):
            return f"no host is called {options.host}: check the name, or write the broker's address"
        if isinstance(error, ConnectionRefusedError):
            return f"no broker listens on {options.address}: check the port, and that the broker runs"
        if isinstance(error, ConnectionResetError):
            return self._ended()
        if isinstance(error, TimeoutError):
            return f"{options.address} did not answer in {options.connect_timeout_s:g} s: is it switched on?"
        return f"cannot connect to the broker {options.address}: {getattr(error, 'strerror', None) or error}"

    def _distrusted(self, error: ssl.SSLCertVerificationError) -> str:
        options = self._options
        if error.verify_code in (_OTHER_HOST, _OTHER_ADDRESS):
            return (
                f"the certificate of {options.address} is for another name: "
                "write as host the name that it was made for, or have one made for this"
            )
        if error.verify_code == _EXPIRED:
            return f"the certificate of {options.address} has expired: have a new one made, and check the box's clock"
        return (
            f"the certificate of {options.address} is not trusted ({error.verify_message}): "
            "name the authority that made it as ca_file"
        )


def client_id() -> str:
    """What the broker calls us: the machine's own name for good, and an ending for each link, since of two connections
    with one name each would end the other.

    The machine's id itself is not to be told (machine-id(5)), and 23 characters are what every broker takes.
    """
    try:
        machine = Path("/etc/machine-id").read_bytes().strip()
    except OSError:
        machine = socket.gethostname().encode()
    return f"inglenook-{hashlib.sha256(b'inglenook mqtt' + machine).hexdigest()[:8]}-{secrets.token_hex(2)}"


def _hang_up(client: "Client") -> None:
    connected: Any = client.socket()
    client.on_message = None
    with contextlib.suppress(OSError, ValueError):  # the broker may have been first
        client.disconnect()
    if connected is not None:
        connected.close()


def _topic_problems(topic: str) -> list[str]:
    """What is wrong with a topic filter (MQTT 3.1.1, section 4.7)."""
    levels = topic.split("/")
    if not topic or len(topic.encode()) > 65_535 or "\0" in topic:
        return ["topic: name the topic to read, as in tele/+/SENSOR"]
    if any(("#" in level and level != "#") or ("+" in level and level != "+") for level in levels):
        return [f"topic: in {topic!r} a + or # shares its level; write tele/+/SENSOR or zigbee2mqtt/#"]
    return [f"topic: in {topic!r} something follows the #; let it stand last"] if "#" in levels[:-1] else []
