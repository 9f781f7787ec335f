"""One machine for all tests of the folder, in the order of their files: first booted when the clock says 1970."""

import os
import shutil
import time
from collections.abc import Iterator

import pytest

from tests.image.machine import DATA
from tests.image.visitor import Visitor
from tests.image_boot import card, qemu
from tests.image_boot.inglenook import HOUSE
from tests.image_boot.qemu import Board

PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "qemu-aarch64-static": "qemu-user-static",
    "update-binfmts": "binfmt-support",
    "qemu-system-aarch64": "qemu-system-arm",
    "mke2fs": "e2fsprogs",
    "sfdisk": "fdisk",
    "mkfs.vfat": "dosfstools",
    "ip": "iproute2",
}


@pytest.fixture(scope="session")
def root() -> None:
    """That this is root, on a machine that has what building and booting needs."""
    if os.geteuid():
        pytest.skip("the appliance is built and booted by root alone: sudo make image-test")
    if missing := [package for program, package in PROGRAMS.items() if not shutil.which(program)]:
        pytest.fail(f"apt-get install --no-install-recommends {' '.join(missing)}")


@pytest.fixture(scope="session")
def board(root: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """The machine, booted for the first time."""
    with card.image() as made, qemu.board(made, tmp_path_factory.mktemp("board")) as machine:
        took_s = machine.switch_on(qemu.NO_CLOCK)
        print(f"first boot, every unit started: {took_s:.0f} s; {machine.run('systemd-analyze', 'time')}")
        yield machine


@pytest.fixture(scope="session")
def at_home(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    """Whoever claimed the box, whose clock is set and which reads one meter."""
    board.run("date", "--set", f"@{time.time():.0f}")
    board.write(f"{DATA}/inglenook.toml", HOUSE)
    visitor = Visitor(board, tmp_path_factory.mktemp("visitor"))
    assert "recovery kit" in visitor.claims().text
    return visitor
