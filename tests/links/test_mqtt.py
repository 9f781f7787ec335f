"""The MQTT link against a real broker: TLS, passwords, a broker that goes and comes, and messages meant to harm."""

import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import AccessError, SourceError, UserError
from appliance.links import mqtt
from appliance.links._mqtt import Narrowed
from appliance.messages import LINE_BYTES, Lines, Message
from tests import certificates, mosquitto
from tests.contracts.links import PATIENCE_S, BrokerRig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[BrokerRig]:
    rig = BrokerRig(tmp_path)
    yield rig
    rig.hang_up()


@pytest.fixture
def link(rig: BrokerRig) -> Iterator[mqtt.Link]:
    link = mqtt.Link(rig.options)
    yield link
    link.close()


def _messages(link: mqtt.Link, count: int, lines: Lines | None = None) -> list[Message]:
    """The next messages, at least so many."""
    lines, messages = lines or Lines(), list[Message]()
    until_s = time.monotonic() + PATIENCE_S
    while len(messages) < count:
        assert time.monotonic() < until_s, f"nothing came in {PATIENCE_S} s after {len(messages)} messages"
        messages += lines.feed(link.read(PATIENCE_S))  # which gives nothing while a message is left out
    return messages


# ---- configuration ----


def test_reads_its_options_from_text() -> None:
    assert mqtt.Options.from_text("broker.local/tele/+/SENSOR") == mqtt.Options("broker.local", "tele/+/SENSOR")
    assert mqtt.Options.from_text("10.0.0.5:8883/#") == mqtt.Options("10.0.0.5", "#", 8883, tls=True)
    assert mqtt.Options.from_text("[fe80::1]:1884/a/b").address == "[fe80::1]:1884"
    assert mqtt.Options.from_text("broker.local/a").address == "broker.local:1883"


@pytest.mark.parametrize(
    "text", ["", "broker", "broker/", "/a", "broker:x/a", "fe80::1/a", "broker/a/#/b", "b/a+/c", "b/x#"]
)
def test_refuses_what_names_no_topic_of_a_broker(text: str) -> None:
    with pytest.raises(UserError):
        mqtt.Options.from_text(text)


def test_says_every_problem_of_a_configuration_and_no_password() -> None:
    with pytest.raises(UserError) as raised:
        mqtt.Options("", "", port=-1, password="hidden", password_file="x", ca_file="y", connect_timeout_s=0)
    assert len(raised.value.problems) == 7
    assert "hidden" not in str(raised.value)
    assert "hidden" not in repr(mqtt.Options("a", "b", username="u", password="hidden"))


def test_its_name_at_the_broker_is_the_machine_s_and_fits_every_broker() -> None:
    one, other = mqtt.client_id(), mqtt.client_id()
    assert one != other  # or each of two meters would end the other's connection
    assert one[:18] == other[:18]
    assert len(one) <= 23


# ---- messages ----


def test_tells_what_the_broker_kept_from_what_is_said_now(rig: BrokerRig, link: mqtt.Link) -> None:
    rig.broker.say("tele/old/SENSOR", "1", retain=True)
    link.open()
    assert _messages(link, 1) == [Message("tele/old/SENSOR", "1", retained=True)]
    rig.broker.say("tele/new/SENSOR", "2")
    rig.broker.say("elsewhere", "3")
    rig.broker.say("tele/new/SENSOR", "4")
    assert _messages(link, 2) == [Message("tele/new/SENSOR", "2"), Message("tele/new/SENSOR", "4")]


def test_messages_that_no_meter_sends_are_refused_and_counted_and_the_next_is_read(
    rig: BrokerRig, link: mqtt.Link
) -> None:
    link.open()
    for payload in (b"x" * 5_000_000, b"\xff\xfe\x00", b"y" * (LINE_BYTES - 60), b"z" * 20_000_000):
        rig.broker.say("tele/hostile/SENSOR", payload)
    rig.broker.say("tele/plug/SENSOR", "1.5")
    lines = Lines()
    assert _messages(link, 1, lines) == [Message("tele/plug/SENSOR", "1.5")]
    assert lines.refused == 4


