"""One booted appliance for all tests of a folder: they look at it, and leave it as it was unless they say so."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image import machine, tree
from tests.image.machine import Machine

PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "nsenter": "util-linux",
}


@pytest.fixture(scope="session")
def root() -> None:
    """That this is root, and may do what building and booting needs, on a machine that has the programs for it."""
    if subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True, check=False).returncode:
        pytest.skip("the appliance is built and booted by root alone, and not in a container: sudo make test")
    if missing := [package for program, package in PROGRAMS.items() if not shutil.which(program)]:
        pytest.fail(f"apt-get install --no-install-recommends {' '.join(missing)}")


@pytest.fixture(scope="session")
def built(root: None) -> Iterator[Path]:
    """The appliance's tree, in which nothing may be changed."""
    with tree.tree() as kept:
        yield kept


@pytest.fixture(scope="session")
def appliance(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The appliance, started for the first time: nobody has claimed it, and every unit is started."""
    with machine.booted(built, tmp_path_factory.mktemp("machine")) as running:
        yield running
