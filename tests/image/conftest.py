"""One booted appliance for all tests of a folder: they look at it, and leave it as it was unless they say so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image import machine, needs, tree
from tests.image.machine import Machine


@pytest.fixture(scope="session")
def root() -> None:
    """That this is root, and may do what building and booting needs, on a machine that has the programs for it."""
    if why := needs.lacking():
        pytest.skip(why)
    if missing := needs.missing():
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
