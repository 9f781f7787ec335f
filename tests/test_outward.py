"""A server that is named behind a port that the box's firewall does not let out is said to be that, and no other is."""

import re
from pathlib import Path

import pytest

from appliance import outward
from appliance.backup.restic import AWAY, RepositoryError

ROOT = Path(__file__).parents[1]
AWAY_FROM_HOME = "203.0.113.5"


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outward, "FIREWALL", tmp_path)


def test_the_ports_that_are_said_are_those_of_the_firewall() -> None:
    rules = ROOT / "image-build/stage-inglenook/00-system/files/etc/nftables.conf"
    [chain] = re.findall(r"chain of_inglenook {\n\s*tcp dport { ([0-9, ]+) } accept", rules.read_text(encoding="utf-8"))
    assert tuple(map(int, chain.split(", "))) == outward.PORTS


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize(
    ("address", "port"),
    [
        (f"https://{AWAY_FROM_HOME}:8443/files", 8443),
        ("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:9000/bucket", 9000),
        (f"sftp://box@{AWAY_FROM_HOME}:2222//copies", 2222),
    ],
)
def test_a_closed_port_is_said_with_those_that_are_open(address: str, port: int) -> None:
    said = outward.closed_at(address)
    assert f"nothing out to port {port} beyond your home, but to 22, 80, 143, 443, 465, 587, 993 and 8000 alone" in said


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize(
    "address",
    [
        f"https://{AWAY_FROM_HOME}/files",
        f"sftp:box@{AWAY_FROM_HOME}:/copies",
        f"sftp://box@{AWAY_FROM_HOME}//copies",
        "https://192.168.1.5:9000/bucket",
        "https://[fd00::5]:9000/bucket",
        "https://localhost:9000/bucket",
        "https://no-such-machine.invalid:9000/bucket",
        "https://[::1:9000/",
        "/media/disk/inglenook",
    ],
)
def test_of_an_open_port_of_home_and_of_what_is_no_server_nothing_is_said(address: str) -> None:
    assert outward.closed_at(address) == ""


def test_where_our_firewall_is_not_nothing_is_said() -> None:
    assert outward.closed(AWAY_FROM_HOME, 9000) == ""


@pytest.mark.usefixtures("guarded")
def test_a_backup_that_does_not_get_out_says_so_and_one_that_gets_no_answer_does_not() -> None:
    said = "ssh: connect to host: No route to host"
    assert "lets nothing out to port 2222" in str(RepositoryError(f"sftp://box@{AWAY_FROM_HOME}:2222//copies", said))
    assert "lets nothing out to port 9000" in str(RepositoryError(f"s3:https://{AWAY_FROM_HOME}:9000/copies", said))
    assert RepositoryError(f"rest:https://{AWAY_FROM_HOME}:8000/copies", said).reason == AWAY
