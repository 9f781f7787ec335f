"""One component of a calendar as a record: an event, a to-do, or a journal's entry."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

from appliance import contentlines, parsing, recurrence, zones
from appliance.contentlines import Property, Remarks
from appliance.importers.icalendar import texts, times
from appliance.importers.icalendar.said import Said
from appliance.importers.icalendar.survey import EVENT, JOURNAL, TASK, Calendar, occurrence
from appliance.importers.icalendar.times import Moment, in_utc
from appliance.records import Provenance, Record, Span
from appliance.recurrence import AND_LATER
from appliance.zones import Defined

_Read = TypeVar("_Read")
_KINDS = {EVENT: "calendar.event", TASK: "calendar.task", JOURNAL: "note"}
LONGEST_TITLE = 1_000  # characters
MOST_DATES = 2_000  # of one event's RDATE, or EXDATE


class Reader:
    """Reads the components of one calendar, and remarks what of them could not be read."""

    def __init__(self, calendar: Calendar, remarks: Remarks) -> None:
        self._calendar, self._clock, self._remarks = calendar, calendar.clock, remarks
        self._raw, self._first, self._line = b"", 0, 1

    def record(self, name: str, raw: bytes, span: Span, line: int) -> Record:
        """The record of a component's bytes; ValueError, with the reason for a person, where it cannot be one."""
        self._raw, self._first, self._line = raw, span.first, line
        said = self._said(raw, span.first)
        begin = self._begin(said, name)
        end = self._end(said, begin, name)
        fields = {**self._times(begin, end, name), **self._repeats(said, begin), **texts.fields(said, name, self._try)}
        fields |= {"calendar": self._calendar.name} if name != JOURNAL else {}
        fields = {each: value for each, value in fields.items() if value}
        uid, instead_of = said.line("UID"), fields.get("instead_of", "")
        organiser = texts.person(said.first("ORGANIZER"))
        return Record(
            kind=_KINDS[name],
            at=_at(begin, end, name),
            title=said.line("SUMMARY")[:LONGEST_TITLE] or texts.first_line(said) or texts.UNNAMED[name],
            span=span,
            party=organiser[0],
            memo=texts.description(said),
            provenance=Provenance.MY,
            supplier_id=f"{uid} {instead_of}".strip() if uid else "",
            fields=fields,
            detail=contentlines.digest(said.telling(), fields.get("replaced", "")),
        )

    def _said(self, raw: bytes, first: int) -> Said:
        by_name, alarms, depth = defaultdict[str, list[Property]](list), list[dict[str, Property]](), 0
        for each in contentlines.properties(raw, first, old=self._calendar.is_old):
            if each.name == "BEGIN":
                depth += 1
                alarms += [{}] if each.value.strip().upper() == "VALARM" else []
            elif each.name == "END":
                depth -= 1
            elif depth == 1 and each.name:
                by_name[each.name].append(each)
            elif depth == 1:
                self._warn(each, each.problem)
            elif alarms:
                alarms[-1].setdefault(each.name, each)
        return Said(by_name, alarms)

    def _begin(self, said: Said, name: str) -> Moment | None:
        begin = said.first("DTSTART")
        if begin is None:
            if name == EVENT:
                raise ValueError("it does not say when it begins: it has no DTSTART")
            return None
        try:
            if begin.problem:
                raise ValueError(begin.problem)
            return self._clock.moment(begin)
        except ValueError as error:
            raise ValueError(f"line {self._line_of(begin)}: its DTSTART cannot be read: {error}") from None

    def _end(self, said: Said, begin: Moment | None, name: str) -> date | None:
        """When it ends, or is due; a bare day is its last one."""
        stated = said.first("DUE" if name == TASK else "DTEND")
        if stated is not None:
            end = self._try(stated, self._clock.moment)
            at = end.at if end else None
        elif begin and (length := said.first("DURATION")):
            at = self._try(length, lambda each: times.duration(each.value).after(begin))
            stated = length
        else:
            return None
        if at is None or begin is None or stated is None:
            return at
        if isinstance(at, datetime) != isinstance(begin.at, datetime):
            self._warn(stated, "of begin and end one is a day and the other a time")
            return None
        if name != TASK and not isinstance(at, datetime) and at > begin.at:
            return at - timedelta(days=1)
        if at < begin.at:
            self._warn(stated, "it ends before it begins")
            return None
        return at

    def _times(self, begin: Moment | None, end: date | None, name: str) -> dict[str, str]:
        fields = {"until": in_utc(end)} if end and name == EVENT else {}
        if begin is None:
            return fields
        if name == TASK:
            fields["begins"] = begin.text
        if name != JOURNAL and begin.zone is not None:
            fields |= {"zone": zones.name_of(begin.zone), "floating": "yes" if begin.is_floating else ""}
        return fields

    # ---- what repeats ----

    def _repeats(self, said: Said, begin: Moment | None) -> dict[str, str]:
        rules, words = [each.value.strip() for each in said.every("RRULE")], list[str]()
        for each in said.every("RRULE"):
            rule = self._try(each, lambda one: recurrence.read(one.value))
            words.append(recurrence.words(rule) if rule else "by a rule that this box does not know")
        for each in said.every("EXRULE"):
            self._warn(each, "days that a rule leaves out are not worked out")
        more, without = list(self._dates(said, "RDATE")), list(self._dates(said, "EXDATE"))
        own = begin.text if begin else ""
        words += [f"on {len(more)} listed days"] if len(set(more) - {own}) > 0 else []
        replaced = self._calendar.replaced.get(said.line("UID"), []) if rules or more else []
        instead_of = occurrence(said.first("RECURRENCE-ID"), self._clock)
        if instead_of.endswith(AND_LATER) and not (rules or more):
            self._warn(said.by_name["RECURRENCE-ID"][0], "how all later ones were changed is not worked out")
        zone = begin.zone if begin and rules else None
        return {
            "rrule": "\n".join(rules),
            "rdate": "\n".join(more),
            "exdate": "\n".join(without),
            "replaced": "\n".join(replaced) if not instead_of else "",
            "instead_of": instead_of.removesuffix(AND_LATER),
            "repeats": ", and ".join(words) + (f", except {len(without)}" if without and words else ""),
            "zone_rules": zone.written() if isinstance(zone, Defined) else "",
        }

    def _dates(self, said: Said, name: str) -> Iterator[str]:
        """The times of RDATE or EXDATE; a period's with its end behind a slash."""
        left = MOST_DATES
        for each in said.every(name):
            values = filter(None, map(str.strip, each.value.replace(";", ",").split(",", left + 1)))
            for value in values:
                if not left:
                    self._warn(each, f"more than {MOST_DATES} days are listed, and the others not read")
                    return
                left -= 1
                found = self._try(each, partial(times.period, self._clock, value))
                if found:
                    begin, end = found
                    yield begin.text if end is None else f"{begin.text}/{in_utc(end)}"

    # ---- what could not be read ----

    def _try(self, said: Property, read: Callable[[Property], _Read]) -> _Read | None:
        """What a property says, or None with a warning where it cannot be read."""
        try:
            return read(said)
        except ValueError as error:
            self._warn(said, str(error))
            return None

    def _warn(self, said: Property, why: str) -> None:
        name = f", {said.name}," if said.name else ""
        self._remarks.add(lambda: f"Line {self._line_of(said)}{name} was not understood: {why}.")

    def _line_of(self, said: Property) -> int:
        return self._line + parsing.line_ends(self._raw[: said.first - self._first])


def _at(begin: Moment | None, end: date | None, name: str) -> date | None:
    if name == TASK and end is not None:
        return end
    return begin.at if begin else None
