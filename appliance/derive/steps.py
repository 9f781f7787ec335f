"""Steps of a chart or a table: local hours, days and months, exact on the days on which clocks change."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from appliance.store.series import Array

SECONDS = {"quarter-hour": 900, "hour": 3_600, "day": 86_400, "month": 2_629_746}
NAMES = ("raw", *SECONDS)


def boundaries(from_s: int, to_s: int, step: str, zone: ZoneInfo) -> Array:
    """The starts of every step that [from_s, to_s) touches, seconds since 1970 UTC, and the end of the last one."""
    if step in ("quarter-hour", "hour"):
        return _even(from_s, to_s, SECONDS[step], zone)
    at = datetime.fromtimestamp(from_s, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if step == "month":
        at = at.replace(day=1)
    starts = [int(at.timestamp())]
    while starts[-1] < to_s:
        at = _next(at, step)
        starts.append(int(at.timestamp()))
    return np.array(starts, np.int64)


def _next(at: datetime, step: str) -> datetime:
    """The next local midnight, or first of a month: arithmetic on the wall clock, which zones then place in UTC."""
    if step == "day":
        return at + timedelta(days=1)
    return at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1)


def _even(from_s: int, to_s: int, seconds: int, zone: ZoneInfo) -> Array:
    """Steps within a day are even in UTC too; a zone half an hour off shifts its hours."""
    offset = datetime.fromtimestamp(from_s, zone).utcoffset() or timedelta(0)
    shift = int(offset.total_seconds()) % seconds
    first = (from_s + shift) // seconds * seconds - shift
    return np.arange(first, max(first + 1, to_s + seconds), seconds, dtype=np.int64)
