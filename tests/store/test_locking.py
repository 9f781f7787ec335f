"""A store's two modes: locked by a passphrase, unattended by the box's key; and wrong passphrases, slowed down."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import UserError
from appliance.store import passphrases, tries
from appliance.store.keys import KeyRing, LockedError, StoreKey, write_durably

PASSPHRASE, ANOTHER = "five words that fit badly", "another five words here"


@pytest.fixture(autouse=True)
def quick_argon2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id as it is, with the least work that it allows."""
    monkeypatch.setattr(passphrases, "COST", {"passes": 1, "memory_kib": 8, "lanes": 1})


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    """The keys of a box with a home store and Ada's, whose kit she proved."""
    ring = KeyRing(tmp_path)
    ring.make("home")
    ring.make("ada")
    ring.prove_kit("ada", ring.make_kit("ada"))
    return ring


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the clock that waiting is measured by, in seconds from its beginning."""
    moment = [0.0]
    monkeypatch.setattr(tries, "_now", lambda: 1_000_000.0 + moment[0])

    def put(seconds: float) -> None:
        moment[0] = seconds

    return put


@pytest.fixture
def locked(keys: KeyRing, clock: Callable[[float], None]) -> StoreKey:
    """Ada's key, which her passphrase alone opens now."""
    key = keys.open("ada")
    keys.lock("ada", key, PASSPHRASE)
    return key


def test_a_locked_store_opens_by_its_passphrase_alone(keys: KeyRing, locked: StoreKey) -> None:
    with pytest.raises(LockedError, match="--passphrase-file"):
        keys.open("ada")
    assert keys.open("ada", PASSPHRASE).secret == locked.secret
    assert keys.public("ada").hex() == locked.public
    assert keys.facts("ada").is_locked
    assert "box" not in json.loads(keys.store_file("ada").read_bytes())["wraps"]


def test_a_passphrase_is_stretched_with_argon2id_at_the_cost_that_rfc_9106_advises(
    keys: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    keys.lock("ada", keys.open("ada"), PASSPHRASE)
    kept = json.loads(keys.store_file("ada").read_bytes())["passphrase"]
    assert (kept["passes"], kept["memory_kib"], kept["lanes"], len(bytes.fromhex(kept["salt"]))) == (3, 65_536, 4, 16)
    keys.open("ada", PASSPHRASE)


def test_a_store_that_was_locked_with_another_cost_still_opens(
    keys: KeyRing, locked: StoreKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passphrases, "COST", {"passes": 2, "memory_kib": 16, "lanes": 1})
    assert keys.open("ada", PASSPHRASE).secret == locked.secret


def test_letters_count_however_a_keyboard_composes_them(keys: KeyRing) -> None:
    keys.lock("ada", keys.open("ada"), "caf\u00e9 \u00fcber alles da")
    keys.open("ada", "cafe\u0301 u\u0308ber alles da")


def test_nothing_of_a_passphrase_is_written(keys: KeyRing, locked: StoreKey) -> None:
    written = b"".join(path.read_bytes() for path in keys.data.rglob("*") if path.is_file())
    assert PASSPHRASE.encode() not in written
    assert locked.secret.hex().encode() not in written


def test_a_store_is_locked_only_once_its_kit_is_proved(keys: KeyRing) -> None:
    keys.make("ben")
    for prepare in (lambda: None, lambda: keys.make_kit("ben")):
        prepare()
        with pytest.raises(UserError, match="prove a recovery kit"):
            keys.lock("ben", keys.open("ben"), PASSPHRASE)
    assert not keys.facts("ben").is_locked


def test_the_household_s_store_is_never_locked(keys: KeyRing) -> None:
    keys.prove_kit("home", keys.make_kit("home"))
    with pytest.raises(UserError, match="everybody signs in there"):
        keys.lock("home", keys.open("home"), PASSPHRASE)
    keys.open("home")


@pytest.mark.parametrize("passphrase", ["", "eleven char", "x" * 1001])
def test_a_passphrase_that_protects_nothing_is_refused(keys: KeyRing, passphrase: str) -> None:
    with pytest.raises(UserError, match="at least 12"):
        keys.lock("ada", keys.open("ada"), passphrase)


def test_another_passphrase_takes_the_place_of_the_first_and_the_key_stays(keys: KeyRing, locked: StoreKey) -> None:
    keys.lock("ada", locked, ANOTHER)
    assert keys.open("ada", ANOTHER).secret == locked.secret
    with pytest.raises(UserError, match="not the passphrase"):
        keys.open("ada", PASSPHRASE)


def test_unlocked_for_good_it_opens_with_the_box_s_key_again(keys: KeyRing, locked: StoreKey) -> None:
    keys.unlock("ada", locked)
    assert keys.open("ada").secret == locked.secret
    kept = json.loads(keys.store_file("ada").read_bytes())
    assert set(kept["wraps"]) == {"box", "kit"}
    assert "passphrase" not in kept


def test_the_kit_opens_a_store_whose_passphrase_is_lost(keys: KeyRing, locked: StoreKey) -> None:
    words = keys.make_kit("ada", locked)
    keys.use_kit("ada", words)
    assert keys.open("ada").secret == locked.secret
    assert not keys.facts("ada").is_locked


def test_a_kit_of_a_locked_store_needs_its_key(keys: KeyRing, locked: StoreKey) -> None:
    with pytest.raises(LockedError):
        keys.make_kit("ada")


def test_when_a_kit_was_made_and_proved_is_kept_and_a_new_one_is_unproved(keys: KeyRing) -> None:
    before = keys.facts("ada")
    assert before.kit_made
    assert before.kit_proved >= before.kit_made
    keys.make_kit("ada")
    after = keys.facts("ada")
    assert (after.has_kit, after.kit_proved) == (True, "")


def test_a_file_of_keys_of_the_first_version_opens_with_its_kit(keys: KeyRing) -> None:
    words, path = keys.make_kit("ada"), keys.store_file("ada")
    kept = json.loads(path.read_bytes())
    old = {"version": 1, **{name: kept[name] for name in ("id", "public", "wraps")}}
    write_durably(path, json.dumps(old).encode())
    secret = keys.open("ada").secret
    facts = keys.facts("ada")
    assert (facts.has_kit, facts.kit_made, facts.kit_proved, facts.is_locked) == (True, "", "", False)
    assert keys.prove_kit("ada", words).secret == secret
    assert keys.facts("ada").kit_proved


def test_a_file_of_keys_of_a_newer_version_is_refused(keys: KeyRing) -> None:
    path = keys.store_file("ada")
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"version": 3}))
    with pytest.raises(UserError, match="newer Inglenook"):
        keys.open("ada")


