"""`inglenook key`, `kit` and `people`, and a locked store under every command."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from appliance import people
from appliance.config import load
from appliance.deleting import whole
from appliance.ingest import taking
from appliance.store import passphrases, waiting
from appliance.store.keys import KeyRing
from tests.cli.conftest import Box
from tests.statements import Row, ofx

Written = Callable[[str, bytes], Path]
PASSPHRASE, ANOTHER, WRONG = b"five words that fit badly\n", b"another five words here", b"nothing of that kind"
GOOD = ofx([Row(date(2026, 3, 1))])


@pytest.fixture(autouse=True)
def quick_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    from argon2 import PasswordHasher

    monkeypatch.setattr(passphrases, "COST", {"passes": 1, "memory_kib": 8, "lanes": 1})
    monkeypatch.setattr(people, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def ada(box: Box, written: Written) -> Box:
    """A box on which Ada lives."""
    password = written("password", b"a hearth of words")
    assert box.json("people", "add", "Ada", "--password-file", password) == [{"name": "Ada", "store": "ada"}]
    return box


@pytest.fixture
def locked(ada: Box, written: Written) -> Box:
    """The same, with her store locked."""
    _prove(ada)
    said = ada.run("--store", "ada", "key", "mode", "locked", "--new-passphrase-file", written("one", PASSPHRASE))
    assert said.code == 0, said.err
    return ada


def _prove(box: Box) -> str:
    words = " ".join(box.json("--store", "ada", "kit", "make")[0]["words"])
    assert box.run("--store", "ada", "kit", "prove", stdin=words).code == 0
    return words


def test_a_person_is_added_once_with_a_store_of_their_own(ada: Box, written: Written) -> None:
    assert ada.json("people") == [{"name": "Ada", "store": "ada"}]
    assert ada.json("--store", "Ada", "records") == []
    again = ada.run("people", "add", "ADA", "--password-file", written("password", b"a hearth of words"))
    assert (again.code, "already" in again.err) == (2, True)
    short = ada.run("people", "add", "Ben", "--password-file", written("password", b"short"))
    assert (short.code, "at least 10" in short.err) == (2, True)
    assert "Traceback" not in ada.run("people", "add", "Ben").err
    assert ada.json("people") == [{"name": "Ada", "store": "ada"}]


def test_a_person_whose_deletion_was_stopped_is_listed_no_more_and_the_way_to_its_end_is_said(
    ada: Box, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada.run("people", "add", "Old Bob", "--password-file", written("password", b"another hearth of words"))
    with monkeypatch.context() as patched:
        patched.setattr(whole, "remove", _stopped)
        with pytest.raises(InterruptedError):
            ada.run("delete", "person", "Old Bob", "--yes")
    listed = ada.run("--json", "people")
    assert [row["name"] for row in listed.rows] == ["Ada"]
    assert "the deletion of Old Bob was begun and is not finished" in listed.err
    assert "inglenook delete person 'Old Bob'" in listed.err
    assert ada.run("delete", "person", "Old Bob", "--yes").code == 0
    assert ada.run("people").err == ""


def _stopped(*_: object) -> None:
    raise InterruptedError


def test_a_store_is_locked_only_with_a_proved_kit_and_home_never(ada: Box, written: Written) -> None:
    lock = ("key", "mode", "locked", "--new-passphrase-file", written("one", PASSPHRASE))
    said = ada.run("--store", "ada", *lock)
    assert (said.code, "kit make" in said.err) == (2, True)
    home = ada.run(*lock)
    assert (home.code, "everybody signs in there" in home.err) == (2, True)
    _prove(ada)
    assert ada.run("--store", "ada", *lock).code == 0
    facts = ada.json("--store", "ada", "key")[0]
    assert (facts["mode"], facts["kit"]) == ("locked", True)
    assert facts["kit_proved"] >= facts["kit_made"]


def test_every_command_opens_a_locked_store_with_its_passphrase_alone(locked: Box, written: Written) -> None:
    one = written("one", PASSPHRASE)
    file = written("a.ofx", GOOD)
    refused = locked.run("--store", "ada", "--json", "import", file)
    assert (refused.code, refused.out) == (2, "")
    assert "--passphrase-file" in refused.err
    assert locked.json("--store", "ada", "--passphrase-file", one, "import", file)[0]["stored"] == 1
    assert len(locked.json("records", "--store", "ada", "--passphrase-file", one)) == 1
    assert locked.json("--store", "ada", "--passphrase-file", one, "check")[0]["problems"] == []
    assert locked.json("records") == [], "home needs none"


def test_a_wrong_passphrase_says_so_and_the_next_try_has_to_wait(locked: Box, written: Written) -> None:
    wrong = locked.run("--store", "ada", "--passphrase-file", written("wrong", WRONG), "records")
    assert (wrong.code, wrong.out) == (2, "")
    assert "not the passphrase" in wrong.err
    assert "kit use" in wrong.err
    soon = locked.run("--store", "ada", "--passphrase-file", written("one", PASSPHRASE), "records")
    assert (soon.code, "wait 1 second" in soon.err) == (2, True)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_passphrase_s_file_that_cannot_be_read_is_named(
    locked: Box, written: Written, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "none" if content is None else written("none", content)
    said = locked.run("--store", "ada", "--passphrase-file", path, "records")
    assert (said.code, str(path) in said.err) == (2, True)


def test_a_passphrase_is_changed_and_taken_away(locked: Box, written: Written) -> None:
    one, two = written("one", PASSPHRASE), written("two", ANOTHER)
    opened = ("--store", "ada", "--passphrase-file")
    assert locked.run(*opened, one, "key", "passphrase", "--new-passphrase-file", two).code == 0
    assert locked.json(*opened, two, "records") == []
    assert locked.run(*opened, two, "key", "mode", "unattended").code == 0
    assert locked.json("--store", "ada", "records") == []
    none = locked.run("--store", "ada", "key", "passphrase", "--new-passphrase-file", two)
    assert (none.code, "no passphrase" in none.err) == (2, True)


def test_what_came_while_it_was_locked_is_there_when_it_opens(locked: Box, written: Written) -> None:
    config = load(locked.data)
    path = config.inbox / "ada" / "a.ofx"
    path.parent.mkdir(parents=True)
    path.write_bytes(GOOD)
    taking.take(config, "ada", [path])
    assert not path.exists()
    said = locked.run("--json", "--store", "ada", "--passphrase-file", written("one", PASSPHRASE), "records")
    assert (len(said.rows), "1 file that came while the store was locked" in said.err) == (1, True)


def test_what_a_policy_says_of_a_locked_store_is_done_when_it_is_opened(locked: Box, written: Written) -> None:
    opened = ("--store", "ada", "--passphrase-file", written("one", PASSPHRASE))
    for day in ("2019-03-01", "2199-03-01"):
        locked.json(*opened, "add", "note", f"at={day}", "memo=remember")
    locked.json(*opened, "retention", "note", "delete", "--after", "12")
    assert locked.json(*opened, "retention", "note", "keep"), (
        "who states another policy is not seen to by the one before"
    )
    locked.json(*opened, "retention", "note", "delete", "--after", "12")
    said = locked.run("--json", *opened, "records")
    assert (len(said.rows), "deleted for good, by the policy" in said.err) == (1, True)
    assert locked.run("--json", *opened, "records").err == ""


def test_a_lost_passphrase_is_mended_with_the_kit(ada: Box, written: Written) -> None:
    words = _prove(ada)
    ada.run("--store", "ada", "key", "mode", "locked", "--new-passphrase-file", written("one", PASSPHRASE))
    said = ada.run("--store", "ada", "kit", "use", stdin=words)
    assert (said.code, "key mode locked" in said.err) == (0, True)
    assert ada.json("--store", "ada", "records") == []


def test_what_came_while_it_was_locked_is_there_once_the_kit_opened_it(locked: Box, written: Written) -> None:
    config, ring = load(locked.data), KeyRing(locked.data)
    words = ring.make_kit("ada", ring.open("ada", PASSPHRASE.decode().strip()))
    path = config.inbox / "ada" / "a.ofx"
    path.parent.mkdir(parents=True)
    path.write_bytes(GOOD)
    taking.take(config, "ada", [path])
    assert locked.run("--store", "ada", "kit", "use", stdin=" ".join(words)).code == 0
    assert not waiting.files(ring.folder("ada"))
    assert len(locked.json("--store", "ada", "records")) == 1


@pytest.mark.parametrize("deed", ["prove", "use"])
def test_a_kit_of_a_store_that_there_is_not_is_said(ada: Box, deed: str) -> None:
    said = ada.run("--store", "nobody", "kit", deed, stdin="abandon " * 24)
    assert (said.code, "there is no store 'nobody'" in said.err) == (2, True)


def test_a_rotation_keeps_everything_and_shows_a_new_kit(locked: Box, written: Written) -> None:
    opened = ("--store", "ada", "--passphrase-file", written("one", PASSPHRASE))
    locked.json(*opened, "import", written("a.ofx", GOOD))
    before = KeyRing(locked.data).public("ada")
    words = " ".join(locked.json(*opened, "key", "rotate")[0]["words"])
    assert KeyRing(locked.data).public("ada") != before
    assert len(locked.json(*opened, "records")) == 1
    assert locked.run("--store", "ada", "kit", "prove", stdin=words).code == 0
    assert "Write it down" in locked.run("key", "rotate").out
    assert "never tried" in locked.run("key").out


def test_a_mode_that_there_is_not_is_refused(ada: Box) -> None:
    assert ada.run("--store", "ada", "key", "mode", "ajar").code == 2


def test_every_hint_names_the_store_that_it_is_about(box: Box, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("kim's own long words")
    box.run("people", "add", "Kim", "--password-file", password)
    for store, at in (("home", "inglenook kit"), ("kim", "inglenook --store kim kit")):
        assert f"{at} make" in box.run("--store", store, "key").out
        assert f"{at} make" in box.run("--store", store, "kit").out
        assert f"{at} prove" in box.run("--store", store, "kit", "make").out
        assert f"{at} prove" in box.run("--store", store, "key").out


def test_a_new_store_says_once_that_it_has_no_kit_and_a_check_says_it_again(box: Box) -> None:
    said = box.run("--json", "add", "note", "memo=a")
    assert said.err.splitlines() == [
        "inglenook: a new store, 'home': it has no recovery kit yet; make it with: inglenook kit make"
    ]
    assert box.run("--json", "add", "note", "memo=b").err == ""
    assert "it has no recovery kit yet; make it with: inglenook kit make" in box.run("check").err
    box.json("kit", "make")
    assert box.run("check").err == ""


def test_a_kit_that_is_made_first_needs_no_hint(box: Box) -> None:
    assert box.run("kit", "make").err == ""
