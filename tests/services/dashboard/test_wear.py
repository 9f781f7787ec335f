"""How worn the disk is, over a folder that is laid out as the kernel lays out /sys."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from services import state
from services.dashboard import wear
from services.dashboard.box import box
from services.dashboard.wear import CARD, EMMC, OTHER, Disk

EMMC_FILES = {"type": "MMC", "name": "BJTD4R", "life_time": "0x01 0x02", "pre_eol_info": "0x01"}
SD_FILES = {"type": "SD", "name": "SC64G"}
SSD_FILES = {"model": "Samsung SSD 860 ", "type": "0"}


def _sysfs(folder: Path, files: Mapping[str, str], *, partition: bool = True) -> Path:
    """Of a disk, or of a partition of it, that the folder lies on."""
    disk = folder / "devices" / "disk"
    block = disk / "disk3" if partition else disk
    (disk / "device").mkdir(parents=True)
    block.mkdir(exist_ok=True)
    if partition:
        (block / "partition").write_text("3\n")
    for name, text in files.items():
        (disk / "device" / name).write_text(f"{text}\n")
    number = folder.stat().st_dev
    named = folder / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}"
    named.parent.mkdir(parents=True)
    named.symlink_to(block)
    return folder


@pytest.mark.parametrize("partition", [True, False], ids=["partition", "whole disk"])
@pytest.mark.parametrize(
    ("files", "disk"),
    [
        (EMMC_FILES, Disk(EMMC, "BJTD4R", tenths=2, reserve=1)),
        (EMMC_FILES | {"life_time": "0x00 0x00", "pre_eol_info": "0x00"}, Disk(EMMC, "BJTD4R")),
        (EMMC_FILES | {"life_time": "", "pre_eol_info": "none"}, Disk(EMMC, "BJTD4R")),
        (SD_FILES, Disk(CARD, "SC64G")),
        (SSD_FILES, Disk(OTHER, "Samsung SSD 860")),
        ({}, Disk(OTHER, "")),
    ],
)
def test_a_disk_is_known_by_what_the_kernel_tells(
    tmp_path: Path, files: Mapping[str, str], disk: Disk, *, partition: bool
) -> None:
    assert wear.of(tmp_path, _sysfs(tmp_path, files, partition=partition)) == disk


def test_what_lies_on_no_disk_has_none(tmp_path: Path) -> None:
    assert wear.of(tmp_path, tmp_path) is None


@pytest.mark.parametrize(
    ("life", "reserve", "state"),
    [(0, 0, ""), (1, 1, "good"), (8, 0, "good"), (9, 1, "wait"), (1, 2, "wait"), (11, 1, "wrong"), (1, 3, "wrong")],
)
def test_it_is_said_when_the_disk_should_be_replaced(life: int, reserve: int, state: str) -> None:
    assert Disk(EMMC, "", life, reserve).state == state


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (EMMC_FILES, ["BJTD4R", "10 to 20 % of the life", "most of it is left"]),
        (EMMC_FILES | {"life_time": "0x0b 0x03"}, ["more than the life", "Make a backup now"]),
        (EMMC_FILES | {"pre_eol_info": "0x02"}, ["four fifths of it are used", "Make a backup"]),
        (SD_FILES, ["SC64G", "This card does not tell how worn it is"]),
        (SSD_FILES, ["Samsung SSD 860", "This disk does not tell a page how worn it is"]),
        (None, ["This machine does not tell which disk"]),
    ],
)
def test_the_page_says_it(
    ada: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: Mapping[str, str] | None, said: list[str]
) -> None:
    made = tmp_path / "sys"
    made.mkdir()
    monkeypatch.setattr(wear, "SYSFS", made if files is None else _sysfs(made, files))
    page = " ".join(ada.get("/box").text.split())
    assert not [words for words in said if words not in page]


def test_the_page_says_how_much_was_written_today(app: Flask, ada: FlaskClient) -> None:
    with state.telling(box(app).config.run, lambda: {"disk_written_today_bytes": 38_000_000}):
        assert "38.0 MB" in ada.get("/box").text
    assert "not known" in ada.get("/box").text
