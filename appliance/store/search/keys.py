"""A fact's key in the index: its time and its number in one integer, so that keys in order are facts in order of time.

    key = second since 1970 UTC (34 bits, signed) | whether only a date was said (1 bit) | version's number (29 bits)

What a full-text index is read in is the order of its keys. So the newest of a million hits are read first, with none of
the others; a span of days is a range of keys; and a key leads back to its fact without a look anywhere.
"""

from bisect import bisect_right
from datetime import UTC, datetime

NUMBER_BITS = 29
NUMBER = (1 << NUMBER_BITS) - 1
DATE_ONLY = 1 << NUMBER_BITS
SECOND_BITS = NUMBER_BITS + 1
_EARLIEST, _LATEST = -(1 << 33), (1 << 33) - 1  # 1697 to 2242; what lies beyond stands at the end
LOWEST, HIGHEST = -(1 << 63), (1 << 63) - 1
_MICROSECONDS = 1_000_000


def key(at_us: int, zone: str, number: int) -> int:
    """The key of a version, from its columns."""
    second = min(max(at_us // _MICROSECONDS, _EARLIEST), _LATEST)
    return second << SECOND_BITS | (DATE_ONLY if zone == "date" else 0) | number


def first_of(at_us: int) -> int:
    """The lowest key of this second or a later one."""
    return min(max(at_us // _MICROSECONDS, _EARLIEST), _LATEST) << SECOND_BITS


_YEARS = range(1, 2244)  # the last is the year after the latest, and none
_STARTS = [first_of(int(datetime(each, 1, 1, tzinfo=UTC).timestamp()) * _MICROSECONDS) for each in _YEARS]
_TIMELESS = range(DATE_ONLY)  # at second 0, and without a date


def year(key: int) -> int:
    """The year (UTC) of a key, 0 of a fact for which no time was said."""
    return 0 if key in _TIMELESS else bisect_right(_STARTS, key)


def span(year: int) -> tuple[int, int]:
    """The lowest key of a year (1 to 2242, or 0), and the lowest after it."""
    if not year:
        return _TIMELESS.start, _TIMELESS.stop
    place = min(max(year, 1), len(_YEARS) - 1)
    return max(_STARTS[place - 1], _TIMELESS.stop) if year == 1970 else _STARTS[place - 1], _STARTS[place]
