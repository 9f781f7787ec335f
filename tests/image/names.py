"""Asks the house for a name that ends in .local, as a phone or a computer does (RFC 6762)."""

import socket
import struct
from time import monotonic

from zeroconf._dns import DNSAddress
from zeroconf._protocol.incoming import DNSIncoming

from tests.image.machine import HOME, PATIENCE_S

GROUP, PORT = "224.0.0.251", 5353
ANYWHERE = 0
ASKED_AGAIN_S = 1.0
_A, _IN = 1, 1


def resolved(name: str, port: int) -> set[str]:
    """The IPv4 addresses that are the answer to a question from this port at home.

    From `PORT` asks who takes part in mDNS, and the answer goes to all (section 6). From `ANYWHERE` asks a plain
    resolver, and the answer goes to it alone (section 6.7).
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HOME))
        asking.bind(("", port))
        if port == PORT:
            membership = socket.inet_aton(GROUP) + socket.inet_aton(HOME)
            asking.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        asking.settimeout(ASKED_AGAIN_S)
        end_s = monotonic() + PATIENCE_S
        while monotonic() < end_s:
            asking.sendto(_question(name), (GROUP, PORT))
            if found := _heard(asking, f"{name}."):
                return found
    return set()


def _question(name: str) -> bytes:
    """A query of one question for the address (RFC 1035, section 4.1)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", 0, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", _A, _IN)


def _heard(asking: socket.socket, name: str) -> set[str]:
    """Of what comes in a moment, the first answer to that name."""
    while True:
        try:
            packet = DNSIncoming(asking.recv(9000))
        except TimeoutError:
            return set()
        answers = [each for each in packet.answers() if isinstance(each, DNSAddress) and each.type == _A]
        if found := {socket.inet_ntoa(each.address) for each in answers if each.name.lower() == name}:
            return found
