"""First start: in the room that the card has beyond the system, the partition for what is the household's.

The image has two partitions, as pi-gen makes them: the boot partition and the system's. Here the system's grows to
ROOT_BYTES, for updates, and the rest of the card becomes a third, an ext4 by the label inglenook-data. Both entries are
written at once, and the file system last: a power cut at any moment leaves what the next start goes on with. What the
card had there before it was written with this image is not taken up. Root's, on a disk that is in use.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

LABEL = "inglenook-data"
ROOT_BYTES = 5 << 30
LEAST_BYTES = 1 << 30
"""Of the data; a card of 8 GB has it."""
ALIGN = 8 << 20  # as pi-gen: a card erases no less than some megabytes at once
REACH_SECTORS = (1 << 32) - 1  # of a disk, by a table of this kind, as sfdisk has it; the rest is not used
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
    table = json.loads(_run("sfdisk", "--json", disk))["partitiontable"]
    sector = table["sectorsize"]
    *before, last = sorted(table["partitions"], key=lambda each: int(each["start"]))
    if last["node"] == str(system):
        sectors = int((here.parent / "size").read_text()) * 512 // sector
        start = _aligned(max(last["start"] * sector + ROOT_BYTES, (last["start"] + last["size"]) * sector)) // sector
        if (sectors - start) * sector < LEAST_BYTES:
            sys.exit(f"inglenook-partition: {disk} has {sectors * sector / 1e9:.0f} GB, and a box needs 8 or more")
        last["size"] = start - last["start"]
        data = {"start": start, "size": min(sectors, REACH_SECTORS) - start, "type": "83"}
        _wipe(disk, start * sector)
        _write(disk, table, [*before, last, data])
    _run("partx", "--update", "--nr", f"{number}:{number + 1}", disk)
    node = _node(disk, number + 1)
    found = _run("blkid", "--probe", "--match-tag", "TYPE", "--match-tag", "PTTYPE", node, fine=(0, NOTHING_FOUND))
    if "TYPE=" not in found:  # a whole card would be discarded for minutes; fstrim.timer does so once a week
        _run("mkfs.ext4", "-q", "-m", "0", "-E", "nodiscard", "-L", LABEL, node)


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


def _wipe(disk: Path, at: int) -> None:
    """So that nothing is found there by what lay there before."""
    descriptor = os.open(disk, os.O_WRONLY)
    try:
        os.pwrite(descriptor, bytes(1 << 20), at)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
