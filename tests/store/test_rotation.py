"""Another key for a store: nothing is lost, the old key opens nothing, and a kill at any moment leaves a store."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import select

from appliance.checking import problems
from appliance.config import Config
from appliance.errors import UserError
from appliance.ingest.spool import SegmentReader, Spool, segments
from appliance.store import lease, originals, passphrases, rotation, waiting
from appliance.store.database import Store, change_key, open_store, store_file
from appliance.store.keys import KeyRing, StoreKey
from appliance.store.models import OriginalPart
from appliance.store.waiting import Waiting

PASSPHRASE = "five words that fit badly"
FILES = [b"a statement " * 200_000, b"another"]

CHANGE = """
import os, signal, sys
from pathlib import Path
from appliance.config import Config
from appliance.store import keys, originals, postgresql, rotation, sqlcipher
from appliance.store.database import change_key
place, after = sys.argv[3].split(" ")[::-1][0], sys.argv[3].startswith("after")
owner = {"rekey": sqlcipher, "set_password": postgresql, "_reseal": originals}.get(place, keys.KeyRing)
inner = getattr(owner, place)
def stopped(*arguments, **named):
    if after:
        inner(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, place, stopped)
change_key(Config(Path(sys.argv[1]), database_url=sys.argv[2] or None), "home")
"""
PLACES = [
    "before begin_change",
    "after begin_change",
    "after _reseal",
    "before THE DATABASE",
    "after THE DATABASE",
    "before end_change",
    "after end_change",
    "before make_kit",
    "after make_kit",
]


@pytest.fixture(autouse=True)
def quick_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrases, "COST", {"passes": 1, "memory_kib": 8, "lanes": 1})


@pytest.fixture
def filled(config: Config, store: Store) -> Config:
    """A box whose home store keeps two files, and is not open."""
    with store.write() as connection:
        for data in FILES:
            originals.keep(connection, store.key, data)
    store.close()
    return config


def _kept(store: Store) -> list[bytes]:
    with store.read() as connection:
        return [originals.read(connection, store.key, sha256) for sha256, _ in originals.all_of(connection)]


def _assert_whole(config: Config) -> StoreKey:
    with open_store(config) as again:
        assert sorted(_kept(again)) == sorted(FILES)
        assert list(problems(again)) == []
        return again.key


def test_everything_is_there_under_another_key_and_another_kit(filled: Config) -> None:
    ring = KeyRing(filled.data)
    before, kit = ring.open("home"), ring.make_kit("home")
    words = change_key(filled, "home")
    after = _assert_whole(filled)
    assert after.secret != before.secret
    assert ring.public("home").hex() == after.public != before.public
    assert ring.prove_kit("home", words).secret == after.secret
    with pytest.raises(UserError, match="not the newest"):
        ring.prove_kit("home", kit)


def test_the_key_before_opens_nothing_of_it_any_more(filled: Config) -> None:
    before = KeyRing(filled.data).open("home")
    change_key(filled, "home")
    with open_store(filled) as again, again.read() as connection:
        sha256 = originals.all_of(connection)[0][0]
        sealed = connection.execute(select(OriginalPart.sealed)).scalars().all()
        with pytest.raises(InvalidTag):
            originals.read(connection, before, sha256)
    assert len(sealed) == 4
    if filled.database_url is None:
        from appliance.store import sqlcipher

        with pytest.raises(UserError, match="key beside it"):
            sqlcipher.engine(store_file(filled, "home"), before.derived("database").hex()).connect()
        assert not store_file(filled, "home").with_name("store.db-wal").exists()


def test_a_key_can_be_changed_again_and_again(filled: Config) -> None:
    ring = KeyRing(filled.data)
    secrets = [ring.open("home").secret]
    for _ in range(3):
        change_key(filled, "home")
        secrets.append(_assert_whole(filled).secret)
    assert len(set(secrets)) == 4
    assert ring.open("home").earlier == tuple(secrets[2::-1])


def test_what_was_sealed_before_still_opens(filled: Config, tmp_path: Path) -> None:
    ring = KeyRing(filled.data)
    public = ring.public("home")
    spool = Spool(filled.spool, public)
    spool.append(b"before")
    waiting.put(ring.folder("home"), public, Waiting("a.ofx", b"came before"))
    change_key(filled, "home")
    change_key(filled, "home")
    spool.append(b"after, by a collector that has not heard")
    spool.close()
    key = ring.open("home")
    reader = SegmentReader(segments(filled.spool)[0], *key.privates)
    assert list(reader.new()) == [b"before", b"after, by a collector that has not heard"]
    reader.close()
    with waiting.taken(waiting.files(ring.folder("home"))[0], key.privates) as file:
        assert file == Waiting("a.ofx", b"came before")
    assert not waiting.files(ring.folder("home"))


def test_a_locked_store_s_key_changes_with_its_passphrase(config: Config, store: Store) -> None:
    with open_store(config, "ada", make=True) as ada, ada.write() as connection:
        originals.keep(connection, ada.key, FILES[0])
    ring = KeyRing(config.data)
    ring.prove_kit("ada", ring.make_kit("ada"))
    ring.lock("ada", ring.open("ada"), PASSPHRASE)
    before = ring.open("ada", PASSPHRASE)
    with pytest.raises(UserError, match="is locked"):
        change_key(config, "ada")
    words = change_key(config, "ada", PASSPHRASE)
    with open_store(config, "ada", passphrase=PASSPHRASE) as again:
        assert _kept(again) == FILES[:1]
        assert again.key.secret != before.secret
        assert ring.prove_kit("ada", words).secret == again.key.secret
    assert ring.facts("ada").is_locked


def test_a_store_in_use_keeps_its_key(filled: Config) -> None:
    ring = KeyRing(filled.data)
    before = ring.open("home").secret
    with open_store(filled), pytest.raises(UserError, match="in use"), lease.alone(ring.folder("home"), wait_s=0):
        raise AssertionError
    assert ring.open("home").secret == before


def test_a_store_is_not_opened_while_its_key_changes(filled: Config) -> None:
    with lease.alone(KeyRing(filled.data).folder("home")), pytest.raises(UserError, match="getting a new key"):
        open_store(filled)


def test_a_closed_store_is_let_go_of_when_its_last_transaction_is_over(filled: Config) -> None:
    folder = KeyRing(filled.data).folder("home")
    opened = open_store(filled)
    with opened.read():
        opened.close()
        with pytest.raises(UserError, match="in use"), lease.alone(folder, wait_s=0):
            raise AssertionError
    with lease.alone(folder, wait_s=0):
        pass
    with pytest.raises(UserError, match="closed"), opened.write():
        raise AssertionError


def test_a_disk_without_room_is_said_before_anything_is_begun(filled: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    if filled.database_url:
        pytest.skip("PostgreSQL sees to its own disk")
    monkeypatch.setattr(rotation, "SPARE_BYTES", 1 << 60)
    with pytest.raises(UserError, match="left beside what is kept free: delete what"):
        change_key(filled, "home")
    assert not KeyRing(filled.data).is_changing("home")
    _assert_whole(filled)


@pytest.mark.parametrize("place", PLACES)
def test_a_kill_between_two_steps_leaves_a_store_that_opens_with_everything(filled: Config, place: str) -> None:
    place = place.replace("THE DATABASE", "set_password" if filled.database_url else "rekey")
    command = [sys.executable, "-c", CHANGE, str(filled.data), filled.database_url or "", place]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    key = _assert_whole(filled)
    ring = KeyRing(filled.data)
    assert not ring.is_changing("home")
    assert _assert_whole(filled).secret == key.secret
    change_key(filled, "home")
    _assert_whole(filled)


@pytest.mark.parametrize("meanwhile", ["unlock", "lock", "make_kit", "begin_change"])
def test_while_a_key_changes_nothing_else_that_opens_the_store_does(filled: Config, meanwhile: str) -> None:
    ring = KeyRing(filled.data)
    key = ring.open("home")
    ring.begin_change("home")
    more = {"unlock": (key,), "lock": (key, PASSPHRASE), "make_kit": (key,), "begin_change": ()}[meanwhile]
    with pytest.raises(UserError, match="is being changed"):
        getattr(ring, meanwhile)("home", *more)
    assert _assert_whole(filled).secret != key.secret


def test_a_kit_opens_a_store_whose_box_is_lost_half_way_through(filled: Config) -> None:
    ring = KeyRing(filled.data)
    words = ring.make_kit("home")
    place = "after set_password" if filled.database_url else "after rekey"
    command = [sys.executable, "-c", CHANGE, str(filled.data), filled.database_url or "", place]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == -signal.SIGKILL
    ring.box_file.unlink()
    ring.use_kit("home", words)
    _assert_whole(filled)


KILLED_BY_SIZE = """
import resource, signal, sys
from pathlib import Path
from appliance.config import Config
from appliance.store import rotation, sqlcipher
from appliance.store.database import change_key
inner = sqlcipher.rekey
def limited(*arguments):
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL if sys.argv[3] == "kill" else signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    inner(*arguments)
sqlcipher.rekey = limited
change_key(Config(Path(sys.argv[1])), "home")
"""


@pytest.fixture
def large(tmp_path: Path) -> Config:
    """A box on SQLCipher whose home store has a few hundred pages."""
    config = Config(tmp_path / "box")
    with open_store(config, make=True) as store, store.write() as connection:
        for data in FILES:
            originals.keep(connection, store.key, data)
        originals.keep(connection, store.key, _random(1_500_000))
    return config


def _random(size: int) -> bytes:
    from random import Random

    return Random(5).randbytes(size)


@pytest.mark.parametrize("how", ["kill", "disk full"])
def test_a_kill_or_a_full_disk_while_the_pages_are_encrypted_leaves_one_of_the_two_keys(
    large: Config, tmp_path: Path, how: str
) -> None:
    size = store_file(large, "home").stat().st_size
    for number in range(6):
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        shutil.copytree(large.data, tmp_path / "copy")
        limit = size * 2 * number // 5 + 5_000 if number < 5 else size * 10
        command = [sys.executable, "-c", KILLED_BY_SIZE, str(tmp_path / "copy"), str(limit), how]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) == (number == 5), done.stderr
        with open_store(Config(tmp_path / "copy")) as again:
            assert len(_kept(again)) == 3
            assert list(problems(again)) == []
