"""Backups: what was in the box is on the new one, and what goes wrong on the way is said and loses nothing."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from appliance import backup
from appliance.backup import still, targets
from appliance.backup.drill import SPARE_BYTES, drill
from appliance.backup.restic import PROGRAM, Restic
from appliance.backup.targets import Secret, Target
from appliance.cli import main
from appliance.config import Config, load
from appliance.errors import UserError
from appliance.ingest import sealing
from appliance.store.database import HOME, open_store, store_file
from appliance.store.keys import KeyRing
from services import setup
from tests import disks
from tests.backup.house import ADA, BEN, DISK, NOW, House, readings

CARD_BYTES, LARGE_BYTES = 256 << 20, 128 << 20

pytestmark = pytest.mark.skipif(
    shutil.which(PROGRAM) is None, reason="restic is not installed; as root: apt-get install restic"
)


def test_a_backup_of_the_next_night_holds_what_is_new_and_takes_little(backed_up: House) -> None:
    backed_up.bring(HOME, 2)
    done = backup.back_up(backed_up.config, DISK, NOW + timedelta(days=1))
    assert 0 < done.added < done.bytes / 2


def test_the_box_goes_on_while_it_is_copied_and_the_copy_is_one_moment(house: House, tmp_path: Path) -> None:
    with still.held_still(house.config) as said:
        copied = tmp_path / "copy"
        for path in (each for each in said if not each.startswith("--") and (house.config.data / each).is_dir()):
            shutil.copytree(house.config.data / path, copied / path, ignore=shutil.ignore_patterns(*still.CHANGING))
        before = store_file(house.config, HOME).read_bytes()
        house.bring(HOME, 2)
        with open_store(house.config) as home, home.engine.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        assert store_file(house.config, HOME).read_bytes() == before, "a checkpoint would tear the copy"
        with open_store(house.config) as home:
            sealing.seal_all(home, house.config.spool)
    backup.put_together(copied)
    KeyRing(copied).use_kit(HOME, house.words[HOME])
    with open_store(Config(copied)) as home:
        sealing.seal_all(home, copied / "spool")
    assert readings(Config(copied)) == list(range(10))
    with open_store(house.config) as home, home.engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
    assert store_file(house.config, HOME).read_bytes() != before, "afterwards all is as ever"
    assert not (house.config.run / "backup").exists()


def test_a_reading_that_is_sealed_while_the_spool_is_copied_is_in_the_copy_once(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_log, times = still._copy_log, list[int]()

    def meanwhile(store: Path, to: Path) -> None:
        if store.name == HOME and not times:
            times.append(1)
            with open_store(house.config) as home:
                sealing.seal_all(home, house.config.spool)
        copy_log(store, to)

    monkeypatch.setattr(still, "_copy_log", meanwhile)
    with still.held_still(house.config):
        assert not list((house.config.run / "backup" / "spool").iterdir())
        shutil.copytree(house.config.stores, tmp_path / "stores", ignore=shutil.ignore_patterns(*still.CHANGING))
        shutil.copytree(house.config.run, tmp_path / "run")
    backup.put_together(tmp_path)
    KeyRing(tmp_path).use_kit(HOME, house.words[HOME])
    assert readings(Config(tmp_path)) == list(range(10))


def test_the_drill_restores_and_counts_and_leaves_nothing_behind(backed_up: House) -> None:
    found = drill(backed_up.config, DISK, NOW)
    assert (found.stores, found.facts > 50, found.shut) == (3, True, (BEN,))
    [said] = targets.every(backed_up.config)
    assert (said.drilled, said.drill_problem) == (NOW, "")
    assert "found whole: 3 stores" in said.drill
    assert not (backed_up.config.run / "drill").exists()


def test_the_drill_sees_a_store_that_the_backup_lacks_and_a_kit_that_is_another(backed_up: House) -> None:
    open_store(backed_up.config, "cleo", make=True).close()
    backed_up.ring.make_kit(HOME)
    with pytest.raises(UserError) as raised:
        drill(backed_up.config, DISK, NOW)
    said = " ".join(raised.value.problems)
    assert "'cleo' is not in the backup" in said
    assert "kit of the household was made after" in said
    assert targets.named(backed_up.config, DISK).drill_problem == said


@pytest.mark.parametrize("kind", ["data", "index", "snapshots"])
def test_a_flipped_bit_is_found(backed_up: House, disk: Path, kind: str) -> None:
    largest = max((path for path in (disk / kind).rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 3] ^= 1
    largest.chmod(0o600)
    largest.write_bytes(content)
    with pytest.raises(UserError, match=r"it is damaged.*add another place now"):
        drill(backed_up.config, DISK, NOW)
    assert "damaged" in targets.named(backed_up.config, DISK).drill_problem


def test_a_stick_that_is_full_says_so_and_the_earlier_backup_is_whole(house: House, tmp_path: Path) -> None:
    with disks.mounted(tmp_path / "small", 32 << 20, disks.EXT4) as small:
        backup.add(house.config, DISK, str(small / "inglenook"), "", "")
        backup.back_up(house.config, DISK, NOW)
        house.bring(HOME, 2)
        disks.leave_free(small, 64 << 10)
        with pytest.raises(UserError, match=r"it is full\. Free some space"):
            backup.back_up(house.config, DISK, NOW + timedelta(days=1))
        assert targets.named(house.config, DISK).good == NOW
        assert "full" in targets.named(house.config, DISK).problem
        disks.make_room(small)
        assert drill(house.config, DISK, NOW).stores == 3
        backup.back_up(house.config, DISK, NOW + timedelta(days=1))
        assert targets.named(house.config, DISK).problem == ""


def test_a_drill_leaves_the_meters_what_is_kept_for_them(furnished: House, disk: Path, tmp_path: Path) -> None:
    with disks.mounted(tmp_path / "card", CARD_BYTES) as card:
        shutil.copytree(furnished.config.data, card / "box")
        config = Config(card / "box", zone=furnished.config.zone)
        backup.add(config, DISK, str(disk), "", "")
        done = backup.back_up(config, DISK, NOW)
        disks.leave_free(card, done.bytes + SPARE_BYTES + (1 << 20))
        with pytest.raises(UserError, match=r"found right; to restore it .* are left beside what is kept free"):
            drill(config, DISK, NOW)
        disks.make_room(card)
        assert drill(config, DISK, NOW).stores == 3


def test_a_stick_that_is_pulled_out_is_said_and_tried_again(backed_up: House, disk: Path) -> None:
    away = disk.with_name("away")
    disk.rename(away)
    with pytest.raises(UserError, match=r"it is not there\. Plug the disk in"):
        backup.back_up(backed_up.config, DISK, NOW + timedelta(days=1))
    assert not disk.exists(), "nothing is written to the card in its place"
    away.rename(disk)
    backup.back_up(backed_up.config, DISK, NOW + timedelta(days=1, hours=1))
    assert targets.named(backed_up.config, DISK).problem == ""


def test_a_stick_that_is_pulled_out_in_the_middle_harms_nothing(house: House, tmp_path: Path) -> None:
    with disks.mounted(tmp_path / "stick", 64 << 20, disks.EXT4) as stick:
        backup.add(house.config, DISK, str(stick / "inglenook"), "", "")
        backup.back_up(house.config, DISK, NOW)
        house.bring(HOME, 2)
        with _pulled_on_copy(house, stick), pytest.raises(UserError, match="the backup /"):
            backup.back_up(house.config, DISK, NOW + timedelta(days=1))
        subprocess.run(["mount", "-o", "remount,rw", str(stick)], check=True)
        backup.back_up(house.config, DISK, NOW + timedelta(days=2))
        assert drill(house.config, DISK, NOW).stores == 3


def test_a_stick_that_is_pulled_out_while_it_is_written_to_is_used_again_once_it_is_back(
    house: House, tmp_path: Path
) -> None:
    with disks.mounted(tmp_path / "stick", 512 << 20, disks.EXT4) as stick:
        backup.add(house.config, DISK, str(stick / "inglenook"), "", "")
        backup.back_up(house.config, DISK, NOW)
        (house.config.stores / HOME / "large").write_bytes(os.urandom(LARGE_BYTES))
        with _pulled_while_written(stick), pytest.raises(UserError, match="as a disk that was pulled out"):
            backup.back_up(house.config, DISK, NOW + timedelta(days=1))
        assert "Plug it in again; the box tries again every hour" in targets.named(house.config, DISK).problem
        disks.plug_in_again(stick)
        backup.back_up(house.config, DISK, NOW + timedelta(days=2))
        assert targets.named(house.config, DISK).problem == ""
        assert drill(house.config, DISK, NOW).stores == 3


@contextmanager
def _pulled_while_written(stick: Path) -> Iterator[None]:
    """The disk's device goes as soon as a backup writes a file more to it."""
    before, is_over = _files(stick), threading.Event()

    def pull() -> None:
        while not is_over.is_set() and _files(stick) == before:
            pass
        disks.pull_out(stick)

    with ThreadPoolExecutor(1) as pool:
        pulled = pool.submit(pull)
        try:
            yield
        finally:
            is_over.set()
            pulled.result()


