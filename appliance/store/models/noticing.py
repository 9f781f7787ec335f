"""Notices: what the box has to say by itself, and the mail server by which it may. In the home store."""

from typing import Any

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from appliance.store.models.base import Id, Table


class NoticeRow(Table):
    """One thing that was worth saying. `about` is what it is about, such as a supply, and `details` what it was found
    by. `ended_us` is when a person dismissed it, or it was no longer so; `mailed_us` when it was sent.
    """

    __tablename__ = "notices"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str]
    about: Mapped[str]
    at_us: Mapped[int]
    title: Mapped[str]
    text: Mapped[str]
    details: Mapped[dict[str, Any]]
    ended_us: Mapped[int | None]
    mailed_us: Mapped[int | None]


class MailerRow(Table):
    """The one mail server by which notices since `since_us` are sent; `sealed` holds its password.

    `stopped` says why nothing is sent until a person mends it, "" while it is; `problem` why it did not go the last
    `failures` times.
    """

    __tablename__ = "mailers"
    name: Mapped[str] = mapped_column(primary_key=True)
    options: Mapped[dict[str, Any]]
    sealed: Mapped[bytes | None]
    since_us: Mapped[int]
    stopped: Mapped[str]
    problem: Mapped[str]
    failures: Mapped[int] = mapped_column(Integer, default=0)
