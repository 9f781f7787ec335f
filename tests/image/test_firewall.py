"""What reaches the appliance, and what leaves it: each user of the system goes only where it has to."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from appliance import outward
from tests.image.machine import BOX, BOX6, HOME, HOME6, INTERNET, INTERNET6, Machine, until

Way = tuple[str, str, int]
"""`tcp` or `udp`, an address, a port."""

OTHER = 9999
WAITS_S = 1.0
OPENED = "/etc/inglenook/firewall.d/other.nft"
OPEN = f"add rule inet inglenook opened meta l4proto {{ tcp, udp }} th dport {OTHER} accept\n"
ECHO = f"""
import socket
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as here:
    here.bind(("::", {OTHER}))
    while True:
        here.sendto(*here.recvfrom(9))
"""
TRY = f"""
import json, socket, sys
def goes(how, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if how == "tcp" else socket.SOCK_DGRAM) as out:
        out.settimeout({WAITS_S})
        try:
            out.connect((address, port))
            out.send(b"?")
        except OSError:
            return False
    return True
print(json.dumps([goes(*way) for way in json.loads(sys.argv[1])]))
"""

NAMES: set[Way] = {("tcp", INTERNET, 53), ("tcp", INTERNET, 853), ("udp", INTERNET, 53)}
HOUSE: set[Way] = {("tcp", HOME, 443), ("tcp", HOME, OTHER), ("tcp", HOME6, OTHER), ("udp", HOME, OTHER)}
WEB: set[Way] = {("tcp", INTERNET, 80), ("tcp", INTERNET, 443), ("tcp", INTERNET6, 443)}
OF_SOURCES: set[Way] = {("tcp", INTERNET, port) for port in outward.PORTS}
TIME: set[Way] = {("udp", INTERNET, 123), ("udp", INTERNET6, 123), ("tcp", INTERNET, 4460)}
NOBODY_S: set[Way] = {
    ("tcp", INTERNET, 25),
    ("tcp", INTERNET, OTHER),
    ("tcp", INTERNET6, OTHER),
    ("udp", INTERNET, OTHER),
}
ASKED = sorted(NAMES | HOUSE | WEB | OF_SOURCES | TIME | NOBODY_S)


@pytest.fixture(scope="module")
def listening(appliance: Machine) -> Iterator[None]:
    """Something on the box that listens at a port of its own, and servers outside, at home and on the internet."""
    python = "/opt/inglenook/bin/python"
    server = [python, "-m", "http.server", "--bind", "::", "--directory", "/run/lock", str(OTHER)]
    appliance.run("systemd-run", "--quiet", "--unit=other", *server)
    appliance.run("systemd-run", "--quiet", "--unit=echo", python, "-c", ECHO)
    until(lambda: appliance.run("ss", "-tulnH").count(f":{OTHER} ") == 2, "they listen")
    with ExitStack() as held:
        with appliance.network(outside=True):
            for how, address, port in ASKED:
                if how == "tcp":
                    family = socket.AF_INET6 if ":" in address else socket.AF_INET
                    held.enter_context(closing(socket.create_server((address, port), family=family)))
        yield
    appliance.run("systemctl", "stop", "other.service", "echo.service")


def _comes_in(appliance: Machine, source: str, port: int, how: str = "tcp") -> bool:
    """Whether who speaks from an address outside is heard at a port of the box."""
    family, box = (socket.AF_INET6, BOX6) if ":" in source else (socket.AF_INET, BOX)
    with appliance.network(outside=True):
        here = socket.socket(family, socket.SOCK_STREAM if how == "tcp" else socket.SOCK_DGRAM)
    with here:
        here.settimeout(WAITS_S)
        here.bind((source, 0))
        try:
            here.connect((box, port))
            here.send(b"?")
            return how == "tcp" or here.recv(9) == b"?"
        except OSError:
            return False


@pytest.mark.parametrize("port", [443, 80])
def test_the_dashboard_is_open_to_the_house_and_not_to_the_internet(appliance: Machine, port: int) -> None:
    assert all(_comes_in(appliance, source, port) for source in (HOME, HOME6))
    assert not any(_comes_in(appliance, source, port) for source in (INTERNET, INTERNET6))


@pytest.mark.usefixtures("listening")
def test_what_else_listens_is_closed_until_a_person_opens_it_and_then_open_to_the_house_alone(
    appliance: Machine,
) -> None:
    def heard() -> set[tuple[str, str]]:
        sources = (HOME, HOME6, INTERNET, INTERNET6)
        return {(how, each) for how in ("tcp", "udp") for each in sources if _comes_in(appliance, each, OTHER, how)}

    assert heard() == set()
    appliance.write(OPENED, OPEN)
    appliance.run("systemctl", "reload", "nftables.service")
    try:
        assert heard() == {("tcp", HOME), ("tcp", HOME6), ("udp", HOME), ("udp", HOME6)}
    finally:
        appliance.run("rm", OPENED)
        appliance.run("systemctl", "reload", "nftables.service")
    assert heard() == set()


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("how", ["reload", "restart"])
def test_a_file_that_is_wrong_opens_nothing_neither_when_it_is_taken_up_nor_at_boot(
    appliance: Machine, how: str
) -> None:
    appliance.write(OPENED, f"{OPEN}add rule inet inglenook opened tcp dprt 22 accept\n")
    try:
        said = appliance.run("sh", "-c", f"systemctl {how} nftables.service && echo well || echo not")
        assert said == ("well" if how == "restart" else "not"), "who reloads it learns at once that it is wrong"
        assert _comes_in(appliance, HOME, 443)
        assert not _comes_in(appliance, INTERNET, 443)
        assert not _comes_in(appliance, HOME, OTHER)
        assert "dprt" in appliance.journal("nftables")
    finally:
        appliance.run("rm", OPENED)
        appliance.run("systemctl", "restart", "nftables.service")
    assert "is wrong (above): none of them is in force" in appliance.journal("nftables") or how == "reload"


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(
    ("user", "reached"),
    [
        ("inglenook", HOUSE | WEB | OF_SOURCES),
        ("inglenook-collector", HOUSE),
        ("root", HOUSE | WEB),
        ("_apt", WEB | {("tcp", HOME, 443)}),
        ("_chrony", TIME),
        ("avahi", set()),
        ("nobody", set()),
    ],
)
def test_each_user_of_the_box_reaches_only_what_it_needs(appliance: Machine, user: str, reached: set[Way]) -> None:
    command = ("setpriv", f"--reuid={user}", "--clear-groups", "python3", "-c", TRY, json.dumps(ASKED))
    went = {way for way, goes in zip(ASKED, json.loads(appliance.run(*command)), strict=True) if goes}
    assert went == reached | NAMES


SPEAKERS = {
    "the web": "from appliance import web; web.Web().get('https://{host}:{port}/')",
    "an IMAP server": "from appliance.connectors._mailbox import Mailbox, Server; Mailbox(Server('{host}', {port}))",
    "an SMTP server": (
        "from datetime import datetime, UTC; from appliance import mailing; "
        "mailing._send(mailing.Options('{host}', 'a@example.org', port={port}), 'a', 'b', 'c', datetime.now(UTC))"
    ),
    "SFTP": "backup('sftp://u@{host}:{port}//folder')",
    "a REST server": "backup('rest:https://{host}:{port}/folder')",
    "S3": "backup('s3:https://{host}:{port}/folder')",
}
BACKUP = """
from pathlib import Path
def backup(where):
    from appliance.backup.restic import Restic
    from appliance.backup.targets import Secret
    from appliance.config import load
    Restic(load(Path("/var/lib/inglenook")), where, Secret("", "", "secret"), 20).run("cat", "config")
"""


@pytest.mark.parametrize("to", SPEAKERS)
def test_who_names_a_server_behind_a_closed_port_reads_that_it_is_closed_and_what_to_do(
    appliance: Machine, to: str
) -> None:
    speak = BACKUP + SPEAKERS[to].format(host=INTERNET, port=OTHER)
    command = ("setpriv", "--reuid=inglenook", "--regid=inglenook", "--clear-groups", "/opt/inglenook/bin/python")
    said = appliance.run("sh", "-c", '"$@" 2>&1 || true', "sh", *command, "-c", speak)
    assert f"lets nothing out to port {OTHER} beyond your home" in said, said
    assert "answer at one of these, such as 443" in said
