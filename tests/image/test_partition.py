"""The data partition is made on a card's image, a loop device, by the script that the box runs at its first boot."""

import json
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.image.tree import laid_over, run

SECTORS = 1 << 11  # of a MiB
BOOT_MIB, ROOT_MIB = 16, 64
GB8 = 7_948_206_080  # what a card of 8 GB has
TB4 = 4_000_787_030_016
OF_A_RAID = struct.pack("<IIII", 0xA92B4EFC, 0, 90, 0)
"""How what `md` writes of one begins, 64 KiB from the end or more (md.4, version 0.90)."""
IS_ALONE = """#!/bin/sh
flock --nonblock {disk} true || echo {name} >> /alone
exec /usr/sbin/{name} "$@"
"""
TABLE = f"label: dos\nlabel-id: 0x1ed0c0de\n\nsize={BOOT_MIB}MiB, type=c\nsize={ROOT_MIB}MiB, type=83\n"
AS = ("setpriv", "--clear-groups", "--bounding-set=-all", "--regid=inglenook")
SLACK, MORE_MIB = 4 << 20, 16
FILL = f"fallocate --length $(($(df --output=avail --block-size=1 /card | tail -n 1) - {SLACK})) /card/filler"


class Card:
    """A card's image, with what pi-gen puts on one, at a loop device; tools are those of the tree."""

    def __init__(self, tree: Path, image: Path) -> None:
        self._tree, self._image = tree, image
        self.disk = ""

    def __enter__(self) -> "Card":
        self.disk = self._run("losetup", "--find", "--show", "--partscan", self._image)
        self.inside("partx", "--update", self.disk, check=False)  # some kernels read no tables; a blank card has none
        return self

    def __exit__(self, *_: object) -> None:
        self.inside("partx", "--delete", self.disk, check=False)
        self._run("losetup", "--detach", self.disk)

    def inside(self, *command: str, given: str = "", check: bool = True) -> "subprocess.CompletedProcess[str]":
        whole = ["chroot", str(self._tree), *command]
        done = subprocess.run(whole, capture_output=True, text=True, input=given, check=False)
        assert not check or not done.returncode, done.stderr
        return done

    def make(self, check: bool = True) -> "subprocess.CompletedProcess[str]":
        python = ("/opt/inglenook/bin/python", "-I", "-m", "services.partition")
        return self.inside(*python, "--system", f"{self.disk}p2", check=check)

    def partitions(self) -> list[tuple[int, int]]:
        """Each one's start and size, in sectors, as the table has it; the kernel must have taken them up."""
        table = json.loads(self.inside("sfdisk", "--json", self.disk).stdout)["partitiontable"]
        assert table["id"] == "0x1ed0c0de", "the system is found by it"
        found = [(each["start"], each["size"]) for each in table["partitions"]]
        for number, (_, size) in enumerate(found, 1):
            name = Path(self.disk).name
            assert int(Path(f"/sys/class/block/{name}p{number}/size").read_text()) == size
        return found

    def said(self, what: str) -> str:
        """What the data partition's file system says of itself; "" where there is none."""
        command = ("blkid", "--probe", "--match-tag", what, "--output", "value", f"{self.disk}p3")
        return self.inside(*command, check=False).stdout.strip()

    def writes(self, user: str) -> "subprocess.CompletedProcess[str]":
        """A user without root's powers writes more than FILL leaves, to a file in a folder of their own."""
        said = ("dd", "if=/dev/zero", f"of=/card/{user}/more", "bs=1M", f"count={MORE_MIB}", "conv=fsync")
        return self.inside(*AS, f"--reuid={user}", *said, check=False)

    @staticmethod
    def _run(*command: object) -> str:
        return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def tree(built: Path, tmp_path: Path) -> Iterator[Path]:
    """The appliance's, with this machine's devices."""
    with ExitStack() as held:
        merged = held.enter_context(laid_over(built, tmp_path / "over"))
        for name in ("dev", "proc", "sys"):
            run("mount", "--bind", f"/{name}", merged / name)
            held.callback(run, "umount", merged / name)
        yield merged


@pytest.fixture
def image(tree: Path, tmp_path: Path) -> Path:
    path = tmp_path / "card.img"
    with path.open("wb") as file:
        file.truncate(GB8)
    with Card(tree, path) as card:
        card.inside("sfdisk", "--quiet", card.disk, given=TABLE)
    return path


