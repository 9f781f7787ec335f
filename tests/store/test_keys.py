"""Keys: nothing opens a store but its own, none is ever made over another, and the kit is a way back."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.config import Config
from appliance.errors import UserError
from appliance.store.database import open_store, store_file
from appliance.store.keys import KeyRing, write_durably

MAKERS = 4
MAKE = "import sys; from pathlib import Path; from appliance.config import Config; \
from appliance.store.database import open_store; \
config = Config(Path(sys.argv[1]), database_url=sys.argv[2] or None); sys.stdin.read(1); \
store = open_store(config, make=True); print(store.key.derived('a test').hex())"


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    """The keys of a box with a home store."""
    ring = KeyRing(tmp_path)
    ring.make("home")
    return ring


def _problems(raised: pytest.ExceptionInfo[UserError]) -> str:
    return "\n".join(raised.value.problems)


def test_a_store_s_key_comes_back_as_it_was_made(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    made = ring.make("home")
    assert ring.open("home").secret == made.secret
    assert ring.public("home") == made.private.public_key().public_bytes_raw()


def test_a_key_is_never_written_in_clear(keys: KeyRing) -> None:
    secret = keys.open("home").secret
    written = b"".join(path.read_bytes() for path in keys.data.rglob("*") if path.is_file())
    assert secret not in written
    assert secret.hex().encode() not in written


def test_key_files_are_for_their_owner_alone(keys: KeyRing) -> None:
    for path in (keys.box_file, keys.store_file("home")):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_box_s_key_missing_beside_stores_is_said_and_never_made_anew(keys: KeyRing) -> None:
    keys.box_file.unlink()
    for ask in (keys.open, keys.make):
        with pytest.raises(UserError) as raised:
            ask("home")
        assert str(keys.box_file) in _problems(raised)
        assert "kit use" in _problems(raised)
    assert not keys.box_file.exists()


def test_another_box_s_key_opens_nothing_and_says_so(keys: KeyRing) -> None:
    keys.box_file.write_text("00" * 32)
    with pytest.raises(UserError, match="another box's key") as raised:
        keys.open("home")
    assert "kit use" in _problems(raised)


@pytest.mark.parametrize("content", ["", "00" * 31, "no key", "\xff"])
def test_a_damaged_box_s_key_is_said_and_left_alone(keys: KeyRing, content: str) -> None:
    keys.box_file.write_text(content)
    with pytest.raises(UserError, match="64 hexadecimal digits"):
        keys.open("home")
    assert keys.box_file.read_text() == content


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", '{"id": 1}'])
def test_a_damaged_file_of_keys_is_said(keys: KeyRing, content: str) -> None:
    keys.store_file("home").write_text(content)
    with pytest.raises(UserError, match="put it back from a backup"):
        keys.open("home")


def test_a_store_that_has_keys_gets_no_others(keys: KeyRing) -> None:
    before = keys.open("home").secret
    with pytest.raises(FileExistsError):
        keys.make("home")
    assert keys.open("home").secret == before


def test_a_wrap_is_bound_to_its_store(keys: KeyRing) -> None:
    keys.make("ada")
    home, ada = (json.loads(keys.store_file(name).read_bytes()) for name in ("home", "ada"))
    keys.store_file("ada").write_text(json.dumps(ada | {"wraps": home["wraps"]}))
    with pytest.raises(UserError, match="does not open"):
        keys.open("ada")


def test_the_keys_of_a_store_missing_beside_it_are_said_and_never_made_anew(config: Config) -> None:
    open_store(config, make=True).close()
    path = KeyRing(config.data).store_file("home")
    path.unlink()
    for make in (False, True):
        with pytest.raises(UserError) as raised:
            open_store(config, make=make)
        assert str(path) in _problems(raised) or (config.database_url and not make)
    assert not path.exists()


def test_a_new_box_whose_key_was_lost_with_its_stores_keys_makes_none(tmp_path: Path) -> None:
    config = Config(tmp_path)
    open_store(config, make=True).close()
    ring = KeyRing(tmp_path)
    ring.box_file.unlink()
    ring.store_file("home").unlink()
    with pytest.raises(UserError):
        open_store(config, "ada", make=True)
    assert not ring.box_file.exists()


def test_several_processes_may_make_the_same_store_at_once(config: Config) -> None:
    command = [sys.executable, "-c", MAKE, str(config.data), config.database_url or ""]
    makers = [subprocess.Popen(command, stdin=-1, stdout=-1, stderr=-1, text=True) for _ in range(MAKERS)]
    for maker in makers:
        assert maker.stdin
        maker.stdin.write("\n")
        maker.stdin.flush()
    ends = [maker.communicate() for maker in makers]
    assert [end[1] for end in ends] == [""] * MAKERS
    assert len({end[0] for end in ends}) == 1


# ---- the recovery kit ----


def test_a_kit_opens_its_store_on_a_box_that_lost_its_key(keys: KeyRing) -> None:
    secret, words = keys.open("home").secret, keys.make_kit("home")
    keys.box_file.unlink()
    keys.use_kit("home", words)
    assert keys.open("home").secret == secret
    assert keys.prove_kit("home", words).secret == secret  # and goes on being the kit


def test_a_kit_gives_a_store_to_the_box_that_it_was_carried_to(keys: KeyRing, tmp_path: Path) -> None:
    secret, words = keys.open("home").secret, keys.make_kit("home")
    other = KeyRing(tmp_path / "other")
    other.make("ada")
    write_durably(other.store_file("home"), keys.store_file("home").read_bytes())
    other.use_kit("home", words)
    assert other.open("home").secret == secret
    other.open("ada")


def test_using_a_kit_lets_no_second_box_key_take_the_place_of_the_first(keys: KeyRing) -> None:
    words, before = keys.make_kit("home"), keys.box_file.read_bytes()
    keys.use_kit("home", words)
    assert keys.box_file.read_bytes() == before


def test_words_are_taken_in_capitals_and_with_blanks(keys: KeyRing) -> None:
    words = keys.make_kit("home")
    keys.prove_kit("home", [f" {word.upper()}" for word in words])


def test_a_word_of_no_kit_is_named_with_its_place(keys: KeyRing) -> None:
    words = keys.make_kit("home")
    with pytest.raises(UserError, match="word 3, 'hearthh'"):
        keys.prove_kit("home", [*words[:2], "hearthh", *words[3:]])


def test_too_few_words_are_counted(keys: KeyRing) -> None:
    words = keys.make_kit("home")
    with pytest.raises(UserError, match="24 words, and these are 23"):
        keys.prove_kit("home", words[:-1])


def test_swapped_words_open_nothing(keys: KeyRing) -> None:
    words = keys.make_kit("home")
    other = next(number for number, word in enumerate(words) if word != words[0])
    words[0], words[other] = words[other], words[0]
    with pytest.raises(UserError, match=r"swapped|not the newest"):  # one swap in 256 passes the checksum
        keys.prove_kit("home", words)


def test_only_the_newest_kit_opens(keys: KeyRing) -> None:
    before, after = keys.make_kit("home"), keys.make_kit("home")
    keys.prove_kit("home", after)
    with pytest.raises(UserError, match="not the newest"):
        keys.use_kit("home", before)


def test_a_store_without_a_kit_says_how_to_make_one(keys: KeyRing) -> None:
    assert not keys.facts("home").has_kit
    with pytest.raises(UserError, match="kit make"):
        keys.prove_kit("home", ["abandon"] * 24)


def test_a_full_disk_leaves_no_half_written_key(keys: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, content: memoryview) -> int:
        raise OSError(28, "No space left on device")

    before = sorted(keys.data.rglob("*"))
    monkeypatch.setattr("os.write", full)
    with pytest.raises(OSError, match="No space"):
        keys.make_kit("home")
    assert sorted(keys.data.rglob("*")) == before
    assert not keys.facts("home").has_kit


def test_a_store_s_file_of_another_store_is_told_from_damage(tmp_path: Path) -> None:
    config = Config(tmp_path)
    for name in ("home", "ada"):
        open_store(config, name, make=True).close()
    store_file(config, "home").write_bytes(store_file(config, "ada").read_bytes())
    with pytest.raises(UserError, match="from one backup"):
        open_store(config)