def _files(stick: Path) -> int:
    return sum(1 for _ in (stick / "inglenook" / "data").rglob("*"))


@contextmanager
def _pulled_on_copy(house: House, stick: Path) -> Iterator[None]:
    """The disk takes nothing any more from the moment at which the box begins to be copied."""
    with pytest.MonkeyPatch.context() as patched:
        copy = still._copy

        def pull(config: Config, names: list[str], beside: Path) -> None:
            subprocess.run(["mount", "-o", "remount,ro", str(stick)], check=True)
            copy(config, names, beside)

        patched.setattr(still, "_copy", pull)
        yield


def test_a_backup_needs_a_kit_that_opens_it(tmp_path: Path) -> None:
    setup.make(tmp_path / "box")
    (tmp_path / "stick").mkdir()
    with pytest.raises(UserError, match="make one and write it down"):
        backup.add(load(tmp_path / "box"), DISK, str(tmp_path / "stick" / "a"), "", "")


def test_a_kit_from_before_there_were_backups_does_once_it_is_proved(house: House, disk: Path) -> None:
    path = house.ring.store_file(HOME)
    document = json.loads(path.read_bytes())
    del document["kit"]["backup"]
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match="kit prove"):
        backup.add(house.config, DISK, str(disk), "", "")
    house.ring.prove_kit(HOME, house.words[HOME])
    backup.add(house.config, DISK, str(disk), "", "")


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("disk", "is no place for a backup"),
        ("ftp://host/x", "is no place for a backup"),
        ("/nowhere/at/all", "/nowhere/at is not there"),
        ("rest:https://ada:secret@host/", "leave the user and the password out"),
        ("s3:host\n", "is no place"),
    ],
)
def test_a_place_that_is_none_is_said(house: House, where: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        backup.add(house.config, DISK, where, "", "")
    with pytest.raises(UserError, match="own folder"):
        backup.add(house.config, DISK, str(house.config.data / "backups"), "", "")
    assert targets.every(house.config) == []


def test_the_box_keeps_passwords_sealed(house: House, disk: Path) -> None:
    backup.add(house.config, DISK, str(disk), "ada", "very secret")
    path = house.config.data / targets.FILE
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"very secret" not in path.read_bytes()
    assert targets.secret(house.config, DISK).password == "very secret"


def test_a_damaged_file_of_places_is_said(house: House) -> None:
    (house.config.data / targets.FILE).write_text('{"disk": 5}')
    with pytest.raises(UserError, match=r"backup\.json.*move it away"):
        targets.every(house.config)


def test_a_night_is_due_once_and_what_failed_is_tried_each_hour() -> None:
    zone = ZoneInfo("Europe/London")
    fresh = Target("disk", "/x")
    assert fresh.is_due(NOW, zone)
    good = replace(fresh, wanted=False, good=NOW, tried=NOW)
    assert not good.is_due(NOW + timedelta(hours=20), zone)
    assert good.is_due(NOW + timedelta(hours=23, minutes=45), zone)
    failed = replace(good, tried=NOW + timedelta(days=1))
    assert not failed.is_due(failed.tried + timedelta(minutes=30), zone) if failed.tried else False
    assert failed.is_due(NOW + timedelta(days=1, hours=2), zone)
    assert replace(good, wanted=True).is_due(NOW, zone)
    assert good.is_drill_due(NOW)
    assert not replace(good, drilled=NOW).is_drill_due(NOW + timedelta(days=29))
    assert replace(good, drilled=NOW).is_drill_due(NOW + timedelta(days=30))


def test_a_machine_that_is_off_is_said_before_a_person_gives_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "PATIENCE_S", 2.0)
    with pytest.raises(UserError, match="see that the other machine is on"):
        backup.add(house.config, "attic", "rest:http://127.0.0.1:9/attic", "", "")


