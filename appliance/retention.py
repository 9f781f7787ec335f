"""How long facts are kept: a policy a kind, done every night. What has none is kept.

`summarise` archives what is older than so many whole months, `delete` deletes it for good, archived facts too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from appliance import archiving, deleting
from appliance.errors import UserError
from appliance.store import declared
from appliance.store.database import Store
from appliance.store.models import Archive, Policy, RecordRow
from appliance.store.records import first_day_kept

MOST_MONTHS = 1200


class Action(StrEnum):
    """What becomes of facts when they are old."""

    KEEP = "keep"
    SUMMARISE = "summarise"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Kept:
    """The policy of a kind; `months` is 0 where its facts are kept."""

    kind: str
    action: str
    months: int


def every(connection: Connection) -> list[Kept]:
    """The policy of each kind of which the store has facts, in archives too, or a policy."""
    said = {row.kind: Kept(row.kind, row.action, row.months) for row in connection.execute(select(Policy.__table__))}
    archived = select(Archive.kind).where(Archive.attached_us.is_(None))
    kinds = connection.execute(select(RecordRow.kind).distinct().union(archived)).scalars()
    return [said.get(kind, Kept(kind, Action.KEEP, 0)) for kind in sorted({*said, *kinds})]


def state(store: Store, kind: str, action: Action, months: int = 0) -> Kept:
    """Keeps a policy from now on. UserError with all that is wrong with it."""
    with store.write() as connection:
        if problems := list(_problems(connection, kind, action, months)):
            raise UserError(problems)
        connection.execute(delete(Policy).where(Policy.kind == kind))
        if action is Action.KEEP:
            return Kept(kind, action, 0)
        connection.execute(insert(Policy).values(kind=kind, action=action.value, months=months))
        return Kept(kind, action, months)


def _problems(connection: Connection, kind: str, action: Action, months: int) -> Iterator[str]:
    known = {*declared.every(connection), *(each.kind for each in every(connection))}
    if kind not in known:
        yield f"{kind!r} is no kind of fact that this store knows; there are: {', '.join(sorted(known))}"
    if action is not Action.KEEP and not 1 <= months <= MOST_MONTHS:
        yield f"say after how many months, 1 to {MOST_MONTHS}, such as: inglenook retention {kind} {action} --after 24"


def run(store: Store, folder: Path, zone: tzinfo = UTC, now: datetime | None = None) -> list[dict[str, Any]]:
    """Does what the policies say; what was done for each kind. UserError, at the end, with what could not be done."""
    today = (now or datetime.now(UTC)).astimezone(zone).date()
    archiving.tidy(store, folder)
    with store.read() as connection:
        policies = [each for each in every(connection) if each.months]
    done, problems = [], list[str]()
    for policy in policies:
        try:
            done += _applied(store, folder, policy, first_day_kept(today, policy.months), zone)
        except UserError as error:
            problems += [f"{policy.kind}: {problem}" for problem in error.problems]
    try:
        deleting.clear_again(store)
    except UserError as error:
        problems += error.problems
    if problems:
        raise UserError(problems)
    return done


def run_unlocked(store: Store, folder: Path, zone: tzinfo = UTC) -> list[str]:
    """The same for a store that is locked every night, when it is opened; what was done, or could not be, in words."""
    with store.read() as connection:
        if not any(each.months for each in every(connection)):
            return []
    try:
        done = run(store, folder, zone)
    except UserError as error:
        return list(error.problems)
    words = {Action.SUMMARISE: "archived", Action.DELETE: "deleted for good"}
    said = ((each, f"{each['facts']:,} of {each['kind']} from before {each['before']}") for each in done)
    return [f"{what}: {words[each['action']]}, by the policy of their kind" for each, what in said]


def _applied(store: Store, folder: Path, policy: Kept, end: date, zone: tzinfo) -> list[dict[str, Any]]:
    said = {"kind": policy.kind, "action": policy.action, "before": end.isoformat()}
    if policy.action == Action.SUMMARISE:
        made = archiving.make(store, folder, policy.kind, end, zone)
        return [{**said, "facts": made.facts, "archive": made.archive}] if made else []
    report = deleting.older(store, folder, policy.kind, end, zone)
    return [{**said, "facts": report.facts, "archive": None}] if report else []
