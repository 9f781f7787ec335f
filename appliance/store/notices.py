"""Notices as a store keeps them: what the box had to say by itself, once."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from appliance.errors import UserError
from appliance.store.models import NoticeRow


@dataclass(frozen=True, slots=True)
class Notice:
    """One of them; times in microseconds since 1970 UTC. See `NoticeRow`."""

    id: int
    kind: str
    about: str
    at_us: int
    title: str
    text: str
    details: dict[str, Any]
    ended_us: int | None
    mailed_us: int | None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be shown."""
        return self.ended_us is None


def add(
    connection: Connection, kind: str, about: str, at_us: int, title: str, text: str, details: dict[str, Any]
) -> int:
    """A new notice, which takes the place of those of its kind about the same; its number."""
    end_all(connection, kind, about, at_us)
    row = {"kind": kind, "about": about, "at_us": at_us, "title": title, "text": text, "details": details}
    return connection.execute(insert(NoticeRow).values(row).returning(NoticeRow.id)).scalar_one()


def every(connection: Connection, *, only_open: bool = True) -> list[Notice]:
    """Those that are to be shown, or all, the newest first."""
    found = select(NoticeRow.__table__).order_by(NoticeRow.at_us.desc(), NoticeRow.id.desc())
    if only_open:
        found = found.where(NoticeRow.ended_us.is_(None))
    return [Notice(**row._mapping) for row in connection.execute(found)]


def past(connection: Connection, count: int, before: int | None = None) -> list[Notice]:
    """The newest that are shown no more; of those with a number below `before` where one is given."""
    found = select(NoticeRow.__table__).where(NoticeRow.ended_us.is_not(None)).order_by(NoticeRow.id.desc())
    if before is not None:
        found = found.where(NoticeRow.id < before)
    return [Notice(**row._mapping) for row in connection.execute(found.limit(count))]


def last(connection: Connection, kind: str, about: str) -> Notice | None:
    """The newest of a kind about something, whether it is still shown or not."""
    every_ = every(connection, only_open=False)
    return next((each for each in every_ if (each.kind, each.about) == (kind, about)), None)


def said(connection: Connection, kind: str, about: str) -> bool:
    """Whether there ever was one of a kind about something."""
    which = (NoticeRow.kind == kind) & (NoticeRow.about == about)
    return connection.execute(select(NoticeRow.id).where(which).limit(1)).first() is not None


def dismiss(connection: Connection, notice: int, at_us: int) -> Notice:
    """Has one shown no more; UserError, with those that there are, where there is none of that number."""
    shown = {each.id: each for each in every(connection)}
    if notice not in shown:
        known = f"there are: {', '.join(map(str, shown))}" if shown else "there is none"
        raise UserError(f"no notice {notice} is shown; {known}")
    connection.execute(update(NoticeRow).where(NoticeRow.id == notice).values(ended_us=at_us))
    return shown[notice]


def end_all(connection: Connection, kind: str, about: str, at_us: int) -> None:
    """Has none of a kind about something shown any more."""
    which = (NoticeRow.kind == kind) & (NoticeRow.about == about) & NoticeRow.ended_us.is_(None)
    connection.execute(update(NoticeRow).where(which).values(ended_us=at_us))


def mailed(connection: Connection, notice: int, at_us: int) -> None:
    """Notes that one was sent."""
    connection.execute(update(NoticeRow).where(NoticeRow.id == notice).values(mailed_us=at_us))
