"""The household and its people: claiming the box, inviting others, signing in, sessions. Kept in the home store."""

import hashlib
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Connection, Select, delete, insert, select

from appliance.config import Config, is_zone, write_household
from appliance.errors import UserError
from appliance.naming import slug
from appliance.store import destroying
from appliance.store.database import HOME, Store, open_store
from appliance.store.models import Invitation, Session, Setting
from appliance.store.models import Person as PersonRow

SESSION_SECONDS = 30 * 86_400
INVITATION_SECONDS = 86_400
CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # no I, L, O, 0 or 1: they are read for one another
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
        return _household(connection)


def _household(connection: Connection) -> Household | None:
    said = dict(connection.execute(select(Setting.name, Setting.value)).all())
    somebody = connection.execute(select(PersonRow.id).limit(1)).first()
    if "household" not in said or somebody is None:  # an export that was returned here says who the household was
        return None
    return Household(said["household"], said["zone"], said["currency"])


def claim(config: Config, home: Store, said: Household, name: str, password: str) -> Person:
    """Names the household and makes a person with their own store: its first, or one more where a command made some.

    UserError with every problem of what was said, or where the box is claimed already.
    """
    if problems := [*_household_problems(said), *_person_problems(name, password)]:
        raise UserError(problems)
    password_hash = _hasher().hash(password)
    with home.write() as connection:
        if _household(connection) is not None:
            raise UserError("this box is claimed already; sign in")
        settings = {"household": said.name.strip(), "zone": said.zone, "currency": said.currency}
        connection.execute(delete(Setting).where(Setting.name.in_(settings)))
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


def add(config: Config, home: Store, name: str, password: str) -> Person:
    """A further person with their own store; UserError with every problem of what was said."""
    if problems := _person_problems(name, password):
        raise UserError(problems)
    password_hash = _hasher().hash(password)
    with home.write() as connection:
        return _add_with_store(config, connection, name.strip(), password_hash)


def _add_with_store(config: Config, connection: Connection, name: str, password_hash: str) -> Person:
    """A store that is there already is never a new person's, whosever it was."""
    person = _add(connection, name, password_hash, config.store_names())
    open_store(config, person.store, make=True).close()
    return person


def _add(connection: Connection, name: str, password_hash: str, stores: Iterable[str] = ()) -> Person:
    named = connection.execute(select(PersonRow.name)).scalars()
    if name.casefold() in {each.casefold() for each in named}:
        raise UserError(f"there is a {name} here already; choose a name that nobody here has")
    store = _free_store(connection, name, stores)
    statement = insert(PersonRow).values(name=name, store=store, password_hash=password_hash).returning(PersonRow.id)
    return Person(connection.execute(statement).scalar_one(), name, store)


def _free_store(connection: Connection, name: str, stores: Iterable[str]) -> str:
    taken = {HOME, *stores, *connection.execute(select(PersonRow.store)).scalars()}
    wanted = slug(name)
    numbered = (f"{wanted[:36]}-{number}" for number in range(2, len(taken) + 3))
    return next(each for each in (wanted, *numbered) if each not in taken)


# ---- inviting ----


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody who was invited and has not joined yet; `until` is ISO 8601 in UTC."""

    id: int
    name: str
    until: str


def invite(home: Store, name: str) -> str:
    """Invites somebody for a day; the one-time code with which they join, of which only a hash is kept."""
    if not 0 < len(name.strip()) <= NAME_LETTERS:
        raise UserError(f"say who is invited, in 1 to {NAME_LETTERS} letters")
    code, now_us = one_time_code(groups=3), time.time_ns() // 1000
    row = {"name": name.strip(), "code_sha256": _hashed(bare_code(code)), "made_us": now_us}
    with home.write() as connection:
        connection.execute(delete(Invitation).where(Invitation.expires_us < now_us))
        connection.execute(insert(Invitation).values(**row, expires_us=now_us + INVITATION_SECONDS * 1_000_000))
    return code


def invited(home: Store) -> list[Invited]:
    """Who may still join, the newest invitation first."""
    columns = Invitation.id, Invitation.name, Invitation.expires_us
    found = select(*columns).where(Invitation.expires_us > time.time_ns() // 1000).order_by(Invitation.id.desc())
    with home.read() as connection:
        rows = connection.execute(found)
        return [Invited(row.id, row.name, _instant(row.expires_us)) for row in rows]


def _instant(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).isoformat()


def withdraw_invitation(home: Store, invitation_id: int) -> None:
    """Its code lets nobody in any more."""
    with home.write() as connection:
        connection.execute(delete(Invitation).where(Invitation.id == invitation_id))


def may_join(home: Store, code: str) -> bool:
    """Whether somebody was invited with this code, and the invitation still stands."""
    with home.read() as connection:
        return connection.execute(_invitation(code)).first() is not None


def join(config: Config, home: Store, code: str, name: str, password: str) -> Person:
    """Makes the invited person, under the name and with the password that they chose; the code is used up.

    UserError with every problem of what was said, or where the code lets nobody in; then it is not used up.
    """
    if problems := _person_problems(name, password):
        raise UserError(problems)
    password_hash = _hasher().hash(password)
    with home.write() as connection:
        used = connection.execute(_invitation(code)).first()
        if used is None:
            raise UserError("this code lets nobody in; ask for a new one")
        connection.execute(delete(Invitation).where(Invitation.id == used.id))
        return _add_with_store(config, connection, name.strip(), password_hash)


def _invitation(code: str) -> Select[int]:
    hashed, now_us = _hashed(bare_code(code)), time.time_ns() // 1000
    return select(Invitation.id).where(Invitation.code_sha256 == hashed, Invitation.expires_us > now_us)


def one_time_code(groups: int) -> str:
    """A code to be read aloud and typed, as in ABCD-EFGH: 20 bits a group of four."""
    return "-".join("".join(secrets.choice(CODE_ALPHABET) for _ in range(4)) for _ in range(groups))


def bare_code(said: str) -> str:
    """A code without what people put between its letters."""
    return "".join(letter for letter in said.upper() if letter.isalnum())


def people(home: Store) -> list[Person]:
    """Everybody who signs in here, by name."""
    with home.read() as connection:
        rows = connection.execute(select(PersonRow.id, PersonRow.name, PersonRow.store).order_by(PersonRow.name))
        return [Person(*row) for row in rows]


def first(home: Store) -> Person:
    """Who claimed the box, or has been here longest of those who are left."""
    return min(people(home), key=lambda each: each.id)


def leaving(config: Config, home: Store) -> list[Person]:
    """Those whose deletion was begun and did not end: nothing opens their store any more."""
    return [each for each in people(home) if destroying.marker(config.data, f"store-{each.store}").exists()]


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


def is_password(home: Store, person: Person, password: str) -> bool:
    """Whether it is the password of somebody who is signed in: asked again before what cannot be taken back."""
    with home.read() as connection:
        kept = connection.execute(select(PersonRow.password_hash).where(PersonRow.id == person.id)).scalar_one()
    return len(password) <= LONGEST_PASSWORD and _fits(kept, password)


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


def let_nobody_in(home: Store) -> None:
    """Ends every session and every invitation, so that everybody signs in anew."""
    with home.write() as connection:
        connection.execute(delete(Session))
        connection.execute(delete(Invitation))


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
