"""A box burns: from its stick and 24 words on paper another one has everything back, and exports the same.

Both are the booted tree, with every service in its sandbox. Each step's time is printed (pytest -s).
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from time import monotonic

import pytest
import requests

from tests.boxes import NAME, PASSWORD
from tests.exports import content
from tests.image import machine
from tests.image.machine import DATA, Machine, until
from tests.image.visitor import METER, Visitor
from tests.statements import Row, ofx

DISK, BACKUP = "/media/usb-STICK", "/media/usb-STICK/inglenook"
SEALING = "seal_seconds = 1\n"
SILENT = "[dashboard]\nhttps = true\n[collector]\n"
STICK_BYTES = 256 << 20
WORDS = re.compile(r"<li>([a-z]+)</li>")
KIT_WORDS = 24
STATEMENT = ofx([Row(date(2026, 3, day), f"-{day}.50", "Bakery") for day in range(1, 29)])


class Stick:
    """An ext4 that outlives the boxes, at a loop device."""

    def __init__(self, image: Path) -> None:
        with image.open("wb") as file:
            file.truncate(STICK_BYTES)
        _run("mkfs.ext4", "-q", image)
        self.device = _run("losetup", "--find", "--show", image)

    @contextmanager
    def plugged_into(self, box: Machine) -> Iterator[None]:
        """What the box's rules for disks do (test_disks.py): a container has no udev."""
        number = Path(self.device).stat().st_rdev
        box.run("mknod", "/dev/stick", "b", str(os.major(number)), str(os.minor(number)))
        box.run("mkdir", "-p", DISK)
        box.run("mount", "-o", "nosuid,nodev,noexec,X-mount.owner=inglenook", "/dev/stick", DISK)
        yield
        box.run("umount", "--lazy", DISK)

    @contextmanager
    def read(self, folder: Path) -> Iterator[Path]:
        """What lies on it, on another computer."""
        folder.mkdir()
        _run("mount", "-o", "ro", self.device, folder)
        yield folder
        _run("umount", folder)

    def close(self) -> None:
        _run("losetup", "--detach", self.device)


class Times:
    """How long each step took, from the one before."""

    def __init__(self) -> None:
        self._last = monotonic()

    def took(self, step: str) -> None:
        now = monotonic()
        print(f"{step}: {now - self._last:.1f} s")
        self._last = now


@pytest.fixture
def stick(root: None, tmp_path: Path) -> Iterator[Stick]:
    stick = Stick(tmp_path / "stick.img")
    yield stick
    stick.close()


def _run(*command: object) -> str:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True).stdout.strip()


def _furnished(box: Machine, visitor: Visitor) -> None:
    """A statement is taken in and a meter read; it is silent then, and all of it is in the stores."""
    assert visitor.post("/import", files={"file": ("march.ofx", STATEMENT)}).ok
    _metered(box, visitor)
    box.write(f"{DATA}/inglenook.toml", f"{SILENT}{SEALING}")
    until(lambda: not box.run("find", f"{DATA}/spool", "-type", "f"), "the last reading is in the store")


def _metered(box: Machine, visitor: Visitor) -> None:
    def readings() -> str:
        return box.run("inglenook", "readings", "electricity.power", check=False)  # as long as there are none

    before = readings()
    box.write(f"{DATA}/inglenook.toml", f"{METER}{SEALING}")
    box.run("systemctl", "restart", "inglenook-scheduler.service")
    until(lambda: visitor.get("/api/now").json().get("import_w") is not None, "the meter's power is known")
    until(lambda: readings() != before, "readings come into the store")


def _backed_up(box: Machine, visitor: Visitor) -> None:
    assert visitor.post("/backup", name="stick", where=BACKUP).ok

    def state() -> dict[str, str]:
        found: dict[str, str] = json.loads(box.run("cat", f"{DATA}/backup.json"))["stick"]["state"]
        return found

    until(lambda: state().get("good"), "a backup is made")
    until(lambda: state().get("drilled"), "it is tried")
    assert "found whole" in state()["drill"], state()


def _exported(visitor: Visitor, folder: str) -> None:
    answer = visitor.post("/box/export", on="/box", where=f"{DISK}/{folder}")
    assert answer.ok, answer.text


def _brought_back(visitor: Visitor, words: list[str], phone: str) -> None:
    """By the claim page; it is a box's that trusted the old one then, whose certificate lies in the file `phone`."""
    assert BACKUP in visitor.get("/claim/restore").text, "the disk is found"
    assert visitor.post("/claim/restore", code=visitor.code(), where=BACKUP, words=" ".join(words)).ok
    visitor.session.verify = phone

    def is_back() -> bool:
        try:
            return "/sign-in" in visitor.get("/now").url
        except requests.RequestException:
            return False

    until(is_back, "the household is back")


def test_from_a_stick_and_the_words_on_paper_an_empty_box_has_everything_back(
    built: Path, stick: Stick, tmp_path: Path
) -> None:
    times = Times()
    for each in ("old", "new"):
        (tmp_path / each).mkdir()
    with machine.booted(built, tmp_path / "old") as box, stick.plugged_into(box):
        times.took("the old box boots")
        visitor = Visitor(box, tmp_path / "old")
        words = WORDS.findall(visitor.claims().text)
        assert len(words) == 2 * KIT_WORDS, "the person's own, then the household's"
        times.took("it is claimed")
        _furnished(box, visitor)
        times.took("a statement is taken in, and a meter read")
        _backed_up(box, visitor)
        times.took("it is backed up, and that is tried")
        _exported(visitor, "before")
        times.took("it is exported")
    times.took("it is switched off")
    phone = str(visitor.session.verify)
    with machine.booted(built, tmp_path / "new") as box, stick.plugged_into(box):
        times.took("an empty box boots")
        visitor = Visitor(box, tmp_path / "new")
        _brought_back(visitor, words[KIT_WORDS:], phone)
        times.took("the backup is brought back")
        visitor.post("/sign-in", name=NAME, password=PASSWORD)
        assert "Your own kit, please" in visitor.get("/records").text
        visitor.post("/unlock/kit", on="/unlock", words=" ".join(words[:KIT_WORDS]))
        assert "Bakery" in visitor.get("/records").text
        times.took("its person signs in, and opens their own store")
        _exported(visitor, "after")
        times.took("it is exported")
        _metered(box, visitor)
        times.took("a meter is read")
    with stick.read(tmp_path / "stick") as disk:
        stores = sorted(each.name for each in (disk / "before").iterdir())
        assert stores == sorted(each.name for each in (disk / "after").iterdir())
        for store in stores:
            before, after = content(disk / "before" / store), content(disk / "after" / store)
            assert before == after, "all but the time at which it was exported"
            print(f"exports of {store}: {len(before)} files each")
