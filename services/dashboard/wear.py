"""How worn the disk of the data folder is, as far as the kernel tells it without root, below /sys.

    /sys/dev/block/MAJOR:MINOR    of the folder: a partition, or the disk itself
    DISK/device/type              of a card: SD, or MMC (eMMC)
    DISK/device/life_time         of eMMC: two estimates, of its fast cells and of the others, in tenths: 0x01 0x02
    DISK/device/pre_eol_info      of eMMC: how far the blocks are used up that it keeps in reserve: 0x01
    DISK/device/model, name       of a disk, and of a card

Of eMMC as in JEDEC JESD84-B51: DEVICE_LIFE_TIME_EST_TYP_A and _B, PRE_EOL_INFO; 0 is "not defined". SD cards tell
nothing, and SSDs tell it to root alone.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SYSFS = Path("/sys")
CARD, EMMC, OTHER = "card", "eMMC", "disk"
KINDS = {"SD": CARD, "MMC": EMMC}
EXCEEDED, NEARLY = 11, 9
RESERVE_NORMAL, RESERVE_URGENT = 1, 3


@dataclass(frozen=True, slots=True)
class Disk:
    """`tenths` of the life that it was made for are behind it at most, `EXCEEDED` are more than all; `reserve` is 1
    (most is left), 2 (four fifths are used) or 3 (nearly all). 0 is "not told"."""

    kind: str
    name: str
    tenths: int = 0
    reserve: int = 0

    @property
    def state(self) -> str:
        """As its chip is called: "good", "wait" where it should be replaced soon, "wrong" at once; "" untold."""
        if self.tenths >= EXCEEDED or self.reserve >= RESERVE_URGENT:
            return "wrong"
        if self.tenths >= NEARLY or self.reserve > RESERVE_NORMAL:
            return "wait"
        return "good" if self.tenths or self.reserve else ""


def of(folder: Path, sysfs: Path) -> Disk | None:
    """The disk below a folder; None where it lies on none that the kernel names, as in memory or on a network."""
    number = folder.stat().st_dev
    block = (sysfs / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}").resolve()
    if not block.exists():
        return None
    device = (block.parent if (block / "partition").exists() else block) / "device"
    kind = KINDS.get(_text(device / "type"), OTHER)
    name = _text(device / "model") or _text(device / "name")
    return Disk(kind, name, max(_numbers(device / "life_time")), max(_numbers(device / "pre_eol_info")))


def _numbers(path: Path) -> list[int]:
    """Those of a file, hexadecimal; 0 where it tells none."""
    with suppress(ValueError):
        return [int(each, 16) for each in _text(path).split()] or [0]
    return [0]


def _text(path: Path) -> str:
    """What stands in a file, without the spaces that fill it up; "" where there is none."""
    with suppress(OSError):
        return path.read_text(encoding="ascii", errors="replace").strip()
    return ""