def test_a_huge_message_costs_little_memory(rig: BrokerRig, link: mqtt.Link) -> None:
    link.open()
    thread = threading.Thread(target=rig.broker.say, args=("tele/hostile/SENSOR", b"x" * 30_000_000))
    thread.start()
    thread.join(PATIENCE_S)
    rig.broker.say("tele/plug/SENSOR", "1.5")
    tracemalloc.start()
    try:
        assert _messages(link, 1)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1_000_000


def test_one_read_holds_no_more_than_its_share_of_a_flood(rig: BrokerRig, link: mqtt.Link) -> None:
    link.open()
    for number in range(60):
        rig.broker.say("tele/flood/SENSOR", str(number).rjust(10_000))
    lines, heard = Lines(), list[Message]()
    while len(heard) < 60:
        data = link.read(PATIENCE_S)
        assert 0 < len(data) < mqtt.READ_BYTES + LINE_BYTES
        heard += lines.feed(data)
    assert [int(message.payload) for message in heard] == list(range(60))


class _Pieces:
    """A connection over which packets arrive in pieces; between them there is nothing yet."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = list(pieces)

    def recv(self, count: int) -> bytes:
        if not self._pieces:
            return b""
        piece = self._pieces[0]
        if not piece:
            self._pieces.pop(0)
            raise BlockingIOError
        self._pieces[0] = piece[count:]
        return piece[:count]


def _packet(kind: int, length: int) -> bytes:
    """A packet of MQTT 3.1.1 (section 2.2.3)."""
    digits, left = bytearray(), length
    while not digits or left:
        digits.append(left & 0x7F | (0x80 if left > 0x7F else 0))
        left >>= 7
    return bytes([kind]) + bytes(digits) + bytes([kind]) * length


@given(
    packets=st.lists(
        st.tuples(st.integers(0x10, 0xFF), st.sampled_from([0, 1, 127, 128, 300, 301, 20_000])), max_size=8
    ),
    cuts=st.lists(st.integers(0, 60_000), max_size=12),
    count=st.sampled_from([1, 7, 65_536]),
)
def test_packets_that_are_too_long_are_left_out_however_they_arrive(
    packets: list[tuple[int, int]], cuts: list[int], count: int
) -> None:
    data = b"".join(_packet(*each) for each in packets)
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    narrowed = Narrowed(_Pieces([data[at:end] for at, end in pairwise(places)]), limit=300)  # type: ignore[arg-type]
    heard = b""
    for _ in range(200_000):
        try:
            piece = narrowed.recv(count)
        except BlockingIOError:
            continue
        heard += piece
        if not piece and heard == b"".join(_packet(*each) for each in packets if each[1] <= 300):
            break
    else:
        pytest.fail("something was lost")
    assert narrowed.skipped == sum(length > 300 for _, length in packets)


# ---- a broker that is not there, or goes ----


def test_says_that_no_broker_listens() -> None:
    link = mqtt.Link(mqtt.Options("127.0.0.1", "#", mosquitto.free_port()))
    with pytest.raises(SourceError, match=r"no broker listens on 127\.0\.0\.1:\d+: check the port") as raised:
        link.open()
    assert not raised.value.permanent


def test_resumes_where_a_broker_was_killed_and_started_again(rig: BrokerRig, link: mqtt.Link) -> None:
    link.open()
    rig.broker.stop()
    with pytest.raises(SourceError, match=r"lost the broker .* waiting for it to come back") as lost:
        link.read(PATIENCE_S)
    assert not lost.value.permanent
    with pytest.raises(SourceError, match="no broker listens"):
        link.open()
    rig.broker.start()
    link.open()
    rig.broker.say("tele/plug/SENSOR", "1.5")
    assert _messages(link, 1) == [Message("tele/plug/SENSOR", "1.5")]


def test_what_is_no_broker_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        options = mqtt.Options("127.0.0.1", "#", server.getsockname()[1], connect_timeout_s=0.2)
        with pytest.raises(SourceError, match="does not answer as a broker"):
            mqtt.Link(options).open()


# ---- passwords ----


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[mosquitto.Broker]:
    """A broker that wants a password, and lets its one user read `tele/#` alone."""
    lists = tmp_path / "acl"
    lists.write_text(f"user {mosquitto.USER}\ntopic readwrite tele/#\n")
    users = mosquitto.password_file(tmp_path)
    settings = {"allow_anonymous": "false", "password_file": users, "acl_file": lists}
    rig = BrokerRig(tmp_path, settings)
    yield rig.broker
    rig.hang_up()


def _guarded_link(broker: mosquitto.Broker, topic: str = "tele/#", **options: str) -> mqtt.Link:
    return mqtt.Link(mqtt.Options("127.0.0.1", topic, broker.port, **options))  # type: ignore[arg-type]


def test_a_wrong_password_is_said_without_being_shown(
    guarded: mosquitto.Broker, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SourceError, match="does not take the user name 'inglenook' or its password") as raised:
        _guarded_link(guarded, username=mosquitto.USER, password="hidden").open()
    assert not raised.value.permanent  # a person mends it at the broker, and nothing here is started again
    assert "hidden" not in str(raised.value) + caplog.text
    with pytest.raises(SourceError, match="does not take us without a password"):
        _guarded_link(guarded).open()


def test_a_password_may_lie_in_a_file_of_its_own(guarded: mosquitto.Broker, tmp_path: Path) -> None:
    path = tmp_path / "password"
    link = _guarded_link(guarded, username=mosquitto.USER, password_file=str(path))
    with pytest.raises(SourceError, match=r"cannot read the password in .*: No such file"):
        link.open()
    path.write_text(mosquitto.PASSWORD + "\n")
    link.open()
    guarded.say("tele/a/SENSOR", "1", auth={"username": mosquitto.USER, "password": mosquitto.PASSWORD})
    assert _messages(link, 1)
    link.close()


# ---- TLS ----


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return certificates.authority(tmp_path)


def _tls_broker(folder: Path, certificate: str) -> BrokerRig:
    settings = {"certfile": folder / f"{certificate}.pem", "keyfile": folder / "key.pem", "cafile": folder / "ca.pem"}
    return BrokerRig(folder, settings)


def _tls_link(rig: BrokerRig, ca_file: Path | str) -> mqtt.Link:
    return mqtt.Link(mqtt.Options("127.0.0.1", "#", rig.broker.port, tls=True, ca_file=str(ca_file)))


def test_speaks_to_a_broker_of_an_authority_of_one_s_own(authority: Path, tmp_path: Path) -> None:
    rig = _tls_broker(tmp_path, "good")
    link = _tls_link(rig, authority)
    link.open()
    rig.broker.say("tele/a/SENSOR", b"1" * 40_000, tls={"ca_certs": str(authority)})
    rig.broker.say("tele/a/SENSOR", b"1" * 4_000_000, tls={"ca_certs": str(authority)})
    rig.broker.say("tele/a/SENSOR", "2", tls={"ca_certs": str(authority)})
    lines = Lines()
    first, second = _messages(link, 2, lines)
    assert (len(first.payload), second.payload, lines.refused) == (40_000, "2", 1)
    rig.hang_up()
    with pytest.raises(SourceError, match="lost the broker"):
        link.read(PATIENCE_S)
    link.close()


@pytest.mark.parametrize(
    ("certificate", "ca_file", "message"),
    [
        ("good", "stranger.pem", "is not trusted .* name the authority that made it as ca_file"),
        ("good", "", "is not trusted"),
        ("other", "ca.pem", "is for another name"),
        ("old", "ca.pem", "has expired: have a new one made, and check the box's clock"),
        ("good", "absent.pem", "cannot read a certificate in .*absent.pem"),
        ("good", "key.pem", "cannot read a certificate in .*key.pem"),
    ],
)
def test_a_certificate_that_is_not_believed_says_why(
    authority: Path, tmp_path: Path, certificate: str, ca_file: str, message: str
) -> None:
    rig = _tls_broker(tmp_path, certificate)
    with pytest.raises(SourceError, match=message) as raised:
        _tls_link(rig, tmp_path / ca_file if ca_file else "").open()
    assert not raised.value.permanent
    rig.hang_up()


def test_tls_to_a_broker_without_it_and_the_other_way_round(rig: BrokerRig, authority: Path, tmp_path: Path) -> None:
    with pytest.raises(AccessError, match=r"check the port, and whether it has tls|check the port, and tls"):
        _tls_link(rig, authority).open()
    encrypted = _tls_broker(tmp_path, "good")
    plain = mqtt.Link(mqtt.Options("127.0.0.1", "#", encrypted.broker.port, connect_timeout_s=PATIENCE_S))
    with pytest.raises(AccessError, match=r"needs tls|has tls"):
        plain.open()
    encrypted.hang_up()
