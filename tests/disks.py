"""Small file systems that a test may fill: in memory, or an ext4 as a box's card has. Only root can mount one."""

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MEMORY, EXT4 = "tmpfs", "ext4"
FILLER = "filler"
_FS_IOC_SHUTDOWN, _NOTHING_WRITTEN = 0x8004587D, 2
"""_IOR('X', 125, __u32) and EXT4_GOING_FLAGS_NOLOGFLUSH, of Linux's fs/ext4/ext4.h."""


@contextmanager
def mounted(folder: Path, size: int, kind: str = MEMORY) -> Iterator[Path]:
    """The folder, on a file system of its own of so many bytes; skips the test where none can be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == EXT4:
        image = _image(folder)
        with image.open("wb") as file:
            file.truncate(size)
        done = _tried(["mkfs.ext4", "-q", "-m", "0", str(image)])
        done = done and _tried(["mount", "-o", "loop", str(image), str(folder)])
    else:
        done = _tried(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)])
    if not done:
        pytest.skip("a small disk can be mounted by root alone")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # a test that failed may hold a file open


def report_error(disk: Path) -> None:
    """An ext4 finds an error, and does what the box's is told to do then."""
    subprocess.run(["mount", "-o", "remount,errors=remount-ro", str(disk)], check=True)
    found = subprocess.run(["findmnt", "-no", "SOURCE", str(disk)], capture_output=True, text=True, check=True)
    Path("/sys/fs/ext4", Path(found.stdout.strip()).name, "trigger_fs_error").write_text("1")


def pull_out(disk: Path) -> None:
    """What Linux does with an ext4 whose device has gone: it is shut down as it is, and stays mounted."""
    number = os.open(disk, os.O_RDONLY)
    try:
        fcntl.ioctl(number, _FS_IOC_SHUTDOWN, struct.pack("I", _NOTHING_WRITTEN))
    finally:
        os.close(number)


def plug_in_again(disk: Path) -> None:
    """What the box does then: systemd lets go of the mount of before, which somebody may hold open, and mounts it."""
    subprocess.run(["umount", "--lazy", str(disk)], check=True)
    subprocess.run(["mount", "-o", "loop", str(_image(disk)), str(disk)], check=True)


def _image(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.img")


def _tried(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def leave_free(disk: Path, size: int) -> None:
    """Fills a file system up to so many bytes, or to its last block."""
    make_room(disk)
    with (disk / FILLER).open("wb", buffering=0) as filler:
        while (too_much := _free(disk) - size) > 0:
            try:
                filler.write(bytes(min(too_much, 1 << 20)))
                os.fsync(filler)  # ext4 promises blocks that it may not have in the end
            except OSError:
                return


def make_room(disk: Path) -> None:
    """Takes away what filled it."""
    (disk / FILLER).unlink(missing_ok=True)


def _free(disk: Path) -> int:
    told = os.statvfs(disk)
    return told.f_bavail * told.f_frsize
