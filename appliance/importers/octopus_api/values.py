"""Times and numbers, as the service writes them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from appliance import gathering
from appliance.gathering import NoValueError, Number
from appliance.json_cursor import text

SUPPLIER = "Octopus Energy"
HOUR_S = 3600
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Stated(Protocol):
    """What a person, or who fetched it, stated about a page."""

    @property
    def supply(self) -> str: ...
    @property
    def direction(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def point(self) -> str: ...
    @property
    def tariff(self) -> str: ...
    @property
    def charge(self) -> str: ...


class UnstatedError(ValueError):
    """What has to be stated before anything can be read."""


def moment(said: object) -> datetime:
    """A time with its offset of UTC; ValueError, with the reason for a person, where it is none."""
    stated = text(said)
    if not stated:
        raise ValueError("it does not say when")
    try:
        at = datetime.fromisoformat(stated)
    except ValueError:
        raise ValueError(f"its time {stated[:40]!r} is not written as a time") from None
    if at.tzinfo is None:
        raise ValueError(f"its time {stated[:40]!r} has no offset of UTC")
    return at


def milliseconds(at: datetime) -> int:
    """Since 1970 UTC."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def seconds_between(begin: datetime, end: datetime) -> int:
    """How long an interval is; ValueError where it ends before it begins."""
    seconds = round((end - begin).total_seconds())
    if seconds <= 0:
        raise ValueError("it ends before it begins")
    return seconds


def until(said: object) -> str:
    """When it ends, in UTC; "" where that is open."""
    return utc(moment(said)) if text(said) else ""


def utc(at: datetime) -> str:
    try:
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        raise ValueError(f"its time {at} is not one of this calendar") from None


def number(said: Mapping[str, Any], name: str) -> Number:
    """The number of that name exactly; NoValueError where it states none."""
    found = gathering.number(text(said.get(name)))
    if found is None:
        raise NoValueError
    return found
