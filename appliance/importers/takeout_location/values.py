"""Positions and times as Google has written them over the years."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from appliance import parsing

_PAIR = re.compile(
    r"(?:geo:)?\s*([+-]?[0-9]{1,3}(?:\.[0-9]{1,20})?)\s*°?\s*,\s*([+-]?[0-9]{1,3}(?:\.[0-9]{1,20})?)\s*°?.*"
)
_DIGITS = re.compile(r"-?[0-9]{1,15}")
_WRAPPED = 1 << 32  # some of Takeout's numbers have overflowed 32 bits
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


@dataclass(frozen=True, slots=True)
class Point:
    """Where, in degrees north and east as text, and when."""

    position: str
    at: datetime


def position(value: Any) -> str:
    """`{"latitudeE7": ...}`, `{"latLng": "51.5°, -0.1°"}`, or such a text -> "51.5,-0.1"; "" where nothing is said.

    ValueError, with the reason, where it is no place on the earth.
    """
    if isinstance(value, dict):
        if "latitudeE7" in value or "latE7" in value:
            return _of_e7(value.get("latitudeE7", value.get("latE7")), value.get("longitudeE7", value.get("lngE7")))
        return position(value.get("latLng") or value.get("LatLng") or value.get("point"))
    if value in (None, ""):
        return ""
    found = _PAIR.fullmatch(value) if isinstance(value, str) and len(value) < 100 else None
    if found is None or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        raise ValueError(f"its position {str(value)[:40]!r} is no place on the earth")
    return f"{_cut(found[1])},{_cut(found[2])}"


def _of_e7(north: Any, east: Any) -> str:
    values = []
    for value, most in ((north, 900_000_000), (east, 1_800_000_000)):
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            value = int(value)
        if not isinstance(value, int):
            raise ValueError("its position states no latitude and longitude")
        if value > most:
            value -= _WRAPPED
        if abs(value) > most:
            raise ValueError("its position is no place on the earth")
        values.append(f"{value / 1e7:.7f}".rstrip("0").rstrip("."))
    return ",".join("0" if value == "-0" else value for value in values)


def _cut(degrees: str) -> str:
    """Eight decimals are a millimetre, and as many as a place may have."""
    whole, mark, decimals = degrees.partition(".")
    return f"{whole}{mark}{decimals[:8]}" if decimals else whole


def moment(value: Any, name: str = "time") -> datetime:
    """An ISO 8601 time, or milliseconds since 1970; ValueError, with the reason, where it is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise ValueError(f"it states no {name}")
    with suppress(ValueError, OverflowError):
        at = _EPOCH + timedelta(milliseconds=int(value)) if _DIGITS.fullmatch(value) else datetime.fromisoformat(value)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if _FIRST_YEAR < at.year < _LAST_YEAR:
            return at
    raise ValueError(f"its {name} {value[:40]!r} is no time")


def text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return parsing.tidy(str(value))[:1000]
