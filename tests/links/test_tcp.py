"""The TCP link against a real server on the loopback interface."""

import socket
from collections.abc import Iterator

import pytest

from appliance.errors import SourceError, UserError
from appliance.links import tcp
from tests.contracts.links import PATIENCE_S, SPOKEN, SocketRig, heard


@pytest.fixture
def rig() -> Iterator[SocketRig]:
    rig = SocketRig()
    yield rig
    rig.close()


@pytest.fixture
def link(rig: SocketRig) -> Iterator[tcp.Link]:
    link = tcp.Link(rig.options)
    yield link
    link.close()


def test_reads_its_options_from_text() -> None:
    assert tcp.Options.from_text("meter.local:2001") == tcp.Options("meter.local", 2001)
    assert tcp.Options.from_text("[fe80::1]:23") == tcp.Options("fe80::1", 23)
    assert tcp.Options.from_text("[fe80::1]:23").address == "[fe80::1]:23"


@pytest.mark.parametrize("text", ["", "meter", "meter:", ":23", "meter:0", "meter:65536", "meter:²", "fe80::1:23"])
def test_refuses_what_is_no_address(text: str) -> None:
    with pytest.raises(UserError):
        tcp.Options.from_text(text)


def test_says_every_problem_of_a_configuration() -> None:
    with pytest.raises(UserError) as raised:
        tcp.Options(host="", port=0, connect_timeout_s=0)
    assert len(raised.value.problems) == 3


def test_writes_to_the_meter(rig: SocketRig, link: tcp.Link) -> None:
    link.open()
    link.write(b"/?!\r\n")
    assert rig.connection.recv(5, socket.MSG_WAITALL) == b"/?!\r\n"


def test_nothing_said_is_nothing_read(link: tcp.Link) -> None:
    link.open()
    assert link.read(0) == b""


def test_watches_over_a_silent_connection(link: tcp.Link) -> None:
    link.open()
    assert link._socket
    assert link._socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


def test_a_server_that_went_away_is_found_again(rig: SocketRig, link: tcp.Link) -> None:
    link.open()
    rig.hang_up()
    with pytest.raises(SourceError, match="it ended the connection") as lost:
        link.read(PATIENCE_S)
    assert not lost.value.permanent
    link.open()
    rig.speak()
    assert heard(link, len(SPOKEN)) == SPOKEN


def test_says_that_nothing_listens(rig: SocketRig, link: tcp.Link) -> None:
    rig.stop_listening()
    with pytest.raises(SourceError, match=r"nothing listens on 127\.0\.0\.1") as refused:
        link.open()
    assert not refused.value.permanent


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (socket.gaierror(-2, "unknown"), "no host is called 127.0.0.1"),
        (TimeoutError("timed out"), "did not answer in"),
        (OSError(113, "No route to host"), "No route to host"),
    ],
)
def test_says_why_there_is_no_connection(
    link: tcp.Link, monkeypatch: pytest.MonkeyPatch, error: OSError, message: str
) -> None:
    def refused(*args: object) -> socket.socket:
        raise error

    monkeypatch.setattr(socket, "create_connection", refused)
    with pytest.raises(SourceError, match=message):
        link.open()


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_speaks_ipv6() -> None:
    try:
        rig = SocketRig("::1")
    except OSError as error:
        pytest.skip(f"no IPv6 on the loopback interface: {error}")
    link = tcp.Link(tcp.Options.from_text(rig.options.address))
    link.open()
    rig.speak()
    assert heard(link, len(SPOKEN)) == SPOKEN
    link.close()
    rig.close()
