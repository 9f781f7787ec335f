"""The way back: what was in the box is on the new one, and what goes wrong on the way is said with its way on."""

import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import backup, people
from appliance.backup import restoring
from appliance.backup.restic import PROGRAM
from appliance.backup.restoring import restore
from appliance.certificates import authority
from appliance.config import RESTORED, Config, load
from appliance.errors import UserError
from appliance.people import Household
from appliance.store import migrations
from appliance.store.database import HOME, change_key, open_store
from appliance.store.keys import KeyRing
from appliance.store.locked import AnotherBoxError
from services import setup
from tests import disks
from tests.backup.house import ADA, BEN, DISK, NOW, PASSWORD, House, exports, readings

pytestmark = pytest.mark.skipif(
    shutil.which(PROGRAM) is None, reason="restic is not installed; as root: apt-get install restic"
)


def test_after_a_disaster_the_words_alone_bring_everything_back(backed_up: House, disk: Path, tmp_path: Path) -> None:
    made = authority(backed_up.config.data, "inglenook.local").fingerprint
    backup.back_up(backed_up.config, DISK, NOW)
    before = exports(backed_up.config, backed_up.ring, tmp_path / "before")
    shutil.rmtree(backed_up.config.data)
    fresh = Config(tmp_path / "new")
    assert restore(fresh, str(disk), "", "", backed_up.words[HOME]) == [ADA, BEN]
    config, ring = load(fresh.data), KeyRing(fresh.data)
    assert config.zone == "Europe/London"
    ring.use_kit(ADA, backed_up.words[ADA])
    assert exports(config, ring, tmp_path / "after") == before
    assert readings(config) == list(range(10))
    assert authority(config.data, "inglenook.local").fingerprint == made, "devices trust the box as before"
    assert backup.back_up(config, DISK, NOW + timedelta(days=1)).added < 1_000_000, "and it is backed up on"


def test_what_is_on_the_stick_nobody_reads_without_the_words(backed_up: House, disk: Path, tmp_path: Path) -> None:
    kept = b"".join(path.read_bytes() for path in disk.rglob("*") if path.is_file())
    assert b"Home Farm" not in kept
    assert backed_up.ring.box_key().hex().encode() not in kept
    with pytest.raises(UserError, match="these words do not open it"):
        restore(Config(tmp_path / "new"), str(disk), "", "", backed_up.words[ADA])
    assert not (tmp_path / "new" / "stores").exists()


def test_with_another_kit_the_next_backup_is_opened_by_that_one_alone(
    backed_up: House, disk: Path, tmp_path: Path
) -> None:
    words = change_key(backed_up.config, HOME)
    backup.back_up(backed_up.config, DISK, NOW + timedelta(days=1))
    with pytest.raises(UserError, match="of an earlier kit"):
        restore(Config(tmp_path / "new"), str(disk), "", "", backed_up.words[HOME])
    assert restore(Config(tmp_path / "new"), str(disk), "", "", words) == [ADA, BEN]


def test_a_restore_overwrites_no_household(backed_up: House, disk: Path, tmp_path: Path) -> None:
    shutil.copytree(backed_up.config.data, tmp_path / "other")
    other = House(tmp_path / "other")
    with pytest.raises(UserError, match="holds a household already"):
        restore(other.config, str(disk), "", "", backed_up.words[HOME])
    setup.make(tmp_path / "new")
    with open_store(load(tmp_path / "new")), pytest.raises(UserError, match="is running; stop it"):
        restore(load(tmp_path / "new"), str(disk), "", "", backed_up.words[HOME])


def test_a_new_box_that_nobody_claimed_takes_the_old_ones_place(backed_up: House, disk: Path, tmp_path: Path) -> None:
    setup.make(tmp_path / "new")
    restore(load(tmp_path / "new"), str(disk), "", "", backed_up.words[HOME])
    with open_store(load(tmp_path / "new")) as home:
        assert [each.name for each in people.people(home)] == ["Ada", "Ben"]


def test_no_browser_and_no_invitation_of_the_old_box_lets_anybody_in(house: House, disk: Path, tmp_path: Path) -> None:
    with open_store(house.config) as home:
        token, code = people.begin_session(home, people.first(home).id), people.invite(home, "Cem")
    backup.add(house.config, DISK, str(disk), "", "")
    backup.back_up(house.config, DISK, NOW)
    restore(Config(tmp_path / "new"), str(disk), "", "", house.words[HOME])
    with open_store(house.config) as old, open_store(load(tmp_path / "new")) as home:
        assert (people.signed_in(old, token), people.may_join(old, code)) == (people.first(old), True)
        assert (people.signed_in(home, token), people.may_join(home, code)) == (None, False)
        assert people.sign_in(home, "Ada", PASSWORD), "who knows the password signs in anew"


def test_a_persons_own_store_asks_for_their_own_kit_and_stops_no_night_work(
    backed_up: House, disk: Path, tmp_path: Path
) -> None:
    fresh = Config(tmp_path / "new")
    restore(fresh, str(disk), "", "", backed_up.words[HOME])
    ring = KeyRing(fresh.data)
    assert ring.is_anothers(ADA)
    with pytest.raises(AnotherBoxError):
        open_store(fresh, ADA)
    backup.back_up(fresh, DISK, NOW + timedelta(days=1))
    ring.use_kit(ADA, backed_up.words[ADA])
    assert not ring.is_anothers(ADA)


