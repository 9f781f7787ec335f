"""The disk that the machine boots from, with its kernel: the appliance's tree for arm64 as an ext4, kept by a hash.

    CACHE/arm64-disk-HASH/disk.ext4 vmlinuz initrd.img

To the tree comes what `tree/` beside this file has: mounts, a network, and a way in for the tests.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.image import tree

ADDED = Path(__file__).with_name("tree")
TO_BOOT = ",initramfs-tools,linux-image-arm64"  # a container needs none of it
BINFMT = Path("/proc/sys/fs/binfmt_misc")
BYTES = "3G"
DATA_BYTES = 1 << 30
LABEL, DATA_LABEL = "inglenook", "inglenook-data"


@contextmanager
def disk() -> Iterator[Path]:
    """The folder, made where it is not there yet; it stays while it is used. Root's work."""
    _run_foreign_programs()
    with ExitStack() as held:
        with tree.tree(tree.ARM64, TO_BOOT) as whole, tree.alone():
            added = [*(path for path in ADDED.rglob("*") if path.is_file()), Path(__file__)]
            folder = tree.made("arm64-disk", tree.hash_of(added, whole.name), lambda path: _make(whole, path))
            held.enter_context(tree.kept(folder))
        yield folder


def data_disk(path: Path) -> None:
    """An empty one for the household's data."""
    with path.open("wb") as file:
        file.truncate(DATA_BYTES)
    tree.run("mke2fs", "-q", "-t", "ext4", "-m", "0", "-L", DATA_LABEL, path)


def _run_foreign_programs() -> None:
    """Has the kernel run programs for arm64 by qemu-user; it goes on doing so until the machine is started again."""
    if (BINFMT / "qemu-aarch64").exists() or os.uname().machine == "aarch64":
        return
    if not (BINFMT / "register").exists():
        tree.run("mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT)
    tree.run("update-binfmts", "--enable", "qemu-aarch64")


def _make(whole: Path, folder: Path) -> None:
    with TemporaryDirectory(dir=tree.CACHE) as scratch, tree.laid_over(whole, Path(scratch)) as merged:
        tree.run("cp", "-R", f"{ADDED}/.", merged)
        for unit in ("tests.service", "systemd-networkd.service"):
            tree.run("systemctl", f"--root={merged}", "enable", unit)
        folder.mkdir()
        tree.run("mke2fs", "-q", "-t", "ext4", "-d", merged, "-L", LABEL, folder / "disk.ext4", BYTES)
        for name in ("vmlinuz", "initrd.img"):
            [found] = (merged / "boot").glob(f"{name}-*")
            tree.run("cp", found, folder / name)


def damaged(path: Path, *requests: str) -> None:
    """Does to a file system what only a broken disk does, as requests of debugfs."""
    for request in requests:
        tree.run("debugfs", "-w", "-R", request, path)


def is_whole(path: Path) -> bool:
    """Whether a check of the whole file system finds nothing to mend; it mends nothing."""
    return not subprocess.run(["e2fsck", "-f", "-n", path], capture_output=True, check=False).returncode