def test_the_rest_of_the_card_is_for_the_data(tree: Path, image: Path) -> None:
    with Card(tree, image) as card:
        card.make()
        made = card.partitions()
        assert card.said("LABEL") == "inglenook-data"
        card.inside("mkdir", "/card")
        card.inside("mount", f"{card.disk}p3", "/card")
        card.inside("touch", "/card/of-the-household")
        card.inside("umount", "/card")
        card.make()
        assert card.partitions() == made
        card.inside("mount", f"{card.disk}p3", "/card")
        assert card.inside("ls", "/card").stdout.split() == ["lost+found", "of-the-household"], "what is there stays"
        card.inside("umount", "/card")
    (_, _), (root, root_size), (data, data_size) = made
    assert 5 << 30 <= root_size * 512 < (5 << 30) + (16 << 20)
    assert data == root + root_size
    assert data % (8 * SECTORS) == 0, "a card erases no less at once"
    assert data + data_size == GB8 // 512


def test_the_last_of_it_is_the_collectors_alone(tree: Path, image: Path) -> None:
    with Card(tree, image) as card:
        card.make()
        card.inside("mkdir", "/card")
        card.inside("mount", f"{card.disk}p3", "/card")
        for user in ("inglenook", "inglenook-collector"):
            card.inside("install", "--directory", f"--owner={user}", f"/card/{user}")
        card.inside("sh", "-c", FILL)
        others = card.writes("inglenook")
        collectors = card.writes("inglenook-collector")
        card.inside("umount", "/card")
    assert "No space left on device" in others.stderr
    assert collectors.returncode == 0, collectors.stderr


def test_what_was_there_before_the_card_was_written_is_not_taken_up(tree: Path, image: Path) -> None:
    with Card(tree, image) as card:
        card.make()
        made = card.partitions()
        before = card.said("UUID")
    with Card(tree, image) as card:  # written again with the image: the table is pi-gen's, and the rest as it was
        card.inside("sfdisk", "--quiet", "--wipe", "never", card.disk, given=TABLE)
    with Card(tree, image) as card:
        card.make()
        assert card.partitions() == made
        assert card.said("LABEL") == "inglenook-data"
        assert card.said("UUID") != before


def test_a_first_boot_that_was_cut_off_before_the_file_system_was_made_is_finished_by_the_next(
    tree: Path, image: Path
) -> None:
    with Card(tree, image) as card:
        card.make()
        made = card.partitions()
        card.inside("dd", "if=/dev/zero", f"of={card.disk}p3", "bs=1M", "count=1", "conv=fsync")
    with Card(tree, image) as card:
        assert card.said("LABEL") == ""
        card.make()
        assert card.partitions() == made
        assert card.said("LABEL") == "inglenook-data"


def test_a_card_that_is_too_small_is_left_alone_and_said(tree: Path, image: Path) -> None:
    with image.open("r+b") as file:
        file.truncate(4 << 30)
    with Card(tree, image) as card:
        said = card.make(check=False)
        assert said.returncode == 1
        assert "has 4 GB, and a box needs 8 or more" in said.stderr
        assert len(card.partitions()) == 2


def test_a_disk_is_used_as_far_as_its_table_reaches(tree: Path, image: Path) -> None:
    os.truncate(image, TB4)
    with Card(tree, image) as card:
        card.make()
        data, data_size = card.partitions()[-1]
        assert card.said("LABEL") == "inglenook-data"
    assert data + data_size == (1 << 32) - 1


def test_what_a_raid_left_at_the_end_of_a_card_is_no_data(tree: Path, image: Path) -> None:
    with image.open("r+b") as file:
        file.seek(GB8 - (64 << 10))
        file.write(OF_A_RAID)
    with Card(tree, image) as card:
        card.make()
        assert card.said("TYPE") == "ext4"


def test_a_large_card_is_not_discarded_first(tree: Path, image: Path) -> None:
    before = b"what the card had here"
    with image.open("r+b") as file:
        file.seek(GB8 - (512 << 20))
        file.write(before)
    with Card(tree, image) as card:
        card.make()
        assert card.said("TYPE") == "ext4"
    with image.open("rb") as file:
        file.seek(GB8 - (512 << 20))
        assert file.read(len(before)) == before


def test_nobody_else_looks_at_the_disk_while_it_is_divided(tree: Path, image: Path) -> None:
    with Card(tree, image) as card:
        for name in ("sfdisk", "mkfs.ext4"):
            wrapper = tree / "usr/local/sbin" / name
            wrapper.write_text(IS_ALONE.format(disk=card.disk, name=name), encoding="ascii")
            wrapper.chmod(0o755)
        card.make()
        assert (tree / "alone").read_text(encoding="ascii").split() == ["sfdisk", "sfdisk", "mkfs.ext4"]
