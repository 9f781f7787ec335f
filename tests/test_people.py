"""The household and its people: one claim, passwords and sessions that nobody reads, names in any script."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from appliance import people
from appliance.config import Config, load
from appliance.errors import UserError
from appliance.naming import slug
from appliance.people import Household
from appliance.store.database import Store, open_store
from appliance.store.keys import KeyRing
from appliance.store.models import Invitation, Person, Session, Setting

HOUSEHOLD = Household("The Lanternhouse", "Europe/Brussels", "EUR")
PASSWORD = "a hearth of words"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 as it is, with the least work that it allows."""
    from argon2 import PasswordHasher

    monkeypatch.setattr(people, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    people._nobodys_hash.cache_clear()


def _claim(config: Config, home: Store, name: str = "Ada") -> people.Person:
    return people.claim(config, home, HOUSEHOLD, name, PASSWORD)


def test_a_claim_names_the_household_and_makes_the_person_s_own_store(config: Config, store: Store) -> None:
    assert people.household(store) is None
    person = _claim(config, store, " Ada Lovelace ")
    assert (person.name, person.store) == ("Ada Lovelace", "ada-lovelace")
    assert people.household(store) == HOUSEHOLD
    assert people.people(store) == [person]
    assert KeyRing(config.data).store_names() == ["ada-lovelace", "home"]
    assert load(config.data).zone == "Europe/Brussels"
    open_store(config, "ada-lovelace").close()


def test_everything_that_is_wrong_with_a_claim_is_said_at_once(config: Config, store: Store) -> None:
    with pytest.raises(UserError) as raised:
        people.claim(config, store, Household(" ", "Mars/Olympus", "eur"), "x" * 81, "short")
    assert len(raised.value.problems) == 5
    assert people.household(store) is None
    assert KeyRing(config.data).store_names() == ["home"]


@pytest.mark.parametrize(
    "said", [{"zone": ""}, {"zone": "../etc"}, {"currency": "EURO"}, {"currency": ""}, {"name": ""}]
)
def test_each_wrong_word_of_a_claim_is_refused(config: Config, store: Store, said: dict[str, str]) -> None:
    with pytest.raises(UserError):
        people.claim(config, store, replace(HOUSEHOLD, **said), "Ada", PASSWORD)


def test_a_second_claim_is_refused_and_changes_nothing(config: Config, store: Store) -> None:
    first = _claim(config, store)
    with pytest.raises(UserError, match="claimed already"):
        people.claim(config, store, replace(HOUSEHOLD, name="Mine now"), "Eve", PASSWORD)
    assert people.household(store) == HOUSEHOLD
    assert people.people(store) == [first]
    assert KeyRing(config.data).store_names() == ["ada", "home"]


def test_a_box_to_which_a_command_added_somebody_can_still_be_claimed(config: Config, store: Store) -> None:
    kim = people.add(config, store, "Kim", "kim's own long words")
    assert people.household(store) is None
    with pytest.raises(UserError, match="there is a kim here already"):
        _claim(config, store, "kim")
    ada = _claim(config, store)
    assert people.household(store) == HOUSEHOLD
    assert people.people(store) == [ada, kim]
    assert KeyRing(config.data).store_names() == ["ada", "home", "kim"]
    for person, password in ((ada, PASSWORD), (kim, "kim's own long words")):
        token = people.sign_in(store, person.name, password)
        assert token
        assert people.signed_in(store, token) == person
    with pytest.raises(UserError, match="claimed already"):
        _claim(config, store, "Eve")


@pytest.mark.parametrize(
    ("name", "store_name"),
    [
        ("Ольга", "person"),
        ("李", "person"),
        ("Zoë", "zoe"),
        ("Home", "home-2"),
        ("x" * 80, "x" * 40),
        ("O'Neill", "o-neill"),
    ],
)
def test_a_name_of_any_script_signs_in_and_has_a_store(
    config: Config, store: Store, name: str, store_name: str
) -> None:
    assert _claim(config, store, name).store == store_name
    token = people.sign_in(store, name, PASSWORD)
    assert token
    found = people.signed_in(store, token)
    assert found
    assert found.name == name


def test_a_store_s_name_that_is_taken_is_numbered(store: Store) -> None:
    with store.write() as connection:
        stores = [
            people._add(connection, name, "").store for name in ("Zoe", "Zoë", "Ольга", "Иван", "x" * 50, "x" * 60)
        ]
    assert stores == ["zoe", "zoe-2", "person", "person-2", "x" * 40, f"{'x' * 36}-2"]


@pytest.mark.parametrize("name", ["a", "-", "Ünïcödé Ñame", "名", "a" * 100, "-".join("ab" * 40)])
def test_a_slug_is_a_slug_of_itself(name: str) -> None:
    assert slug(slug(name)) == slug(name)
    assert 0 < len(slug(name)) <= 40


# ---- sessions ----


@pytest.fixture
def ada(config: Config, store: Store) -> people.Person:
    return _claim(config, store)


def test_only_the_right_password_signs_in(store: Store, ada: people.Person) -> None:
    token = people.sign_in(store, " Ada ", PASSWORD)
    assert token
    assert people.signed_in(store, token) == ada
    for name, password in (("Ada", PASSWORD + " "), ("Ada", ""), ("Eve", PASSWORD), ("", "")):
        assert people.sign_in(store, name, password) is None


def test_a_token_that_nobody_was_given_is_nobody_s(store: Store, ada: people.Person) -> None:
    people.begin_session(store, ada.id)
    assert people.signed_in(store, "") is None
    assert people.signed_in(store, "x" * 43) is None


def test_signing_out_ends_that_browser_s_session_alone(store: Store, ada: people.Person) -> None:
    here, there = people.begin_session(store, ada.id), people.begin_session(store, ada.id)
    people.sign_out(store, here)
    assert people.signed_in(store, here) is None
    assert people.signed_in(store, there) == ada


def test_a_session_ends_by_itself_and_is_forgotten(
    store: Store, ada: people.Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, now_ns = people.begin_session(store, ada.id), time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns + (people.SESSION_SECONDS - 60) * 10**9)
    assert people.signed_in(store, token) == ada
    monkeypatch.setattr(time, "time_ns", lambda: now_ns + (people.SESSION_SECONDS + 60) * 10**9)
    assert people.signed_in(store, token) is None
    people.begin_session(store, ada.id)
    with store.read() as connection:
        assert len(connection.execute(select(Session)).all()) == 1


def test_neither_passwords_nor_tokens_are_kept(store: Store, ada: people.Person) -> None:
    token = people.begin_session(store, ada.id)
    with store.read() as connection:
        kept = [str(row) for table in (Person, Session) for row in connection.execute(select(table.__table__))]
    assert len(kept) == 2
    assert not any(token in row or PASSWORD in row for row in kept)


def test_the_hash_of_a_password_is_made_for_a_name_that_does_not_exist_too(
    store: Store, ada: people.Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fits(password_hash: str, password: str) -> bool:
        asked.append(password_hash)
        return False

    monkeypatch.setattr(people, "_fits", fits)
    for name in ("Ada", "Eve"):
        people.sign_in(store, name, PASSWORD)
    assert [each.startswith("$argon2id$") for each in asked] == [True, True]


def test_a_claim_that_cannot_be_kept_can_be_made_again(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(data: Path, *, zone: str) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(people, "write_household", full)
        with pytest.raises(OSError, match="No space"):
            _claim(config, store)
    assert people.household(store) is None
    assert _claim(config, store).store == "ada"


# ---- further people ----


def test_an_invited_person_chooses_their_own_name_and_password(
    config: Config, store: Store, ada: people.Person
) -> None:
    code = people.invite(store, " Ben ")
    assert [each.name for each in people.invited(store)] == ["Ben"]
    assert people.may_join(store, code.lower().replace("-", " "))
    ben = people.join(config, store, code, "Benedikt", "another hearth of words")
    assert (ben.name, ben.store) == ("Benedikt", "benedikt")
    assert people.invited(store) == []
    assert people.sign_in(store, "Benedikt", "another hearth of words")
    assert KeyRing(config.data).store_names() == ["ada", "benedikt", "home"]


def test_a_code_lets_one_person_in_for_a_day(
    config: Config, store: Store, ada: people.Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    used, late, withdrawn = (people.invite(store, name) for name in ("Ben", "Cleo", "Dora"))
    people.join(config, store, used, "Ben", PASSWORD)
    people.withdraw_invitation(store, people.invited(store)[0].id)
    now_ns = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now_ns + (people.INVITATION_SECONDS - 60) * 10**9)
    assert people.may_join(store, late)
    monkeypatch.setattr(time, "time_ns", lambda: now_ns + (people.INVITATION_SECONDS + 60) * 10**9)
    for code in (used, late, withdrawn, "", "AAAA-AAAA-AAAA"):
        assert not people.may_join(store, code)
        with pytest.raises(UserError, match="lets nobody in"):
            people.join(config, store, code, "Eve", PASSWORD)
    assert [each.name for each in people.people(store)] == ["Ada", "Ben"]


def test_what_is_wrong_with_a_name_or_password_does_not_use_up_the_code(
    config: Config, store: Store, ada: people.Person
) -> None:
    code = people.invite(store, "Ben")
    for name, password in (("", PASSWORD), ("Ben", "short"), ("ADA", PASSWORD)):
        with pytest.raises(UserError):
            people.join(config, store, code, name, password)
    people.join(config, store, code, "Ben", PASSWORD)


def test_a_code_is_kept_only_as_its_hash(store: Store) -> None:
    code = people.invite(store, "Ben")
    with store.read() as connection:
        kept = str(connection.execute(select(Invitation.__table__)).all())
    assert code not in kept
    assert people.bare_code(code) not in kept


def test_a_new_person_never_gets_a_store_that_is_there_already(config: Config, store: Store) -> None:
    with open_store(config, "ben", make=True) as left, left.write() as connection:
        connection.execute(insert(Setting).values(name="whose", value="somebody else's"))
    ben = people.add(config, store, "Ben", PASSWORD)
    assert ben.store == "ben-2"
