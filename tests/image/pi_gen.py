"""What a tree has from pi-gen's own stages, as far as our part for the Raspberry Pi changes it; and pi-gen's export."""

from pathlib import Path

FILES = {
    "boot/firmware/config.txt": "# For more options\ndtparam=audio=on\ncamera_auto_detect=1\n\n[all]\n",
    "boot/firmware/cmdline.txt": (
        "console=serial0,115200 console=tty1 root=ROOTDEV rootfstype=ext4 fsck.repair=yes rootwait resize\n"
    ),
    "etc/fstab": (
        "proc            /proc           proc    defaults          0       0\n"
        "BOOTDEV  /boot/firmware  vfat    defaults          0       2\n"
        "ROOTDEV  /               ext4    defaults,noatime  0       1\n"
    ),
    "etc/machine-id": "uninitialized\n",
}


def write(tree: Path) -> None:
    for name, text in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text, encoding="ascii")


def name_partitions(tree: Path, disk_id: str) -> None:
    """As pi-gen does when it exports the image (04-set-partuuid): the disk's number, and the partition's."""
    for name in ("etc/fstab", "boot/firmware/cmdline.txt"):
        text = (tree / name).read_text(encoding="ascii")
        for word, number in (("BOOTDEV", 1), ("ROOTDEV", 2)):
            text = text.replace(word, f"PARTUUID={disk_id}-{number:02}")
        (tree / name).write_text(text, encoding="ascii")
