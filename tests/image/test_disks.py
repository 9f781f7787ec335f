"""What udev does with a disk at USB: the box's real rules and the real program, for a disk that is pretended."""

from collections.abc import Iterator

import pytest

from tests.image.machine import Machine

RULES = "/usr/lib/udev/rules.d/99-inglenook.rules"
PRETENDED = "/run/udev/rules.d/98-pretended.rules"
USUAL = {"ID_BUS": "usb", "ID_FS_TYPE": "ext4", "ID_FS_UUID": "1234-ABCD", "ID_FS_LABEL": "STICK"}
SAFELY = "nosuid,nodev,noexec"


@pytest.fixture
def udev(appliance: Machine) -> Iterator[Machine]:
    appliance.run("mkdir", "-p", PRETENDED.rpartition("/")[0])
    yield appliance
    appliance.run("rm", "-f", PRETENDED)


def _mounted(udev: Machine, **said: str) -> list[str]:
    """The commands that it would run for a disk with these properties, in place of what is read off one."""
    pretended = {**USUAL, **said}
    udev.write(PRETENDED, ", ".join(f'ENV{{{name}}}="{value}"' for name, value in pretended.items()) + "\n")
    device = udev.run("sh", "-c", "ls -d /sys/class/block/* | head -n 1")
    shown = udev.run("udevadm", "test", "--action=add", device)
    assert all(f"{name}={value}\n" in shown for name, value in pretended.items() if value), shown
    return [line for line in shown.splitlines() if "systemd-mount" in line]


def test_every_rule_is_one_that_udev_knows(udev: Machine) -> None:
    udev.run("udevadm", "verify", RULES)


@pytest.mark.parametrize("type_", ["vfat", "exfat", "ext4"])
def test_a_disk_is_mounted_by_its_label_or_its_number_and_nothing_on_it_is_run(udev: Machine, type_: str) -> None:
    [command] = _mounted(udev, ID_FS_TYPE=type_)
    assert SAFELY in command
    assert command.endswith(" /media/usb-STICK")
    [command] = _mounted(udev, ID_FS_TYPE=type_, ID_FS_LABEL="")
    assert command.endswith(" /media/usb-1234-ABCD")


@pytest.mark.parametrize(
    "said",
    [
        {"ID_FS_LABEL": "x/../../etc"},
        {"ID_FS_LABEL": "/"},
        {"ID_FS_LABEL": "", "ID_FS_UUID": "x/../../etc"},
        {"ID_FS_LABEL": "rootfs"},
        {"ID_FS_LABEL": "inglenook-data"},
        {"ID_BUS": "ata"},
    ],
)
def test_a_disk_that_would_lie_over_the_system_or_is_the_boxs_own_is_not_mounted(
    udev: Machine, said: dict[str, str]
) -> None:
    assert _mounted(udev, **said) == []


@pytest.mark.parametrize("type_", ["vfat", "ext4"])
def test_a_disk_that_is_pulled_out_while_it_is_written_to_is_mounted_again_when_it_is_back(
    udev: Machine, type_: str
) -> None:
    [command] = _mounted(udev, ID_FS_TYPE=type_)
    *options, _, folder = command.partition("/usr/bin/systemd-mount ")[2].strip("'").split()
    kept = (each for each in options if not each.startswith(("--no-block", "--owner")))
    mount = ("systemd-mount", "--type=tmpfs", *kept, "memory", folder)
    unit = udev.run("systemd-escape", "--path", "--suffix=mount", folder)
    udev.run(*mount)
    holder = udev.run("sh", "-c", f"cd {folder}; touch pack; sleep 600 <pack >/dev/null 2>&1 & echo $!")
    try:
        udev.run("systemctl", "stop", unit)  # as it is where the device that it is bound to has gone
        assert udev.run("mountpoint", folder, check=False) == f"{folder} is not a mountpoint"
        assert udev.run("readlink", f"/proc/{holder}/cwd"), "what holds it open runs on"
        udev.run(*mount)
        assert not udev.run("ls", folder), "it is another mount"
        udev.run("systemctl", "stop", unit)
    finally:
        udev.run("kill", holder)
