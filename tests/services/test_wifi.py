"""Wi-Fi from a file on the boot partition, by the script that the box runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from services import wifi

GOOD = "country = gb\nssid = Chapel Lane; 12\npassphrase = a \\ b = c long\n"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The files of a Raspberry Pi that the script sees."""
    for path in (wifi.CONNECTION, wifi.STATE, wifi.UNWANTED, f"{wifi.BOOT}/{wifi.FILE}"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / wifi.BOOT / "cmdline.txt").write_text("console=tty1 root=PARTUUID=1-02 rootwait\n")
    (tmp_path / wifi.STATE).write_text("[main]\nWirelessEnabled=false\n")
    return tmp_path


def _run(machine: Path, content: str | bytes) -> int:
    raw = content.encode() if isinstance(content, str) else content
    (machine / wifi.BOOT / wifi.FILE).write_bytes(raw)
    command = [sys.executable, "-m", "services.wifi", "--root", str(machine)]
    return subprocess.run(command, check=False, capture_output=True).returncode


@pytest.mark.parametrize("before", ["", "\ufeff# from Windows\r\n\r\n"])
def test_it_becomes_a_connection_and_the_passphrase_leaves_the_partition(machine: Path, before: str) -> None:
    (machine / wifi.BOOT / wifi.PROBLEMS).write_text("of an earlier try")
    assert _run(machine, before + GOOD) == 0
    made = machine / wifi.CONNECTION
    assert made.stat().st_mode & 0o777 == 0o600, "NetworkManager heeds no file that others read"
    lines = made.read_text().splitlines()
    ssid = next(line for line in lines if line.startswith("ssid=")).removeprefix("ssid=")
    assert bytes(int(each) for each in ssid.split(";") if each).decode() == "Chapel Lane; 12"
    assert "psk=a\\s\\\\\\sb\\s=\\sc\\slong" in lines
    assert "WirelessEnabled=true" in (machine / wifi.STATE).read_text()
    assert sorted(path.name for path in (machine / wifi.BOOT).iterdir()) == ["cmdline.txt"]
    line = (machine / wifi.BOOT / "cmdline.txt").read_text()
    assert line == "console=tty1 root=PARTUUID=1-02 rootwait cfg80211.ieee80211_regdom=GB\n"


def test_another_file_later_takes_the_place_of_the_first(machine: Path) -> None:
    _run(machine, GOOD)
    assert _run(machine, GOOD.replace("gb", "DE").replace("a \\ b = c long", "another one")) == 0
    assert "psk=another\\sone" in (machine / wifi.CONNECTION).read_text()
    assert (machine / wifi.BOOT / "cmdline.txt").read_text().count("regdom=DE") == 1
    assert "GB" not in (machine / wifi.BOOT / "cmdline.txt").read_text()


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ("", ["no line country", "no line ssid", "no line passphrase"]),
        ("country = GB\nssid = x\npassphrase = short\nchannel = 5\n", ["line 4", "between 8 and 63"]),
        (GOOD.replace("gb", "UK"), ["country = UK", "such as GB"]),
        (GOOD.replace("Chapel Lane; 12", "ü" * 17), ["at most 32 bytes, and this one 34"]),
        (GOOD.encode("utf-16"), ["not plain text in UTF-8"]),
    ],
)
def test_what_is_wrong_is_said_beside_it_and_it_stays_to_be_mended(
    machine: Path, content: str | bytes, problems: list[str]
) -> None:
    assert _run(machine, content) == 2
    said = (machine / wifi.BOOT / wifi.PROBLEMS).read_text()
    for problem in problems:
        assert problem in said
    assert (machine / wifi.BOOT / wifi.FILE).exists()
    assert not (machine / wifi.CONNECTION).exists()
    assert "WirelessEnabled=false" in (machine / wifi.STATE).read_text()
    assert "regdom" not in (machine / wifi.BOOT / "cmdline.txt").read_text()


def _after_a_reset(machine: Path) -> int:
    (machine / wifi.UNWANTED).touch()
    command = [sys.executable, "-m", "services.wifi", "--root", str(machine)]
    return subprocess.run(command, check=False).returncode


def test_after_a_reset_no_passphrase_is_on_the_card_whether_it_was_taken_up_or_wrong(machine: Path) -> None:
    _run(machine, GOOD)
    assert _run(machine, GOOD.replace("gb", "UK")) == 2
    assert _after_a_reset(machine) == 0
    left = [path for path in machine.rglob("*") if path.is_file()]
    assert not [path for path in left if b"c long" in path.read_bytes() or b"c\\slong" in path.read_bytes()]
    assert not (machine / wifi.UNWANTED).exists(), "and the Wi-Fi of whoever has the box next stays"
    assert _run(machine, GOOD) == 0
    assert (machine / wifi.CONNECTION).exists()


def test_a_file_that_was_put_there_after_a_reset_is_taken_up(machine: Path) -> None:
    _run(machine, GOOD)
    (machine / wifi.BOOT / wifi.FILE).write_text(GOOD.replace("a \\ b = c long", "another one"))
    assert _after_a_reset(machine) == 0
    assert "psk=another\\sone" in (machine / wifi.CONNECTION).read_text()


def test_without_a_file_nothing_is_touched(machine: Path) -> None:
    command = [sys.executable, "-m", "services.wifi", "--root", str(machine)]
    assert subprocess.run(command, check=False).returncode == 0
    assert not (machine / wifi.CONNECTION).exists()
