"""Asking servers: what they take, what they refuse, and how each failure is said."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import web
from appliance.errors import SourceError
from appliance.web import Web
from tests import web_server
from tests.web_server import LATER_S, Answered, Asked, Server, serving

SECRET = "hunter2 \N{KEY}"


def answered(asked: Asked) -> Answered:
    """A server with a few addresses."""
    match asked.path:
        case "/moved":
            return Answered(status=301, headers={"Location": "/here?token=x"})
        case "/round":
            return Answered(status=302, headers={"Location": "/round"})
        case "/away":
            return Answered(status=302, headers={"Location": "http://other.example/"})
        case "/after":
            return Answered(status=303, headers={"Location": "/here"})
        case "/missing":
            return Answered(status=404)
        case "/kept":
            return Answered(status=304)
        case "/digest":
            return _digest(asked)
    return Answered(f"{asked.method} {asked.headers.get('authorization', '')}".encode())


def _digest(asked: Asked) -> Answered:
    said = dict(re.findall(r'(\w+)="?([^",]+)"?', asked.headers.get("authorization", "")))
    first = hashlib.md5(f"ann:home:{SECRET}".encode()).hexdigest()
    second = hashlib.md5(f"{asked.method}:/digest".encode()).hexdigest()
    rest = f"n1:{said.get('nc')}:{said.get('cnonce')}:auth"
    if said.get("response") == hashlib.md5(f"{first}:{rest}:{second}".encode()).hexdigest():
        return Answered(b"yours: " + asked.body)
    return Answered(b"who?", 401, {"WWW-Authenticate": 'Digest realm="home", nonce="n1", qop="auth"'})


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(answered) as made:
        yield made


def test_a_name_and_a_password_go_in_any_letters(server: Server) -> None:
    answer = Web().get(f"{server.address}/here", auth=("ann", SECRET))
    assert answer.body == b"GET Basic YW5uOmh1bnRlcjIg8J+UkQ=="


def test_a_server_that_takes_no_password_in_clear_gets_none(server: Server) -> None:
    answer = Web().ask("REPORT", f"{server.address}/digest", auth=("ann", SECRET), data=b"question")
    assert answer.body == b"yours: question"
    with pytest.raises(SourceError, match="refused the password") as raised:
        Web().get(f"{server.address}/digest", auth=("ann", "another"))
    assert raised.value.permanent


def test_it_follows_where_it_is_led_on_the_same_host_alone(server: Server) -> None:
    auth = ("ann", SECRET)
    assert Web().ask("PROPFIND", f"{server.address}/moved", auth=auth).body.startswith(b"PROPFIND Basic")
    assert Web().ask("POST", f"{server.address}/after", data=b"x").body == b"GET "
    with pytest.raises(SourceError, match=r"leads to other\.example") as raised:
        Web().get(f"{server.address}/away", auth=auth)
    assert raised.value.permanent
    with pytest.raises(SourceError, match="leads on and on"):
        Web().get(f"{server.address}/round")


def test_what_is_not_there_is_final_unless_it_may_be(server: Server) -> None:
    with pytest.raises(SourceError, match="nothing at that address") as raised:
        Web().get(f"{server.address}/missing?key={SECRET}")
    assert raised.value.permanent
    assert SECRET not in str(raised.value)
    assert Web().get(f"{server.address}/missing", accepted=frozenset({404})).status == 404
    assert Web().get(f"{server.address}/kept", accepted=frozenset({304})).status == 304


@pytest.mark.parametrize(
    ("trouble", "words", "permanent", "wait_s"),
    [
        ("401", "refused the password", True, None),
        ("403", "refused the password", True, None),
        ("429 seconds", r"cannot answer at the moment \(429\)", False, LATER_S),
        ("429 date", r"cannot answer at the moment \(429\)", False, LATER_S),
        ("500", r"cannot answer at the moment \(500\)", False, None),
        ("503", r"cannot answer at the moment \(503\)", False, None),
        ("hangs up", "broke off", False, None),
        ("cut in the middle", "try again later", False, None),
        ("endless", "sent more than 64 MB", True, None),
    ],
)
def test_each_failure_is_said_and_whether_it_may_pass(
    server: Server, trouble: str, words: str, permanent: bool, wait_s: float | None
) -> None:
    server.trouble = trouble
    with pytest.raises(SourceError, match=words) as raised:
        Web().get(f"{server.address}/here?token={SECRET}", auth=("ann", SECRET))
    assert raised.value.permanent == permanent
    assert SECRET not in str(raised.value)
    if wait_s is None:
        assert raised.value.retry_after_s is None
    else:
        assert raised.value.retry_after_s == pytest.approx(wait_s, abs=10)


def test_a_server_that_is_not_there_may_come_back() -> None:
    with serving(answered) as gone:
        address = gone.address
    with pytest.raises(SourceError, match="cannot be reached") as raised:
        Web().get(address)
    assert not raised.value.permanent


@pytest.mark.parametrize("address", ["", "cloud", "ftp://a/", "http://", "http://93.184.216.34/", "https://"])
def test_what_is_no_address_or_would_be_read_on_the_way_is_not_asked(address: str) -> None:
    with pytest.raises(SourceError, match="https://") as raised:
        Web().get(address)
    assert raised.value.permanent


def test_a_certificate_is_believed_where_it_was_given(tmp_path: Path) -> None:
    identity, pem = web_server.identity(tmp_path)
    with serving(answered, identity) as server:
        with pytest.raises(SourceError, match="certificate that nobody trusted vouches for") as raised:
            Web().get(server.address)
        assert raised.value.permanent
        assert Web().trusting(pem).get(server.address).body == b"GET "
        with pytest.raises(SourceError, match="is not one"):
            Web().trusting("no certificate")
        other = tmp_path / "other"
        other.mkdir()
        with pytest.raises(SourceError, match="vouches for"):
            Web().trusting(web_server.identity(other)[1]).get(server.address)


def test_a_large_file_comes_in_pieces_and_what_breaks_off_is_none(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "MOST_FILE_BYTES", 40 << 20)
    server.answer = lambda asked: Answered(bytes(30 << 20))
    answer, content = Web().download(f"{server.address}/big", "big.bin")
    with content:
        assert (answer.body, content.size, content.is_on_disk) == (b"", 30 << 20, True)
        assert sum(map(len, content.pieces())) == 30 << 20
    for trouble in ("endless", "cut in the middle", "500"):
        server.trouble = trouble
        with pytest.raises(SourceError):
            Web().download(f"{server.address}/big", "big.bin")


@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        ("https://api.example:443/v2", True),
        ("https://API.example/v2", True),
        ("https://api.example:8443/v2", False),
        ("http://api.example/v2", False),
        ("https://api.example.thief.example/v2", False),
        ("https://api.example@thief.example/v2", False),
    ],
)
def test_an_address_is_of_the_same_server_or_not(url: str, is_same: bool) -> None:
    assert web.is_of(url, "https://api.example/v1") == is_same


def test_a_conversation_may_take_less_than_what_is_asked_for() -> None:
    with serving(lambda asked: Answered(bytes(3 << 20))) as server:
        assert len(Web().get(server.address, most=4 << 20).body) == 3 << 20
        with pytest.raises(SourceError, match="more than 2 MB at once"):
            Web(most=2 << 20).get(server.address, most=4 << 20)
