"""First start: in the room that the card has beyond the system, the partition for what is the household's.

The image has two partitions, as pi-gen makes them: the boot partition and the system's. Here the system's grows to
ROOT_BYTES, for updates, and the rest of the card becomes a third, an ext4 by the label inglenook-data. Both entries are
written at once, and the file system last: a power cut at any moment leaves what the next start goes on with. What the
card had there before it was written with this image is not taken up. Root's, on a disk that is in use.

Nobody else looks at the disk meanwhile: it is locked as systemd's "Block device locking" has it, which udev keeps to.
"""

import argparse
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LABEL = "inglenook-data"
ROOT_BYTES = 5 << 30
COLLECTOR, RESERVE = "inglenook-collector", "2"
"""Who alone may fill the last of the data partition, so many hundredths of it: root is not let in there either."""
LEAST_BYTES = 1 << 30
"""Of the data; a card of 8 GB has it."""
ALIGN = 8 << 20  # as pi-gen: a card erases no less than some megabytes at once
REACH_SECTORS = (1 << 32) - 1  # of a disk, by a table of this kind, as sfdisk has it; the rest is not used
WIPED_BYTES = 1 << 20  # at each end: RAIDs and copies of tables are known by the last of a partition
NOTHING_FOUND = 2  # what blkid ends with (blkid(8))


def main() -> None:
    """Ends with 1, saying why, where it cannot be made."""
    parser = argparse.ArgumentParser(prog="inglenook-partition", description=__doc__)
    parser.add_argument("--system", type=Path, help="the system's partition; where none is named, what / is on")
    said = parser.parse_args()
    system = said.system or _below_root()
    try:
        make(system)
    except subprocess.CalledProcessError as error:
        sys.exit(f"inglenook-partition: {' '.join(error.cmd)}: {error.stderr.strip()}")


def make(system: Path) -> None:
    """Makes it behind the system's partition, a device; where it is there, nothing. SystemExit with what is wrong."""
    here = Path("/sys/class/block", system.name).resolve()
    disk, number = Path("/dev", here.parent.name), int((here / "partition").read_text())
    with _alone(disk) as descriptor:
        _divide(system, disk, int((here.parent / "size").read_text()) * 512, descriptor)
        _run("partx", "--update", "--nr", f"{number}:{number + 1}", disk)
        node = _node(disk, number + 1)
        found = _run("blkid", "--probe", "--match-tag", "TYPE", "--match-tag", "PTTYPE", node, fine=(0, NOTHING_FOUND))
        if "TYPE=" not in found:  # a whole card would be discarded for minutes; fstrim.timer does so once a week
            _run("mkfs.ext4", "-q", "-m", "0", "-E", "nodiscard", "-L", LABEL, node)
        _run("tune2fs", "-m", RESERVE, "-u", COLLECTOR, node)  # also where the power went before it came to this


@contextmanager
def _alone(disk: Path) -> Iterator[int]:
    descriptor = os.open(disk, os.O_WRONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _divide(system: Path, disk: Path, bytes_: int, descriptor: int) -> None:
    """Enters the partition in the table, and wipes what lay there before; where it stands there, nothing."""
    table = json.loads(_run("sfdisk", "--json", disk))["partitiontable"]
    sector = table["sectorsize"]
    *before, last = sorted(table["partitions"], key=lambda each: int(each["start"]))
    if last["node"] != str(system):
        return
    start = _aligned(max(last["start"] * sector + ROOT_BYTES, (last["start"] + last["size"]) * sector))
    end = min(bytes_ // sector, REACH_SECTORS) * sector
    if end - start < LEAST_BYTES:
        sys.exit(f"inglenook-partition: {disk} has {bytes_ / 1e9:.0f} GB, and a box needs 8 or more")
    last["size"] = start // sector - last["start"]
    data = {"start": start // sector, "size": (end - start) // sector, "type": "83"}
    for at in (start, end - WIPED_BYTES):
        os.pwrite(descriptor, bytes(WIPED_BYTES), at)
    os.fsync(descriptor)
    _write(disk, table, [*before, last, data])


def _below_root() -> Path:
    device = Path("/").stat().st_dev
    here = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    if not (here / "partition").exists():
        sys.exit("inglenook-partition: the system is not on a partition; is this a box?")
    return Path("/dev", here.resolve().name)


def _node(disk: Path, number: int) -> Path:
    return Path(f"{disk}p{number}" if disk.name[-1].isdigit() else f"{disk}{number}")


def _aligned(at: int) -> int:
    return -(-at // ALIGN) * ALIGN


def _write(disk: Path, table: dict[str, str], partitions: list[dict[str, object]]) -> None:
    """The table as a whole, by the number that the disk has: the system is found by it."""
    lines = [f"label: {table['label']}", f"label-id: {table['id']}", ""]
    for each in partitions:
        bootable = ", bootable" if each.get("bootable") else ""
        lines.append(f"start={each['start']}, size={each['size']}, type={each['type']}{bootable}")
    _run("sfdisk", "--quiet", "--force", "--no-reread", "--no-tell-kernel", disk, given="\n".join(lines))


def _run(*command: str | Path, given: str = "", fine: tuple[int, ...] = (0,)) -> str:
    words = [*map(str, command)]
    done = subprocess.run(words, input=given, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode not in fine:
        done.check_returncode()
    return done.stdout


if __name__ == "__main__":
    main()
