"""Feeds: the services that data is fetched from, and each fetch."""

from typing import Any

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from appliance.store.models.base import Id, Table


class FeedRow(Table):
    """A connector that was set up for one account at a service.

    `sealed` holds its secrets and what it wants to know the next time. `next_us` is when it is due; `stopped` says why
    it is not fetched any more until a person mends it, "" while it is. `failures` are those since it last went well.
    """

    __tablename__ = "feeds"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    connector: Mapped[str]
    options: Mapped[dict[str, Any]]
    sealed: Mapped[bytes | None]
    rhythm_s: Mapped[int] = mapped_column(Integer)
    next_us: Mapped[int] = mapped_column(default=0)
    stopped: Mapped[str]
    failures: Mapped[int] = mapped_column(Integer, default=0)


class FetchRow(Table):
    """One fetch of a feed: `state` is running, done, waiting (failed, and tried again later), stopped or cancelled.

    `read`, `stored`, `duplicate` and `rejected` are the sums of its imports, of which `imports` holds the numbers.
    """

    __tablename__ = "fetches"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id", ondelete="CASCADE"), index=True)
    begun_us: Mapped[int]
    ended_us: Mapped[int | None]
    state: Mapped[str]
    message: Mapped[str]
    files: Mapped[int] = mapped_column(Integer)
    read: Mapped[int]
    stored: Mapped[int]
    duplicate: Mapped[int]
    rejected: Mapped[int]
    imports: Mapped[list[Any]]
