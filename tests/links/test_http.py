"""The HTTP link against a real server on the loopback interface."""

import threading
from collections.abc import Iterator

import pytest

from appliance.errors import SourceError, UserError
from appliance.links import http
from appliance.messages import LINE_BYTES, Lines, Message
from tests.contracts.links import PATIENCE_S, DeviceRig


@pytest.fixture
def rig() -> Iterator[DeviceRig]:
    rig = DeviceRig(b'{"total_power_import_kwh": 1.5}')
    yield rig
    rig.hang_up()


@pytest.fixture
def link(rig: DeviceRig) -> Iterator[http.Link]:
    link = http.Link(rig.options)
    yield link
    link.close()


def test_reads_its_options_from_text() -> None:
    assert http.Options.from_text("http://meter.local/status").url == "http://meter.local/status"
    assert http.Options.from_text("192.168.1.20/api/v1/data").url == "http://192.168.1.20/api/v1/data"


@pytest.mark.parametrize(
    "url",
    ["", "meter", "ftp://a/b", "http://", "http://a:99999/", "http://a b/", "http://a/\n", "http://[x/", "http://a:0/"],
)
def test_refuses_what_is_no_address(url: str) -> None:
    with pytest.raises(UserError, match="url: is no address"):
        http.Options(url)


def test_says_every_problem_of_a_configuration() -> None:
    with pytest.raises(UserError) as raised:
        http.Options(url="http://user:hidden@a/", interval_s=0, timeout_s=0, header="hidden", token="a\nb")
    assert len(raised.value.problems) == 5
    assert "hidden" not in str(raised.value)


def test_keeps_its_secrets_to_itself() -> None:
    options = http.Options("http://a/", token="hidden", header="X-Key: hidden")
    assert "hidden" not in repr(options)


def test_asks_again_and_again_and_each_answer_is_a_message(rig: DeviceRig, link: http.Link) -> None:
    link.open()
    first, second = link.read(PATIENCE_S), link.read(PATIENCE_S)
    assert Lines().feed(first + second) == [Message(rig.path, rig.body.decode())] * 2
    assert [path for path, _ in rig.asked] == [rig.path] * 2


def test_does_not_ask_before_it_is_time(rig: DeviceRig) -> None:
    link = http.Link(http.Options(rig.url, interval_s=3600))
    link.open()
    assert link.read(0)
    assert link.read(0) == b""
    assert len(rig.asked) == 1
    link.close()


def test_shows_that_it_may(rig: DeviceRig) -> None:
    link = http.Link(http.Options(f"{rig.url}?id=0", token="secret", header="X-Api-Version: 2"))
    link.open()
    link.close()
    [(path, headers)] = rig.asked
    assert path == f"{rig.path}?id=0"
    assert headers["Authorization"] == "Bearer secret"
    assert headers["X-Api-Version"] == "2"


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (401, "write it as token"),
        (403, "switch the local API on in its app"),
        (404, "check the path"),
        (503, "look at the device"),
    ],
)
def test_an_answer_that_is_none_says_the_next_step(rig: DeviceRig, link: http.Link, status: int, step: str) -> None:
    rig.status = status
    with pytest.raises(SourceError, match=step) as raised:
        link.open()
    assert not raised.value.permanent


def test_is_not_sent_on_to_elsewhere(rig: DeviceRig, link: http.Link) -> None:
    rig.status, rig.headers = 302, {"Location": rig.url.replace("/api/v1/data", "/elsewhere")}
    with pytest.raises(SourceError, match=r"sends on to .*elsewhere"):
        link.open()
    assert [path for path, _ in rig.asked] == [rig.path]


@pytest.mark.parametrize("body", [b"x" * (LINE_BYTES * 40), b"\xff\xfe\x00"], ids=["huge", "binary"])
def test_an_answer_that_no_device_gives_is_refused_and_counted(rig: DeviceRig, link: http.Link, body: bytes) -> None:
    rig.body = body
    link.open()
    lines = Lines()
    assert lines.feed(link.read(0)) == []
    assert lines.refused == 1


def test_says_that_nothing_listens_and_finds_it_again(rig: DeviceRig, link: http.Link) -> None:
    link.open()
    assert link.read(0)
    rig.hang_up()
    with pytest.raises(SourceError, match="nothing listens on 127"):
        link.read(PATIENCE_S)
    with pytest.raises(SourceError, match="is not open"):
        link.read(0)


def test_a_device_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        link = http.Link(http.Options(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout_s=0.05))
        with pytest.raises(SourceError, match=r"did not answer in 0\.05 s"):
            link.open()


def test_what_is_no_http_is_said() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-x\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        link = http.Link(http.Options(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout_s=PATIENCE_S))
        with pytest.raises(SourceError, match="does not answer as HTTP does"):
            link.open()
        thread.join(PATIENCE_S)


def test_a_close_ends_a_question_that_waits_for_its_answer() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        link = http.Link(http.Options(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout_s=PATIENCE_S))
        thread = threading.Thread(target=link.open)
        thread.start()
        connection, _ = server.accept()
        with connection:
            assert connection.recv(4096).startswith(b"GET / ")
            link.close()
            thread.join(PATIENCE_S)
        assert not thread.is_alive()
