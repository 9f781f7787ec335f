"""HTTPS at home: who is let in by which door, and that nobody who dawdles keeps the others out."""

import plistlib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509

from services.dashboard.__main__ import SETTINGS
from services.dashboard.serving import ARRIVAL_S
from tests.p1_cable import PATIENCE_S
from tests.services.https import SecureBox, secure_box

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
THREADS = int(str(SETTINGS["threads"]))
FORM = b"POST /claim HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
HALVES = {
    "nothing": b"",
    "half a head": b"GET /claim HTTP/1.1\r\nHost: 127",
    "half a form": FORM + b"5000\r\n\r\nname=Ada",
    "half a large form": FORM + b"200000\r\n\r\nname=Ada",
    "a chunk that never ends": FORM.replace(b"Content-Length: ", b"Transfer-Encoding: chunked\r\n\r\nFFFF\r\nname=Ada"),
    "no head at all": b"\x16\x03\x01" * 20,
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBox]:
    with secure_box(tmp_path_factory.mktemp("box")) as running:
        yield running


def test_the_dashboard_answers_who_trusts_what_it_gave_out(box: SecureBox) -> None:
    answer, said = box.asked("/claim")
    assert (answer.status, "Claim this box" in said) == (200, True)
    assert answer.headers["Strict-Transport-Security"]
    assert re.fullmatch(
        r"__Host-inglenook_browser=[\w-]+; Secure; HttpOnly; Path=/; SameSite=Strict", answer.headers["Set-Cookie"]
    )


def test_a_client_that_does_not_trust_it_is_not_fooled(box: SecureBox) -> None:
    with (
        pytest.raises(ssl.SSLCertVerificationError),
        socket.create_connection(("127.0.0.1", box.port), PATIENCE_S) as plain,
    ):
        ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")


def test_its_fingerprint_is_printed_and_shown(box: SecureBox) -> None:
    [printed] = [line for line in box.service.lines if "fingerprint" in line]
    pairs = printed.strip().rpartition(" ")[2].split(":")
    assert len(pairs) == 32
    for plain in (True, False):
        _, page = box.asked("/trust", plain=plain)
        assert " ".join(pairs[:8]) in page


@pytest.mark.parametrize("ending", ["crt", "pem", "mobileconfig"])
def test_the_certificate_comes_as_each_device_takes_it(box: SecureBox, ending: str) -> None:
    answer, _ = box.asked(f"/trust/inglenook.{ending}", plain=True)
    assert answer.status == 200
    pem = box.asked("/trust/inglenook.pem", plain=True)[1]
    certificate = x509.load_pem_x509_certificate(pem.encode())
    if ending == "mobileconfig":
        profile = plistlib.loads(box.asked("/trust/inglenook.mobileconfig")[1].encode())
        [payload] = profile["PayloadContent"]
        assert payload["PayloadType"] == "com.apple.security.root"
        assert x509.load_der_x509_certificate(payload["PayloadContent"]) == certificate


@pytest.mark.parametrize("host", ["inglenook.local", "127.0.0.1", "[::1]", "INGLENOOK.local"])
def test_it_answers_to_its_own_names(box: SecureBox, host: str) -> None:
    assert box.asked("/claim", host=f"{host}:{box.port}")[0].status == 200


@pytest.mark.parametrize("host", ["evil.example", "inglenook.local.evil.example", "192.0.2.1"])
def test_it_answers_to_no_other_name(box: SecureBox, host: str) -> None:
    assert box.asked("/claim", host=host)[0].status == 400


@pytest.mark.parametrize("path", ["/claim", "/sign-in", "/now", "/api/now", "/metrics", "/nowhere"])
def test_plain_http_leads_to_https_and_says_nothing_else(box: SecureBox, path: str) -> None:
    answer, _ = box.asked(f"{path}?x=1", plain=True)
    assert (answer.status, answer.headers["Location"]) == (302, f"{box.address}{path}?x=1")
    assert "Set-Cookie" not in answer.headers


def test_plain_http_takes_no_form_and_sets_no_cookie(box: SecureBox) -> None:
    assert box.asked("/sign-in", plain=True, method="POST", body="name=Ada")[0].status == 403
    for path in ("/", "/trust", "/trust/inglenook.crt"):
        answer, _ = box.asked(path, plain=True)
        assert (answer.status, "Set-Cookie" in answer.headers) == (200, False)


def test_plain_http_leads_to_the_box_and_nowhere_else(box: SecureBox) -> None:
    for host, origin in (("evil.example", "inglenook.local"), (f"inglenook.local:{box.plain_port}", "inglenook.local")):
        answer, _ = box.asked("/now", plain=True, host=host)
        assert answer.headers["Location"] == f"https://{origin}:{box.port}/now"
    answer, _ = box.asked("//evil.example/", plain=True)
    assert answer.headers["Location"].startswith(f"{box.address}/")


