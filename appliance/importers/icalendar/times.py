"""Times of iCalendar: days, times of a zone, of UTC and of wherever one is, durations and periods.

    DTSTART;VALUE=DATE:20260301                     a day
    DTSTART:20260301T090000Z                        an instant
    DTSTART;TZID=Europe/Berlin:20260301T090000      a time of that zone
    DTSTART:20260301T090000                         nine o'clock wherever one is

Source: RFC 5545, sections 3.3.4 to 3.3.6, 3.3.9 and 3.2.19.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from appliance import zones
from appliance.contentlines import Property
from appliance.zones import Defined

_VALUE = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})"
    r"(?:[T ]([0-9]{2}):?([0-9]{2})(?::?([0-9]{2}))?(?:[.,][0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.I,
)
_DURATION = re.compile(
    r"([+-]?)P(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,9})S)?)?", re.I
)
_FIRST_YEAR, _LAST_YEAR = 2, 9800  # beyond, not every zone has the time, and no century could be added


@dataclass(frozen=True, slots=True)
class Moment:
    """What a value says: a bare day, or a time with the zone it was said in. `is_floating` where it named none."""

    at: date
    zone: tzinfo | None = None
    is_floating: bool = False

    @property
    def is_day(self) -> bool:
        return not isinstance(self.at, datetime)

    @property
    def text(self) -> str:
        """A bare day, or an instant in UTC."""
        return in_utc(self.at)


def in_utc(at: date) -> str:
    """As records say times: a bare day, or an instant in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(at, datetime) else at.isoformat()


@dataclass(frozen=True, slots=True)
class Duration:
    """How long: days of the calendar, and an exact time."""

    days: int
    exact: timedelta

    def after(self, moment: Moment) -> date:
        """The end of what begins then."""
        day = moment.at + timedelta(days=self.days)
        if not isinstance(day, datetime):
            return day + timedelta(days=self.exact.days)
        return placed((day.astimezone(UTC) + self.exact).astimezone(moment.zone))


class Clock:
    """The zones of one calendar: those that its times name, those that it defines, and that of times without one.

    `definitions` gives a zone's definition by its name, or raises ValueError. `unknown` gathers the names that mean
    nothing, with why; their times are taken as those of the zone that holds where none is named.
    """

    def __init__(self, own: tzinfo | None, definitions: Mapping[str, Callable[[], Defined]]) -> None:
        self._own, self._definitions = own, definitions
        self._zones: dict[str, tzinfo | None] = {}
        self.unknown: dict[str, str] = {}
        self.lacked = False

    def moment(self, said: Property, value: str | None = None) -> Moment:
        """The moment that a property's value says; ValueError, with the reason for a person, where it says none."""
        text, name = (said.value if value is None else value).strip(), ", ".join(said.parameters.get("TZID", ()))
        if name and ":" in text and not _VALUE.fullmatch(text):  # that of a zone such as UTC+01:00, without quotes
            more, _, text = text.rpartition(":")
            name = f"{name}:{more}"
        day, local, mark = _read(text)
        if local is None:
            return Moment(day)
        if mark == "Z":
            return Moment(local.replace(tzinfo=UTC), UTC)
        if mark:
            offset = _offset(mark)
            return Moment(local.replace(tzinfo=offset), offset)
        if name and (zone := self._named(name)):
            return Moment(placed(local.replace(tzinfo=zone)), zone)
        self.lacked = self.lacked or (self._own is None and not name)
        own = self._own or UTC
        return Moment(placed(local.replace(tzinfo=own)), own, is_floating=not name)

    def _named(self, name: str) -> tzinfo | None:
        if name not in self._zones:
            self._zones[name] = self._found(name)
        return self._zones[name]

    def _found(self, name: str) -> tzinfo | None:
        if zone := zones.named(name):
            return zone
        try:
            if definition := self._definitions.get(zone_key(name)):
                return definition()
            self.unknown[name] = "the file does not define it"
        except ValueError as error:
            self.unknown[name] = str(error)
        return None


def zone_key(name: str) -> str:
    """The name of a definition as it is looked for: commas part a parameter's values, and may lose their blanks."""
    return ",".join(map(str.strip, name.split(",")))


def placed(at: datetime) -> datetime:
    """A time of a file's own zone with the offset that this has then; any other as it is."""
    return at.replace(tzinfo=timezone(at.utcoffset() or timedelta())) if isinstance(at.tzinfo, Defined) else at


@lru_cache(maxsize=8192)
def _read(text: str) -> tuple[date, datetime | None, str]:
    """A value -> its day, its local time where it says one, and what stands behind that: Z, an offset, or ""."""
    found = _VALUE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no day or time, such as 20260301 or 20260301T090000Z")
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a day of the calendar") from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise ValueError(f"the year of {text[:40]!r} is too far away")
    if found[4] is None:
        return day, None, ""
    try:
        local = datetime(day.year, day.month, day.day, int(found[4]), int(found[5]), min(59, int(found[6] or 0)))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a time of day") from None
    return day, local, (found[7] or "").upper()


def _offset(mark: str) -> tzinfo:
    zone = zones.named(mark)
    if zone is None:
        raise ValueError(f"{mark} is no offset of a zone")
    return zone


def duration(text: str) -> Duration:
    """A duration, such as PT1H30M; ValueError where it is none, or a negative one."""
    sign, value = _parts(text)
    if sign < 0:
        raise ValueError(f"{text[:40]!r} would end before it begins")
    return value


def _parts(text: str) -> tuple[int, Duration]:
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()[1:]):
        raise ValueError(f"{text[:40]!r} is no duration, such as PT1H30M")
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in found.groups()[1:])
    exact = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if weeks * 7 + days > 36_525 or exact.days > 36_525:
        raise ValueError(f"{text[:40]!r} is longer than a century")
    return -1 if found[1] == "-" else 1, Duration(weeks * 7 + days, exact)


def period(clock: Clock, value: str, said: Property) -> tuple[Moment, date | None]:
    """One value of RDATE: when it begins, and when it ends where it says so."""
    first, _, last = value.partition("/")
    begin = clock.moment(said, first)
    if not last:
        return begin, None
    return begin, duration(last).after(begin) if last.strip()[:1] in "Pp+-" else clock.moment(said, last).at


_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def before_or_after(text: str, what: str) -> str:
    """A reminder's trigger in plain words, as in: 15 minutes before it begins. ValueError where it is no duration."""
    sign, value = _parts(text)
    rest, said = value.days * 86_400 + int(value.exact.total_seconds()), list[str]()
    for seconds, unit in _UNITS:
        count, rest = divmod(rest, seconds)
        said += [f"{count} {unit}{'' if count == 1 else 's'}"] if count else []
    return f"{' '.join(said)} {'before' if sign < 0 else 'after'} it {what}" if said else f"when it {what}"
