"""The card that the machine boots from, with its kernel: the appliance's tree for arm64, divided as pi-gen divides one.

    CACHE/arm64-card-HASH/card.img vmlinuz initrd.img cmdline.txt

The part for the Raspberry Pi is laid over the tree too, with its mounts and its kernel's command line. To it comes what
`tree/` beside this file has: a network, and a way in for the tests. The data partition is made by the first boot.
"""

import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.image import pi_gen, tree

ADDED = Path(__file__).with_name("tree")
TO_BOOT = ",initramfs-tools,linux-image-arm64"  # a container needs none of it
BINFMT = Path("/proc/sys/fs/binfmt_misc")
MIB = 1 << 20
BOOT_AT, BOOT_BYTES = 8 * MIB, 512 * MIB
ROOT_AT, ROOT_BYTES = 520 * MIB, 2560 * MIB
DISK_ID = "1ed0c0de"
TABLE = f"""label: dos
label-id: 0x{DISK_ID}

start={BOOT_AT // MIB}MiB, size={BOOT_BYTES // MIB}MiB, type=c
start={ROOT_AT // MIB}MiB, size={ROOT_BYTES // MIB}MiB, type=83
"""
CARD_BYTES = 7_948_206_080  # what one of 8 GB has
DATA = 3
"""The partition's number."""


@contextmanager
def image() -> Iterator[Path]:
    """The folder, made where it is not there yet; it stays while it is used. Root's work."""
    _run_foreign_programs()
    with ExitStack() as held:
        with tree.tree(tree.ARM64, TO_BOOT) as whole, tree.alone(tree.ARM64):
            of_a_pi = tree.STAGE / tree.OF_A_PI
            added = [path for folder in (ADDED, of_a_pi) for path in folder.rglob("*") if path.is_file()]
            added += [Path(__file__), Path(pi_gen.__file__)]
            folder = tree.made("arm64-card", tree.hash_of(added, whole.name), lambda path: _make(whole, path))
            held.enter_context(tree.kept(folder))
        yield folder


def _run_foreign_programs() -> None:
    """Has the kernel run programs for arm64 by qemu-user; it goes on doing so until the machine is started again."""
    if (BINFMT / "qemu-aarch64").exists() or os.uname().machine == "aarch64":
        return
    if not (BINFMT / "register").exists():
        tree.run("mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT)
    tree.run("update-binfmts", "--enable", "qemu-aarch64")


def _make(whole: Path, folder: Path) -> None:
    with TemporaryDirectory(dir=tree.CACHE) as scratch, tree.laid_over(whole, Path(scratch, "over")) as merged:
        pi_gen.write(merged)
        tree.run_stage(tree.part_for_a_pi(Path(scratch, "stage")), merged, "scripts")
        tree.run("cp", "-R", f"{ADDED}/.", merged)
        for unit in ("tests.service", "systemd-networkd.service"):
            tree.run("systemctl", f"--root={merged}", "enable", unit)
        pi_gen.name_partitions(merged, DISK_ID)
        folder.mkdir()
        for name in ("vmlinuz", "initrd.img"):
            [found] = (merged / "boot").glob(f"{name}-*")
            tree.run("cp", found, folder / name)
        tree.run("cp", merged / "boot/firmware/cmdline.txt", folder)
        made = folder / "card.img"
        with made.open("wb") as file:
            file.truncate(CARD_BYTES)
        subprocess.run(["sfdisk", "--quiet", made], input=TABLE, text=True, check=True)
        kib, offset = str(BOOT_BYTES >> 10), str(BOOT_AT // 512)
        tree.run("mkfs.vfat", "-F", "32", "-s", "1", "-n", "bootfs", "--offset", offset, made, kib)
        at = f"offset={ROOT_AT}"
        tree.run("mke2fs", "-q", "-t", "ext4", "-E", at, "-d", merged, "-L", "rootfs", made, f"{ROOT_BYTES >> 10}k")


def data(card: Path) -> str:
    """The data partition in a card's image, as e2fsprogs names a part of a file."""
    return f"{card}?offset={_data_at(card)}"


def exchanged(card: Path, begins: bytes) -> bytes:
    """Writes how the data partition begins; what stood there."""
    with card.open("r+b") as file:
        file.seek(_data_at(card))
        before = file.read(len(begins))
        file.seek(-len(before), os.SEEK_CUR)
        file.write(begins)
    return before


def _data_at(card: Path) -> int:
    with card.open("rb") as file:
        entry = file.read(512)[446 + 16 * (DATA - 1) :][:16]
    [start] = struct.unpack("<I", entry[8:12])
    return int(start) * 512


def damaged(where: str, *requests: str) -> None:
    """Does to a file system what only a broken disk does, as requests of debugfs."""
    for request in requests:
        tree.run("debugfs", "-w", "-R", request, where)


def is_whole(where: str) -> bool:
    """Whether a check of the whole file system finds nothing to mend; it mends nothing."""
    return not subprocess.run(["e2fsck", "-f", "-n", where], capture_output=True, check=False).returncode