@pytest.mark.parametrize("has_folders", [False, True], ids=["bare", "with the folders that systemd makes at boot"])
def test_a_power_cut_after_it_was_brought_back_is_finished_by_the_next_start(
    backed_up: House, disk: Path, tmp_path: Path, has_folders: bool
) -> None:
    before = exports(backed_up.config, backed_up.ring, tmp_path / "before")
    backup.back_up(backed_up.config, DISK, NOW)
    data = tmp_path / "new"
    setup.make(data)
    restoring.bring(load(data), str(disk), "", "", backed_up.words[HOME])
    (data / "stores").rename(data / RESTORED / "before")  # the cut came between the two moves
    if has_folders:
        (data / "stores" / HOME).mkdir(parents=True)
    setup.make(data)
    KeyRing(data).use_kit(ADA, backed_up.words[ADA])
    assert exports(load(data), KeyRing(data), tmp_path / "after") == before
    assert not (data / RESTORED).exists()


def test_one_that_is_killed_in_the_middle_is_begun_anew(backed_up: House, disk: Path, tmp_path: Path) -> None:
    data = tmp_path / "new"
    setup.make(data)
    killed = (
        "import os, sys, pathlib; from appliance.backup import restoring; from appliance.config import load\n"
        "restoring._make_own = lambda *_: os.kill(os.getpid(), 9)\n"
        "restoring.bring(load(pathlib.Path(sys.argv[1])), sys.argv[2], '', '', sys.argv[3].split())"
    )
    words = backed_up.words[HOME]
    assert (
        subprocess.run([sys.executable, "-c", killed, str(data), str(disk), " ".join(words)], check=False).returncode
        == -9
    )
    assert any((data / "run" / "restore").iterdir())
    setup.make(data)
    with open_store(load(data)) as home:
        assert people.household(home) is None, "the box is as new as it was"
    assert restore(load(data), str(disk), "", "", words) == [ADA, BEN]
    assert not (data / "run" / "restore").exists()


def test_who_claimed_the_box_meanwhile_keeps_it(backed_up: House, disk: Path, tmp_path: Path) -> None:
    data = tmp_path / "new"
    setup.make(data)
    restoring.bring(load(data), str(disk), "", "", backed_up.words[HOME])
    with open_store(load(data)) as home:
        people.claim(load(data), home, Household("Other", "Europe/Paris", "EUR"), "Zoe", PASSWORD)
    setup.make(data)
    with open_store(load(data)) as home:
        assert [each.name for each in people.people(home)] == ["Zoe"]
    assert not (data / RESTORED).exists()


def test_where_no_backup_is_it_says_what_to_look_for(tmp_path: Path, backed_up: House, disk: Path) -> None:
    words, new = backed_up.words[HOME], Config(tmp_path / "new")
    with pytest.raises(UserError, match=r"no backup in this place\. Look at it once more"):
        restore(new, str(disk.with_name("other")), "", "", words)
    shutil.rmtree(disk / "snapshots")
    (disk / "snapshots").mkdir()
    with pytest.raises(UserError, match="no backup in this place"):
        restore(new, str(disk), "", "", words)
    with pytest.raises(UserError, match="plug the disk in"):
        restore(new, str(tmp_path / "gone" / "inglenook"), "", "", words)


def test_a_box_that_is_too_small_says_so_before_it_begins(backed_up: House, disk: Path, tmp_path: Path) -> None:
    with disks.mounted(tmp_path / "small", 4 << 20) as small:
        with pytest.raises(
            UserError,
            match=r"bringing the backup back takes .* \d MB are left beside .* larger card",
        ):
            restore(Config(small / "box"), str(disk), "", "", backed_up.words[HOME])
        assert not (small / "box" / "stores").exists()


def test_a_disk_of_the_box_that_fills_on_the_way_says_so(
    backed_up: House, disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "SPARE_BYTES", -(1 << 30))
    with disks.mounted(tmp_path / "small", 512 << 10) as small:
        with pytest.raises(UserError, match="the disk of this box is full: it is too small for this backup"):
            restore(Config(small / "box"), str(disk), "", "", backed_up.words[HOME])
        assert not (small / "box" / RESTORED).exists()


def test_a_flipped_bit_is_found_on_the_way_back(backed_up: House, disk: Path, tmp_path: Path) -> None:
    largest = max((path for path in (disk / "data").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 3] ^= 1
    largest.chmod(0o600)
    largest.write_bytes(content)
    with pytest.raises(UserError, match=r"it is damaged.*Take another of your backups"):
        restore(Config(tmp_path / "new"), str(disk), "", "", backed_up.words[HOME])
    assert not (tmp_path / "new" / "stores").exists()


def test_a_disk_that_only_reads_gives_it_back(backed_up: House, disk: Path, tmp_path: Path) -> None:
    with disks.mounted(tmp_path / "stick-2", 64 << 20) as stick:
        shutil.copytree(disk, stick / "inglenook")
        subprocess.run(["mount", "-o", "remount,ro", str(stick)], check=True)
        assert restore(Config(tmp_path / "new"), str(stick / "inglenook"), "", "", backed_up.words[HOME]) == [ADA, BEN]


def test_a_backup_of_a_newer_inglenook_asks_for_the_newest_image(
    backed_up: House, disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "newest", lambda: "0001")
    with pytest.raises(UserError, match=r"made by a newer Inglenook.*Put the newest image on the card"):
        restore(Config(tmp_path / "new"), str(disk), "", "", backed_up.words[HOME])
    assert not (tmp_path / "new" / "stores").exists()
