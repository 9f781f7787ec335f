"""First boot in the booted box: the address and the code where somebody beside it sees them, Wi-Fi from a file."""

from collections.abc import Iterator

import pytest

from tests.image.machine import BOX, DATA, Machine, until

BOOT = "/boot/firmware"
CONNECTIONS = "/etc/NetworkManager/system-connections"


@pytest.fixture
def card(appliance: Machine) -> Iterator[Machine]:
    """With the partition that every computer reads, and NetworkManager's folders, as a Raspberry Pi has them."""
    appliance.run("mkdir", "-p", BOOT, CONNECTIONS, "/var/lib/NetworkManager")
    yield appliance
    appliance.run("rm", "-rf", BOOT, CONNECTIONS, "/var/lib/NetworkManager")


def test_the_screen_shows_the_address(appliance: Machine) -> None:
    shown = appliance.run("cat", "/run/issue.d/inglenook.issue")
    assert "Open https://inglenook.local/" in shown


def test_another_address_is_said_by_itself(card: Machine) -> None:
    said, another = f"{DATA}/run/sign.json", "10.87.0.9"
    assert f"https://{BOX}/" in card.run("cat", said)
    card.run("ip", "address", "add", f"{another}/24", "dev", "host0")
    try:
        until(lambda: f"https://{another}/" in card.run("cat", said), "the sign says it")
    finally:
        card.run("ip", "address", "delete", f"{another}/24", "dev", "host0")
    until(lambda: another not in card.run("cat", said), "the sign says it no more")
    until(lambda: "sign-changed" not in card.run("ls", f"{DATA}/run"), "it is shown")


def test_a_code_is_shown_as_soon_as_the_dashboard_has_another(card: Machine) -> None:
    said = card.run("cat", f"{DATA}/run/sign.json")
    try:
        card.write(f"{DATA}/run/sign.json", '{"address": "https://x/", "code": "ABCD-EFGH"}')
        card.run("systemctl", "start", "inglenook-sign.service")
        assert "ABCD-EFGH" in card.run("cat", "/run/issue.d/inglenook.issue")
        assert "ABCD-EFGH" in card.run("cat", f"{BOOT}/inglenook-code.txt")
    finally:
        card.write(f"{DATA}/run/sign.json", said)
        card.run("touch", f"{DATA}/run/sign-changed")
    until(lambda: "ABCD-EFGH" not in card.run("cat", "/run/issue.d/inglenook.issue"), "the screen says it")


def test_wifi_from_a_file_becomes_a_connection_within_its_sandbox(card: Machine) -> None:
    card.write(f"{BOOT}/inglenook-wifi.txt", "country = GB\nssid = Lane\npassphrase = long enough\n")
    card.run("systemctl", "start", "inglenook-wifi.service")
    assert "psk=long\\senough" in card.run("cat", f"{CONNECTIONS}/inglenook-wifi.nmconnection")
    assert card.run("stat", "--format=%a %U", f"{CONNECTIONS}/inglenook-wifi.nmconnection") == "600 root"
    assert card.run("ls", BOOT) == ""


def test_a_reset_has_the_wifi_forgotten_by_who_may(card: Machine) -> None:
    connection, unwanted = f"{CONNECTIONS}/inglenook-wifi.nmconnection", f"{DATA}/run/wifi-unwanted"
    card.write(connection, "psk=long enough\n")
    card.run("install", "-o", "inglenook", "-g", "inglenook", "/dev/null", unwanted)
    until(lambda: card.run("ls", CONNECTIONS) == "", "the passphrase is gone")
    until(lambda: unwanted.rpartition("/")[2] not in card.run("ls", f"{DATA}/run"), "the reset's file is gone")
