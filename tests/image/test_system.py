"""What of Debian's the stage sets up: journal, clock, kernel, updates; and that all of it is root's."""

from pathlib import Path

from services.dashboard.updates import RESTART
from tests.image.machine import Machine

BEYOND_THE_BASE_BYTES = 1_200 << 20


def test_the_journal_is_kept_and_capped(appliance: Machine) -> None:
    said = appliance.run("systemd-analyze", "cat-config", "systemd/journald.conf")
    assert "SystemMaxUse=64M" in said
    assert appliance.run("ls", "/var/log/journal"), "it is kept over a start"


def test_the_configuration_of_the_clock_is_taken_and_it_is_stepped_whenever_it_is_far_off(appliance: Machine) -> None:
    said = appliance.run("chronyd", "-p", "-f", "/etc/chrony/chrony.conf").splitlines()
    assert [line for line in said if line.startswith("makestep")][-1] == "makestep 1 -1"
    assert [line for line in said if line.startswith(("port", "cmdport"))] == ["port 0", "cmdport 0"]
    assert "-s" in appliance.shown("chrony.service", "ExecStart")[0].split()


def test_what_is_deleted_is_given_back_to_the_card_once_a_week(appliance: Machine) -> None:
    assert appliance.run("systemctl", "is-enabled", "fstrim.timer") == "enabled"


def test_whom_the_box_asks_by_itself_is_said(appliance: Machine) -> None:
    said = appliance.run("chronyd", "-p", "-f", "/etc/chrony/chrony.conf").splitlines()
    asked = [line.split()[1] for line in said if line.startswith(("pool", "server", "peer"))]
    named = (Path(__file__).parents[2] / "SECURITY.md").read_text()
    assert asked
    assert not [host for host in asked if host.removeprefix("2.") not in named]


def test_the_kernel_s_settings_are_what_counts_last(appliance: Machine) -> None:
    said = appliance.run("systemd-analyze", "cat-config", "sysctl.d").splitlines()
    settings = dict(line.replace(" ", "").split("=", 1) for line in said if "=" in line and not line.startswith("#"))
    assert settings["kernel.yama.ptrace_scope"] == "2"
    assert settings["net.ipv4.conf.all.accept_redirects"] == "0"


def test_security_updates_come_by_themselves(appliance: Machine) -> None:
    said = appliance.run("apt-config", "dump")
    assert 'APT::Periodic::Unattended-Upgrade "1"' in said
    assert "label=Debian-Security" in said
    assert f'Unattended-Upgrade::Automatic-Reboot-Time "{RESTART:%H:%M}"' in said, "as the page Updates says"
    assert appliance.run("date", "+%Z") == "UTC"


def test_nobody_but_root_owns_or_writes_what_runs(appliance: Machine) -> None:
    strange = "find /opt /usr/local ! -type l ( ! -user root -o -perm /022 )"
    assert appliance.run(*strange.split()) == ""
    assert appliance.run("sh", "-c", "ls /opt/inglenook/bin | grep -c ^pip || true") == "0", "nothing installs there"


def test_everything_is_compiled_since_nothing_may_be_written_there(appliance: Machine) -> None:
    count = "cd /opt/inglenook/lib/python3*/site-packages/{} && find . -name '{}' | wc -l"
    for package in ("appliance", "services"):
        sources = int(appliance.run("sh", "-c", count.format(package, "*.py")))
        for kind in ("*.cpython-*[0-9].pyc", "*.opt-2.pyc"):
            assert int(appliance.run("sh", "-c", count.format(package, kind))) >= sources > 0


def test_the_whole_tree_takes_less_room_than_what_comes_to_the_base_system_may(appliance: Machine) -> None:
    lines = appliance.run("du", "--summarize", "--bytes", "/usr", "/opt", "/etc", "/var").splitlines()
    bytes_ = sum(int(line.split()[0]) for line in lines)
    assert bytes_ > 300 << 20, lines
    print(f"the tree with Debian's base: {bytes_ >> 20} MB")
    assert bytes_ < BEYOND_THE_BASE_BYTES