def _answers(box: SecureBox) -> bool:
    """Whether it answers by both doors before it would hang up on anybody."""
    doors = [box.asked("/trust", plain=plain, within_s=0.8 * ARRIVAL_S) for plain in (False, True)]
    return all(answer.status == 200 for answer, _ in doors)


def _connected(box: SecureBox, held: ExitStack, count: int = 1, *, tls: bool = True) -> list[socket.socket]:
    """So many connections, which end with the test."""
    trusting, port = box.trusting, box.port if tls else box.plain_port
    made = [socket.create_connection(("127.0.0.1", port), PATIENCE_S) for _ in range(count)]
    if tls:
        made = [trusting.wrap_socket(each, server_hostname="127.0.0.1") for each in made]
    return [held.enter_context(each) for each in made]


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
def test_as_many_half_sent_requests_as_threads_keep_nobody_out(box: SecureBox, half: str, tls: bool) -> None:
    with ExitStack() as held:
        for connection in _connected(box, held, THREADS, tls=tls):
            with suppress(OSError):  # it may hang up at once
                connection.sendall(HALVES[half])
        assert _answers(box)


def test_as_many_half_done_handshakes_as_threads_keep_nobody_out(box: SecureBox) -> None:
    with ExitStack() as held:
        for _ in range(THREADS):
            plain = held.enter_context(socket.create_connection(("127.0.0.1", box.port), PATIENCE_S))
            plain.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01")
        assert _answers(box)


def test_as_many_second_requests_half_sent_keep_nobody_out(box: SecureBox) -> None:
    with ExitStack() as held:
        for connection in _connected(box, held, THREADS):
            connection.sendall(b"GET /trust HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /claim HTTP/1.1\r\nHost: 127")
            assert connection.recv(20).startswith(b"HTTP/1.1 200")
        assert _answers(box)


def test_as_many_who_read_no_answer_keep_nobody_out(box: SecureBox) -> None:
    with ExitStack() as held:
        for connection in _connected(box, held, THREADS, tls=False):
            connection.sendall(b"GET /trust HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 20)
        assert _answers(box)


def test_more_connections_than_the_box_holds_keep_nobody_out(box: SecureBox) -> None:
    with ExitStack() as held:
        for _ in range(2 * int(str(SETTINGS["worker_connections"]))):
            held.enter_context(socket.create_connection(("127.0.0.1", box.port), PATIENCE_S))
        assert _answers(box)


def test_who_sends_nothing_is_hung_up_on(box: SecureBox) -> None:
    assert ARRIVAL_S < PATIENCE_S
    with socket.create_connection(("127.0.0.1", box.port), PATIENCE_S) as silent:
        assert silent.recv(1) == b""


def test_systemd_is_told_that_it_is_ready_once_it_answered_by_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _told(tmp_path, monkeypatch) as told, secure_box(tmp_path / "box"):
        assert told.recv(500).startswith(b"READY=1")


@pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is not installed")
def test_it_is_ready_too_where_the_clock_went_back_to_before_its_certificate_authority(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secure_box(tmp_path / "box"):
        pass
    _set_clock_to_1970(monkeypatch)
    with _told(tmp_path, monkeypatch) as told, secure_box(tmp_path / "box"):
        assert told.recv(500).startswith(b"READY=1")


@contextmanager
def _told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What stands for systemd, and is told how the next service goes."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(str(folder / "notify"))
        told.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
        yield told


def _set_clock_to_1970(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("LD_PRELOAD", str(FAKETIME)),
        ("FAKETIME", "@1970-01-01 00:02:00"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),  # its name in other versions
    ):
        monkeypatch.setenv(name, value)


def test_a_form_is_read_whole_however_it_comes(box: SecureBox) -> None:
    """In bytes, in one piece with its head, and large."""
    for body in (b"name=Ada", b"name=" + b"A" * 100_000):
        request = FORM + str(len(body)).encode() + b"\r\nConnection: close\r\n\r\n" + body
        for size in (len(request), max(1, len(request) // 50)):
            with ExitStack() as held:
                [connection] = _connected(box, held)
                for begin in range(0, len(request), size):
                    connection.sendall(request[begin : begin + size])
                said = b"".join(iter(lambda c=connection: c.recv(1 << 16), b""))  # type: ignore[misc]
                assert b" 403 " in said.split(b"\r\n")[0]
                assert b"</html>" in said


@pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is not installed")
def test_a_box_that_first_starts_in_1970_says_so_on_its_plain_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGLENOOK_CLOCK", str(tmp_path / "clock-is-set"))
    _set_clock_to_1970(monkeypatch)
    with secure_box(tmp_path / "box") as box:
        _, page = box.asked("/", plain=True)
        assert "it believes that it is 01 January 1970" in page
        assert "look whether the router is on" in page
        pem = ssl.get_server_certificate(("127.0.0.1", box.port))
        made = x509.load_pem_x509_certificate(pem.encode())
        assert made.not_valid_before_utc.year < 1971
        (tmp_path / "clock-is-set").touch()
        assert "it believes" not in box.asked("/", plain=True)[1]
