"""A box that cannot read its data starts nevertheless, says so, and writes nothing in its place.

With the mounts that a Raspberry Pi has, but for the disk: a file system in memory stands for the data partition, and
cannot be mounted where an option is none of its own. Of the boot partition there is no disk at all.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.image import machine, pi_gen
from tests.image.machine import DATA, PATIENCE_S, SERVICES, Machine, until
from tests.image.tree import laid_over, part_for_a_pi, run_stage
from tests.image.visitor import SCREEN

UNITS = tuple(f"{service}.service" for service in SERVICES)
OF_EXT4 = "errors=remount-ro,"


@contextmanager
def _pi(built: Path, scratch: Path, *, broken: bool) -> Iterator[Machine]:
    with laid_over(built, scratch / "over") as tree:
        pi_gen.write(tree)
        shutil.copy(built / "etc/machine-id", tree / "etc")  # else Debian's own services are set up, a network's too
        run_stage(part_for_a_pi(scratch / "stage"), tree, "scripts")
        fstab = tree / "etc/fstab"
        said = fstab.read_text(encoding="ascii").replace("LABEL=inglenook-data", "tmpfs").replace("ext4", "tmpfs")
        assert OF_EXT4 in said
        lines = [line for line in said.splitlines() if not line.startswith("ROOTDEV")]
        text = "\n".join(lines) + "\n"
        fstab.write_text(text if broken else text.replace(OF_EXT4, ""), encoding="ascii")
        with machine.booted(tree, scratch) as running:
            yield running


@pytest.fixture(scope="module")
def lost(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with _pi(built, tmp_path_factory.mktemp("lost"), broken=True) as running:
        yield running


def _plain(box: Machine) -> requests.Response:
    with box.network(outside=True):
        return requests.get(box.plain, timeout=PATIENCE_S)


def test_it_starts_without_its_data_and_its_boot_partition(lost: Machine) -> None:
    assert lost.shown("multi-user.target", "ActiveState") == ["active"]
    assert lost.shown("emergency.target", "ActiveState") == ["inactive"]
    assert lost.shown("boot-firmware.mount", "ActiveState") == ["failed"]
    assert lost.journal("var-lib-inglenook.mount").count("Mounting ") == 1, "each try may take a minute and a half"


def test_a_page_and_the_screen_say_so_and_the_way_on(lost: Machine) -> None:
    page = _plain(lost)
    assert page.status_code == 503
    assert page.headers["Cache-Control"] == "no-store"
    for words in ("The box cannot read its data", "Nothing was written over", "Pull the box’s plug", "24 words"):
        assert words in page.text
    shown = lost.run("cat", SCREEN)
    assert "The box cannot read its data" in shown
    assert "http://inglenook.local/" in shown


def test_nothing_is_written_where_the_data_belongs_and_nothing_runs_that_would(lost: Machine) -> None:
    assert lost.run("ls", "-A", DATA) == ""
    assert lost.run("stat", "--format=%U", DATA) == "root"
    running = lost.run("systemctl", "list-units", "--plain", "--no-legend", "--state=active,activating", "inglenook-*")
    assert {line.split()[0] for line in running.splitlines()} == {"inglenook-lost.service", "inglenook-lost.socket"}


def test_the_first_start_may_take_as_long_as_it_does(lost: Machine) -> None:
    disk = "dev-disk-by\\x2dlabel-inglenook\\x2ddata.device"
    assert "inglenook-partition.service" in lost.shown(disk, "After")[0].split()


def test_who_is_at_its_page_can_do_nothing(lost: Machine) -> None:
    [process] = lost.shown("inglenook-lost.service", "MainPID")
    said = dict(line.split(":", 1) for line in lost.run("cat", f"/proc/{process}/status").splitlines())
    assert "0" not in said["Uid"].split()
    assert int(said["CapEff"], 16) == 0


def test_its_page_comes_back_whatever_ends_it(lost: Machine) -> None:
    [process] = lost.shown("inglenook-lost.service", "MainPID")
    lost.run("kill", "-KILL", process)
    until(lambda: lost.shown("inglenook-lost.service", "NRestarts", "SubState") == ["1", "running"], "it is back")
    assert _plain(lost).status_code == 503


def test_it_ends_at_once_when_the_box_is_switched_off(lost: Machine) -> None:
    lost.run("systemctl", "stop", "inglenook-lost.service")
    assert lost.shown("inglenook-lost.service", "ActiveState", "Result") == ["inactive", "success"]


def test_where_its_data_is_the_folders_are_made_on_it(built: Path, tmp_path: Path) -> None:
    with _pi(built, tmp_path, broken=False) as box:
        box.run("mountpoint", DATA)
        assert box.run("stat", "--format=%U %a", DATA, f"{DATA}/spool") == "inglenook 2750\ninglenook-collector 2770"
        assert {box.shown(unit, "ActiveState")[0] for unit in UNITS} == {"active"}
        assert box.shown("inglenook-lost.service", "ActiveState") == ["inactive"]
