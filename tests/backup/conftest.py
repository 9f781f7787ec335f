"""A household, alone and with one good backup."""

import shutil
from pathlib import Path

import pytest

from appliance import backup
from tests.backup.house import DISK, NOW, House


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("furnished") / "box")
    house.furnish()
    return house


@pytest.fixture
def house(furnished: House, tmp_path: Path) -> House:
    """The same, for one test alone."""
    shutil.copytree(furnished.config.data, tmp_path / "box")
    house = House(tmp_path / "box")
    house.words = furnished.words
    return house


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick" / "inglenook"


@pytest.fixture
def backed_up(house: House, disk: Path) -> House:
    """The house with one good backup."""
    backup.add(house.config, DISK, str(disk), "", "")
    backup.back_up(house.config, DISK, NOW)
    return house
