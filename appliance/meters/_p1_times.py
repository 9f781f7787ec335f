"""The times that a P1 telegram states: `YYMMDDhhmmss` with S, W or no flag, in the country's clock or another.

190324150519W       P1 5.0.2, section 6.4: the local time, S while summer time is active, W while it is not
121030140000        DSMR 2.2 and 3: the local time alone
210722150519W       Sweden: winter time all year long, and what stands as flag means nothing (branch
                    recommendation of Energiföretagen for the local customer interface)
632525252525W       never: a place for a time in which there is none, twelve bytes FF printed as digits
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_STAMP = re.compile(r"([0-9]{12})([SW]?)")

_NO_TIME = "632525252525"
_NEVER_SET_YEARS = frozenset({*(f"{year:02}" for year in range(7)), *(str(year) for year in range(70, 100))})
"""A clock that was never set counts from 2000 or from 1970. No P1 port is older than 2007."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def never_set(stamp: str) -> bool:
    """Whether a stamp is that of a clock that nobody set, or holds the place of a time that there is not."""
    return stamp[:2] in _NEVER_SET_YEARS or stamp.startswith(_NO_TIME)


@dataclass(frozen=True, slots=True)
class Clock:
    """The meter's clock: in which zone it is, and whether it stays on winter time all year."""

    zone: ZoneInfo
    winter: bool
    now_ms: int

    def utc_ms(self, stamp: str) -> int | None:
        """A stamp -> milliseconds since 1970 UTC; None for a time that never was.

        W is winter time, in summer too: a meter that says so does not change its clock. Of a doubled hour S means
        the first pass, which has the larger offset; without a flag it is the latest pass that was before `now_ms`.
        Elsewhere the zone alone decides.
        """
        match = _STAMP.fullmatch(stamp)
        if not match:
            return None
        year, month, day, hour, minute, second = (int(match[1][at : at + 2]) for at in range(0, 12, 2))
        try:
            local = datetime(2000 + year, month, day, hour, minute, second, tzinfo=self.zone)
        except ValueError:
            return None
        return _ms(local, _winter_offset(local)) if self.winter else self._changing(local, match[2])

    def _changing(self, local: datetime, flag: str) -> int | None:
        """The instant of a clock that goes with the country's."""
        earlier, later = _ms(local), _ms(local.replace(fold=1))
        if earlier > later:  # only in a skipped hour: fold 0 takes the offset before it, which is the smaller one
            return None
        if flag == "W":
            return _ms(local, _winter_offset(local))
        return later if not flag and later <= self.now_ms else earlier


def _winter_offset(local: datetime) -> timedelta:
    """The zone's offset while its clocks are not put forward, on either half of the earth."""
    return min(_offset(local.replace(month=month, day=1, hour=12, fold=0)) for month in (1, 7))


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta(0)


def _ms(local: datetime, offset: timedelta | None = None) -> int:
    utc = local.replace(tzinfo=UTC) - (_offset(local) if offset is None else offset)
    return (utc - _EPOCH) // timedelta(milliseconds=1)
