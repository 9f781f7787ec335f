"""The mail server by which a store's notices are sent, as the store keeps it; there is none until a person says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, update

from appliance.store.models import MailerRow
from appliance.store.sealed import opened, resealed, seal
from appliance.store.store_key import StoreKey

PURPOSE, NAME = "mailers", "smtp"


@dataclass(frozen=True, slots=True)
class Mailer:
    """What was said of it but its secrets, which are asked for apart; see `MailerRow`."""

    options: dict[str, Any]
    is_sealed: bool
    since_us: int
    stopped: str
    problem: str
    failures: int


def state(
    connection: Connection, key: StoreKey, options: Mapping[str, Any], secret: Mapping[str, Any], since_us: int
) -> None:
    """Keeps a mail server from now on, in place of the one before."""
    forget(connection)
    sealed = seal(key, PURPOSE, NAME, secret) if secret else None
    row = {"name": NAME, "options": dict(options), "sealed": sealed, "since_us": since_us}
    connection.execute(insert(MailerRow).values(row | {"stopped": "", "problem": "", "failures": 0}))


def forget(connection: Connection) -> None:
    """Takes it away with its password."""
    connection.execute(delete(MailerRow))


def found(connection: Connection) -> Mailer | None:
    row = connection.execute(select(MailerRow.__table__)).one_or_none()
    if row is None:
        return None
    said = {name: value for name, value in row._mapping.items() if name not in ("name", "sealed")}
    return Mailer(**said, is_sealed=row.sealed is not None)


def secrets(connection: Connection, key: StoreKey) -> dict[str, Any]:
    """What is sealed of it; nothing where it came from an export, which holds no secrets."""
    blob = connection.execute(select(MailerRow.sealed)).scalar_one_or_none()
    return {} if blob is None else opened(key, PURPOSE, NAME, blob)


def went(connection: Connection) -> None:
    """Notes that it sends."""
    connection.execute(update(MailerRow).values(stopped="", problem="", failures=0))


def failed(connection: Connection, problem: str, *, permanent: bool) -> None:
    """Notes why it does not send; nothing is sent any more where trying again changes nothing."""
    connection.execute(
        update(MailerRow).values(problem=problem, failures=MailerRow.failures + 1, stopped=problem if permanent else "")
    )


def reseal(engine: Engine, before: StoreKey, after: StoreKey) -> None:
    """Seals its password with another key."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        blob = connection.execute(select(MailerRow.sealed)).scalar_one_or_none()
        if blob is not None:
            connection.execute(update(MailerRow).values(sealed=resealed(before, after, PURPOSE, NAME, blob)))
