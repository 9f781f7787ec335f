"""What a file's calendars say around their components: a first pass, before any of them is read."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import partial
from mmap import mmap

from appliance import contentlines, parsing, recurrence, zones
from appliance.contentlines import NOT_BEGUN, NOT_ENDED, Component, Property
from appliance.importers.icalendar.times import Clock, zone_key
from appliance.recurrence import AND_LATER
from appliance.zones import Change, Defined, Observance

EVENT, TASK, JOURNAL, ZONE, CALENDAR = "VEVENT", "VTODO", "VJOURNAL", "VTIMEZONE", "VCALENDAR"
_ROWS = frozenset({EVENT, TASK, JOURNAL, ZONE, "VFREEBUSY", "VAVAILABILITY", "VPOLL"})
_PROBLEMS = ("", NOT_ENDED, NOT_BEGUN)
_MOST_NAME = 200


class _Rows:
    """Components, held as where they lie: a file can be of little else than their beginnings."""

    def __init__(self, data: bytes | mmap) -> None:
        self._data = data
        self._places = array("Q")

    def append(self, row: Component) -> None:
        self._places.extend((row.first, row.end, _PROBLEMS.index(row.problem)))

    def __len__(self) -> int:
        return len(self._places) // 3

    def __iter__(self) -> Iterator[Component]:
        for at in range(0, len(self._places), 3):
            first, end, problem = self._places[at : at + 3]
            yield Component(contentlines.name_at(self._data, first), first, end, _PROBLEMS[problem])


@dataclass(slots=True)
class Calendar:
    """One VCALENDAR: its name, its clock, its components, and which occurrences have components of their own, by UID.

    `is_old` for vCalendar 1.0.
    """

    clock: Clock
    name: str = ""
    is_old: bool = False
    rows: Iterable[Component] = ()
    replaced: Mapping[str, list[str]] = field(default_factory=dict)


def calendars(data: bytes | mmap, own: tzinfo | None) -> Iterator[Calendar]:
    """The calendars of a file, in its order; `own` is the zone of times that name none."""
    for head, rows in _apart(data):
        said = _head(data, head, rows)
        definitions = {zone_key(name): partial(_defined, name, raw) for name, raw in _definitions(data, rows)}
        stated = said.get("X-WR-TIMEZONE") or said.get("TZ") or ""
        clock = Clock(zones.named(stated) or own if stated else own, definitions)
        yield Calendar(
            clock=clock,
            name=(said.get("X-WR-CALNAME") or said.get("NAME") or "")[:_MOST_NAME],
            is_old=said.get("VERSION", "").startswith("1"),
            rows=(each for each in rows if each.name != ZONE),
            replaced=_replaced(data, rows, clock),
        )


def _apart(data: bytes | mmap) -> Iterator[tuple[int, _Rows]]:
    """Where each calendar begins, and its components; one of its own for those that are in none."""
    begin, rows = 0, _Rows(data)
    lines = contentlines.boundaries(data)
    for each in contentlines.components(lines, _ROWS, frozenset({CALENDAR}), len(data)):
        if each.name != CALENDAR:
            rows.append(each)
            continue
        if rows:
            yield begin, rows
        begin, rows = each.first, _Rows(data)
    yield begin, rows


def _head(data: bytes | mmap, begin: int, rows: _Rows) -> dict[str, str]:
    """What a calendar says before its first component, by name."""
    raw = data[begin : next(iter(rows)).first if rows else len(data)]
    return {each.name: parsing.one_line(each.text) for each in contentlines.properties(raw)}


def _definitions(data: bytes | mmap, rows: _Rows) -> Iterator[tuple[str, bytes]]:
    for each in rows:
        if each.name == ZONE and not each.problem:
            raw = data[each.first : each.end]
            names = (said.value.strip() for said in contentlines.properties(raw) if said.name == "TZID")
            if name := next(names, ""):
                yield name, raw


def _defined(name: str, raw: bytes) -> Defined:
    """The zone that a VTIMEZONE defines; ValueError where it defines none."""
    observances, inside = list[Observance](), dict[str, list[Property]]()
    for each in contentlines.properties(raw):
        if each.name == "BEGIN":
            inside = defaultdict(list)
        elif each.name == "END" and each.value.strip().upper() in ("STANDARD", "DAYLIGHT"):
            observances.append(_observance(inside))
        else:
            inside.setdefault(each.name, []).append(each)
    return Defined(name, observances)


def _observance(said: Mapping[str, list[Property]]) -> Observance:
    if not {"DTSTART", "TZOFFSETFROM", "TZOFFSETTO"} <= said.keys():
        raise ValueError("the definition of its time zone is incomplete")
    clock = Clock(None, {})
    local = [clock.moment(each).at for each in said["DTSTART"][:1]]
    dates = [clock.moment(each, value).at for each in said.get("RDATE", ()) for value in each.value.split(",")]
    before, after = (_offset(said[name][0].value.strip()) for name in ("TZOFFSETFROM", "TZOFFSETTO"))
    rules = [recurrence.read(each.value) for each in said.get("RRULE", ())]
    plain = [datetime(*each.timetuple()[:6]) for each in (*local, *dates)]
    if len(rules) > 1:
        raise ValueError("the definition of its time zone has two rules for one part")
    return Observance(Change(plain[0], before, after), plain[1:], rules[0] if rules else None)


def _offset(text: str) -> timedelta:
    """`+0100`, `-000115`; ValueError where it is no offset."""
    digits = text[1:]
    if text[:1] not in "+-" or not digits.isdecimal() or len(digits) not in (4, 6):
        raise ValueError(f"the definition of its time zone has the offset {text[:20]!r}, which is none")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:] or 0)
    return timedelta(seconds=-seconds if text[0] == "-" else seconds)


def _replaced(data: bytes | mmap, rows: _Rows, clock: Clock) -> Mapping[str, list[str]]:
    """The occurrences that components of their own stand for, by UID."""
    found = defaultdict[str, list[str]](list)
    for each in rows:
        raw = data[each.first : each.end] if each.name in (EVENT, TASK, JOURNAL) and not each.problem else b""
        if b"RECURRENCE-ID" not in raw and b"recurrence-id" not in raw:
            continue
        said = {each.name: each for each in contentlines.properties(raw) if each.name in ("UID", "RECURRENCE-ID")}
        if "UID" in said and (instead := occurrence(said.get("RECURRENCE-ID"), clock)):
            found[said["UID"].text.strip()].append(instead)
    return found


def occurrence(said: Property | None, clock: Clock) -> str:
    """The occurrence that a RECURRENCE-ID names, as `replaced` and `instead_of` say it; "" where it names none."""
    if said is None:
        return ""
    try:
        at = clock.moment(said).text
    except ValueError:
        return ""
    return at + AND_LATER if said.parameter("RANGE").upper() == "THISANDFUTURE" else at
