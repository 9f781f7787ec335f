"""The household and its people: claiming the box, signing in, sessions. Kept in the home store."""

import hashlib
import secrets
import time
from dataclasses import dataclass
from functools import cache

from sqlalchemy import Connection, delete, insert, select

from appliance.config import Config, is_zone, write_household
from appliance.errors import UserError
from appliance.naming import slug
from appliance.store.database import HOME, Store, open_store
from appliance.store.models import Person as PersonRow
from appliance.store.models import Session, Setting

SESSION_SECONDS = 30 * 86_400
PASSWORD_LETTERS = 10
LONGEST_PASSWORD = 1_000
NAME_LETTERS = 80


@dataclass(frozen=True, slots=True)
class Household:
    """What the household said of itself when it claimed the box; `zone` is an IANA time zone, `currency` ISO 4217."""

    name: str
    zone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who lives here; `store` names their own store."""

    id: int
    name: str
    store: str


def household(home: Store) -> Household | None:
    """The household, or None while nobody has claimed the box."""
    with home.read() as connection:
        said = dict(connection.execute(select(Setting.name, Setting.value)).all())
    if "household" not in said:
        return None
    return Household(said["household"], said["zone"], said["currency"])


def claim(config: Config, home: Store, said: Household, name: str, password: str) -> Person:
    """Names the household and makes its first person with their own store.

    UserError with every problem of what was said, or where the box is claimed already.
    """
    if problems := [*_household_problems(said), *_person_problems(name, password)]:
        raise UserError(problems)
    password_hash = _hasher().hash(password)
    with home.write() as connection:
        if connection.execute(select(Setting.name).where(Setting.name == "household")).first():
            raise UserError("this box is claimed already; sign in")
        settings = {"household": said.name.strip(), "zone": said.zone, "currency": said.currency}
        connection.execute(insert(Setting), [{"name": key, "value": value} for key, value in settings.items()])
        person = _add(connection, name.strip(), password_hash)
        open_store(config, person.store, make=True).close()
        write_household(config.data, zone=said.zone)
    return person


def _household_problems(said: Household) -> list[str]:
    problems = []
    if not 0 < len(said.name.strip()) <= NAME_LETTERS:
        problems.append(f"the household's name has between 1 and {NAME_LETTERS} letters")
    if not is_zone(said.zone):
        problems.append(f"{said.zone!r} is not a time zone; choose one such as Europe/London")
    if not (len(said.currency) == 3 and said.currency.isascii() and said.currency.isupper()):
        problems.append(f"{said.currency!r} is not a currency; choose one such as EUR")
    return problems


def _person_problems(name: str, password: str) -> list[str]:
    problems = []
    if not 0 < len(name.strip()) <= NAME_LETTERS:
        problems.append(f"your name has between 1 and {NAME_LETTERS} letters")
    if not PASSWORD_LETTERS <= len(password) <= LONGEST_PASSWORD:
        problems.append(f"a password has at least {PASSWORD_LETTERS} characters; a few words are easy to remember")
    return problems


def _add(connection: Connection, name: str, password_hash: str) -> Person:
    store = _free_store(connection, name)
    statement = insert(PersonRow).values(name=name, store=store, password_hash=password_hash).returning(PersonRow.id)
    return Person(connection.execute(statement).scalar_one(), name, store)


def _free_store(connection: Connection, name: str) -> str:
    taken = {HOME, *connection.execute(select(PersonRow.store)).scalars()}
    wanted = slug(name)
    numbered = (f"{wanted[:36]}-{number}" for number in range(2, len(taken) + 3))
    return next(each for each in (wanted, *numbered) if each not in taken)


def people(home: Store) -> list[Person]:
    """Everybody who signs in here, by name."""
    with home.read() as connection:
        rows = connection.execute(select(PersonRow.id, PersonRow.name, PersonRow.store).order_by(PersonRow.name))
        return [Person(*row) for row in rows]


def sign_in(home: Store, name: str, password: str) -> str | None:
    """A new session's token, to be kept by the browser alone; None where name and password do not fit.

    Takes as long for a name that does not exist as for one that does.
    """
    with home.read() as connection:
        rows = connection.execute(select(PersonRow.id, PersonRow.name, PersonRow.password_hash)).all()
    row = next((each for each in rows if each.name.casefold() == name.strip().casefold()), None)
    if not _fits(row.password_hash if row else _nobodys_hash(), password) or row is None:
        return None
    return begin_session(home, row.id)


def begin_session(home: Store, person_id: int) -> str:
    """A new session's token; the store keeps only its hash, and forgets the sessions that are over."""
    token = secrets.token_urlsafe(32)
    now_us = time.time_ns() // 1000
    with home.write() as connection:
        connection.execute(delete(Session).where(Session.expires_us < now_us))
        expires_us = now_us + SESSION_SECONDS * 1_000_000
        row = {"token_sha256": _hashed(token), "person_id": person_id, "expires_us": expires_us}
        connection.execute(insert(Session).values(**row))
    return token


def signed_in(home: Store, token: str) -> Person | None:
    """Whose session the token is, while it lasts."""
    found = (
        select(PersonRow.id, PersonRow.name, PersonRow.store)
        .join(Session, Session.person_id == PersonRow.id)
        .where(Session.token_sha256 == _hashed(token), Session.expires_us > time.time_ns() // 1000)
    )
    with home.read() as connection:
        row = connection.execute(found).one_or_none()
    return Person(*row) if row else None


def sign_out(home: Store, token: str) -> None:
    """Ends the session of the token."""
    with home.write() as connection:
        connection.execute(delete(Session).where(Session.token_sha256 == _hashed(token)))


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _hasher():  # type: ignore[no-untyped-def]  # the library is loaded by the dashboard alone, when it is needed
    from argon2 import PasswordHasher
    from argon2.profiles import RFC_9106_LOW_MEMORY

    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


@cache
def _nobodys_hash() -> str:
    return str(_hasher().hash(secrets.token_urlsafe()))


def _fits(password_hash: str, password: str) -> bool:
    from argon2.exceptions import VerifyMismatchError

    try:
        return bool(_hasher().verify(password_hash, password))
    except VerifyMismatchError:
        return False
