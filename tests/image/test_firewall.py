"""What reaches the appliance, and what leaves it: each user of the system goes only where it has to."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.image.machine import BOX, HOME, INTERNET, Machine, until

OTHER = 9999
MAIL = {(INTERNET, 465), (INTERNET, 587), (INTERNET, 993)}
ASKED = [(HOME, 443), (HOME, OTHER), (INTERNET, 443), *sorted(MAIL), (INTERNET, OTHER)]
WAITS_S = 1.0
OPENED = "/etc/inglenook/firewall.d/other.nft"
CONNECT = f"import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), {WAITS_S}).close()"


@pytest.fixture(scope="module")
def listening(appliance: Machine) -> Iterator[None]:
    """Something on the box that listens at a port of its own, and servers outside, at home and on the internet."""
    server = ["/opt/inglenook/bin/python", "-m", "http.server", "--directory", "/run/lock", str(OTHER)]
    appliance.run("systemd-run", "--quiet", "--unit=other", *server)
    until(lambda: f":{OTHER}" in appliance.run("ss", "-tlnH"), "it listens")
    with ExitStack() as held:
        with appliance.network(outside=True):
            for address in ASKED:
                held.enter_context(closing(socket.create_server(address)))
        yield
    appliance.run("systemctl", "stop", "other.service")


def _comes_in(appliance: Machine, source: str, port: int) -> bool:
    """Whether a connection from an address outside reaches a port of the box."""
    with appliance.network(outside=True):
        try:
            socket.create_connection((BOX, port), WAITS_S, (source, 0)).close()
        except OSError:
            return False
    return True


def _goes_out(appliance: Machine, user: str, address: str, port: int) -> bool:
    """Whether a connection of a user of the box reaches somebody."""
    command = ("setpriv", f"--reuid={user}", "--clear-groups", "python3", "-c", CONNECT, address, str(port))
    return appliance.run("sh", "-c", '"$@" 2>/dev/null && echo well || echo not', "sh", *command) == "well"


@pytest.mark.parametrize("port", [443, 80])
def test_the_dashboard_is_open_to_the_house_and_not_to_the_internet(appliance: Machine, port: int) -> None:
    assert _comes_in(appliance, HOME, port)
    assert not _comes_in(appliance, INTERNET, port)


@pytest.mark.usefixtures("listening")
def test_what_else_listens_is_closed_until_a_person_opens_it_and_then_open_to_the_house_alone(
    appliance: Machine,
) -> None:
    assert not _comes_in(appliance, HOME, OTHER)
    appliance.write(OPENED, f"add rule inet inglenook opened tcp dport {OTHER} accept\n")
    appliance.run("systemctl", "reload", "nftables.service")
    try:
        assert _comes_in(appliance, HOME, OTHER)
        assert not _comes_in(appliance, INTERNET, OTHER)
    finally:
        appliance.run("rm", OPENED)
        appliance.run("systemctl", "reload", "nftables.service")
    assert not _comes_in(appliance, HOME, OTHER)


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(
    ("user", "reached"),
    [
        ("inglenook", {(HOME, 443), (HOME, OTHER), (INTERNET, 443), *MAIL}),
        ("inglenook-collector", {(HOME, 443), (HOME, OTHER)}),
        ("_apt", {(HOME, 443), (INTERNET, 443)}),
        ("nobody", set()),
    ],
)
def test_each_user_of_the_box_reaches_only_what_it_needs(
    appliance: Machine, user: str, reached: set[tuple[str, int]]
) -> None:
    assert {each for each in ASKED if _goes_out(appliance, user, *each)} == reached