def test_what_opens_s3_goes_to_restic_and_nowhere_else(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_ANOTHER", "x")
    told = Restic(house.config, "s3:https://host.test/bucket", Secret("key-id", "secret-key", "words"))._environment()
    assert (told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"]) == ("key-id", "secret-key")
    assert (told["RESTIC_REPOSITORY"], told["RESTIC_PASSWORD"]) == ("s3:https://host.test/bucket", "words")
    assert "SECRET_OF_ANOTHER" not in told


def test_by_command(house: House, disk: Path, tmp_path: Path) -> None:
    def call(*said: str, typed: str = "", data: Path = house.config.data) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["--data", str(data), "--json", *said], input=typed)
        return done.exit_code, done.output

    assert call("backup")[0] == 2
    assert call("backup", "add", DISK, str(disk))[0] == 0
    code, said = call("backup")
    assert (code, json.loads(said)["bytes"] > 0) == (0, True)
    assert json.loads(call("backup", "check")[1])["stores"] == 3
    assert json.loads(call("backup", "list")[1])["problem"] == ""
    code, said = call("backup", "restore", str(disk), typed=" ".join(house.words[HOME]), data=tmp_path / "new")
    assert code == 0
    assert json.loads(said.splitlines()[0])["needs_kit"] == [ADA, BEN]
    assert call("backup", "remove", DISK)[0] == 0
    assert call("backup", "check", DISK)[0] == 2