def test_a_wrong_word_of_a_kit_is_named_with_what_it_might_have_been(keys: KeyRing) -> None:
    words = ["abandon"] * 23 + ["art"]
    with pytest.raises(UserError, match=r"word 5, 'abandn' \(is it 'abandon'\?\)"):
        keys.prove_kit("ada", [*words[:4], "abandn", *words[5:]])


# ---- wrong passphrases ----


def _try(keys: KeyRing, passphrase: str) -> str:
    """What a try comes to: "opened", "wrong", or the seconds to wait."""
    try:
        keys.open("ada", passphrase)
    except tries.TooSoonError as error:
        return str(error).partition("wait ")[2].split()[0]
    except UserError:
        return "wrong"
    return "opened"


def test_each_wrong_passphrase_doubles_the_wait_to_a_minute(
    keys: KeyRing, locked: StoreKey, clock: Callable[[float], None]
) -> None:
    now, waits = 0.0, list[str]()
    for _ in range(9):
        assert _try(keys, "a wrong passphrase") == "wrong"
        now += 0.25
        clock(now)
        waits.append(_try(keys, PASSPHRASE))
        now += int(waits[-1])
        clock(now)
    assert waits == ["1", "2", "4", "8", "16", "32", "60", "60", "60"]
    assert _try(keys, PASSPHRASE) == "opened"
    assert _try(keys, "a wrong passphrase") == "wrong"
    clock(now + 1)
    assert _try(keys, PASSPHRASE) == "opened", "a right one forgave those before"


def test_a_right_passphrase_is_refused_too_while_the_wait_lasts_even_by_another_process(
    keys: KeyRing, locked: StoreKey
) -> None:
    assert _try(keys, "a wrong passphrase") == "wrong"
    assert _try(KeyRing(keys.data), PASSPHRASE) == "1"


def test_a_clock_that_was_set_back_locks_nobody_out(
    keys: KeyRing, locked: StoreKey, clock: Callable[[float], None]
) -> None:
    clock(900_000)
    assert _try(keys, "a wrong passphrase") == "wrong"
    clock(0)
    assert _try(keys, PASSPHRASE) == "1"
    clock(1)
    assert _try(keys, PASSPHRASE) == "opened"


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"wrong": "x"}', b"\xff\xfe"])
def test_a_damaged_count_of_tries_locks_nobody_out(keys: KeyRing, locked: StoreKey, content: bytes) -> None:
    (keys.folder("ada") / "tries.json").write_bytes(content)
    assert _try(keys, PASSPHRASE) == "opened"


def test_a_try_counts_before_it_is_made_so_that_killing_it_gains_nothing(
    keys: KeyRing, locked: StoreKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(passphrase: str, parameters: object) -> bytes:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(passphrases, "stretched", killed)
        with pytest.raises(KeyboardInterrupt):
            keys.open("ada", "a wrong passphrase")
    assert _try(keys, PASSPHRASE) == "1"


def test_a_write_that_was_killed_leaves_nothing_that_the_box_s_key_opens(keys: KeyRing) -> None:
    left = keys.store_file("ada").with_name("keys.json.00c0ffee.new")
    left.write_bytes(keys.store_file("ada").read_bytes())
    keys.lock("ada", keys.open("ada"), PASSPHRASE)
    assert not left.exists()
