"""What a component says in words: who, where, why, and what else its properties hold."""

import re
from collections.abc import Callable, Iterator

from appliance import hypertext, parsing
from appliance.contentlines import Property
from appliance.importers.icalendar import times
from appliance.importers.icalendar.said import Said, Try
from appliance.importers.icalendar.survey import EVENT, JOURNAL, TASK
from appliance.kinds import FieldType

UNNAMED = {EVENT: "Event without a title", TASK: "To-do without a title", JOURNAL: "Journal entry without a title"}
_LONGEST_MORE = 200  # characters of a property that this box has no field for
_LONGEST_LINE = 1_000
_MAILTO = re.compile(r"mailto:", re.I)
_DEGREES = r"([+-]?[0-9]{1,3}(?:\.[0-9]{1,8})?)[0-9]{0,20}"  # the eighth decimal is a millimetre
_GEO = re.compile(rf"\s*(?:geo:)?{_DEGREES}\s*[;,]\s*{_DEGREES}\s*")
_STATUS = {
    "NEEDS-ACTION": "to do",
    "NEEDS ACTION": "to do",
    "IN-PROCESS": "begun",
    "COMPLETED": "done",
    "CANCELLED": "cancelled",
    "CONFIRMED": "confirmed",
    "TENTATIVE": "tentative",
}
_STATUS_OF = {EVENT: {"confirmed", "tentative", "cancelled"}, TASK: {"to do", "begun", "done", "cancelled"}}
_SHOWN = {"TRANSPARENT": "free", "OPAQUE": "busy"}
_ANSWERS = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "perhaps", "DELEGATED": "sent somebody else"}
_ROLES = {"CHAIR": "leads", "OPT-PARTICIPANT": "need not come", "NON-PARTICIPANT": "is only told"}
_READ = frozenset(
    {
        *("ATTACH", "ATTENDEE", "CATEGORIES", "CLASS", "COMPLETED", "CONFERENCE", "CREATED", "DCREATED", "DESCRIPTION"),
        *("DTEND", "DTSTAMP", "DTSTART", "DUE", "DURATION", "EXDATE", "LAST-MODIFIED", "LOCATION"),
        *("ORGANIZER", "PERCENT-COMPLETE", "PRIORITY", "RDATE", "RECURRENCE-ID", "RELATED-TO", "RRULE", "SEQUENCE"),
        *("SUMMARY", "TRANSP", "UID", "X-ALT-DESC", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-CDO-BUSYSTATUS"),
    }
)


def description(said: Said) -> str:
    """Every DESCRIPTION (a journal has several), as it is written; Outlook's HTML where there is none."""
    found = filter(None, (parsing.lines(each.text) for each in said.every("DESCRIPTION")))
    return "\n\n".join(found) or hypertext.text(_text(said, "X-ALT-DESC"))


def first_line(said: Said) -> str:
    return description(said).partition("\n")[0][:100]


def person(said: Property | None) -> tuple[str, str]:
    """The name and the address of an ORGANIZER or ATTENDEE; where it says no name, the address is both."""
    if said is None:
        return "", ""
    address = parsing.one_line(_MAILTO.sub("", said.text, count=1))
    address = said.parameter("EMAIL") or address
    return parsing.one_line(said.parameter("CN")).strip("'") or address, address if "@" in address else ""


def fields(said: Said, name: str, read: Try) -> dict[str, str]:
    """The fields that are texts, by their names in the kinds."""
    revised, created = (_when(said, read, *names) for names in (("LAST-MODIFIED",), ("CREATED", "DCREATED")))
    common = {
        "created": created,
        "revised": revised,
        "revision": _whole(said.line("SEQUENCE")),
        "categories": ", ".join(_categories(said)),
        "web": _fitting(FieldType.WEB, said.line("URL")),
        "more": "\n".join(_more(said)),
    }
    if name == JOURNAL:
        return {"about": common.pop("categories"), **common}
    shown = said.line("X-MICROSOFT-CDO-BUSYSTATUS") or _SHOWN.get(said.line("TRANSP").upper(), "")
    return common | {
        "place": ", ".join(filter(None, (parsing.one_line(line) for line in _text(said, "LOCATION").splitlines()))),
        "attendees": "\n".join(map(_attendee, said.every("ATTENDEE"))),
        "organiser": _fitting(FieldType.EMAIL, person(said.first("ORGANIZER"))[1]),
        "status": _status(said, name),
        "priority": _whole(said.line("PRIORITY")),
        "privacy": said.line("CLASS").lower(),
        "position": _position(said.line("GEO")),
        "reminders": "\n".join(_reminders(said)),
        "files": "\n".join(_files(said)),
        "related": "\n".join(parsing.one_line(each.text) for each in said.every("RELATED-TO")),
        **(_of_task(said, read) if name == TASK else {"shown_as": shown.lower(), "conference": _conference(said)}),
    }


def _of_task(said: Said, read: Try) -> dict[str, str]:
    return {"completed": _when(said, read, "COMPLETED"), "percent": _whole(said.line("PERCENT-COMPLETE"))}


def _text(said: Said, name: str) -> str:
    found = said.first(name)
    return found.text if found else ""


def _when(said: Said, read: Try, *names: str) -> str:
    """A time of the software's own, in UTC whether or not it says so."""
    for each in said.every(*names):
        found = read(each, lambda one: times.Clock(None, {}).moment(one))
        return found.text if found else ""
    return ""


def _whole(text: str) -> str:
    return str(int(text)) if text.isascii() and text.isdecimal() and len(text) < 10 else ""


def _status(said: Said, name: str) -> str:
    status = _STATUS.get(said.line("STATUS").upper(), "")
    return status if status in _STATUS_OF[name] else ""


def _categories(said: Said) -> list[str]:
    return [parsing.one_line(each) for one in said.every("CATEGORIES") for each in one.items]


def _position(text: str) -> str:
    found = _GEO.fullmatch(text)
    return _fitting(FieldType.PLACE, f"{found[1]},{found[2]}") if found else ""


def _fitting(type_: FieldType, text: str) -> str:
    return text if type_.fits(text) else ""


def _attendee(said: Property) -> str:
    """As in: Kim Lee <kim@example.org> (accepted, leads)."""
    name, address = person(said)
    who = f"{name} <{address}>" if address and name != address else name
    remarks = [_ANSWERS.get(said.parameter("PARTSTAT").upper(), ""), _ROLES.get(said.parameter("ROLE").upper(), "")]
    told = ", ".join(filter(None, remarks))
    return f"{who} ({told})" if told else who


def _reminders(said: Said) -> Iterator[str]:
    for alarm in said.alarms:
        if trigger := alarm.get("TRIGGER"):
            text = parsing.one_line(trigger.value)
            try:
                yield times.before_or_after(text, "ends" if trigger.parameter("RELATED").upper() == "END" else "begins")
            except ValueError:
                yield text[:_LONGEST_MORE]


def _files(said: Said) -> Iterator[str]:
    """The address of each attached file; one that lies in the calendar itself stays there, and is told."""
    for each in said.every("ATTACH"):
        name = parsing.one_line(each.parameter("FILENAME") or each.parameter("X-FILENAME"))
        if each.encoding or each.parameter("VALUE").upper() == "BINARY":
            type_ = each.parameter("FMTTYPE") or "a file"
            yield f"{name or type_}, in the original: about {len(each.value) * 3 // 4} bytes"
        else:
            yield f"{name} {each.text}".strip()[:_LONGEST_LINE]


def _conference(said: Said) -> str:
    return "\n".join(parsing.one_line(each.text) for each in said.every("CONFERENCE", "X-GOOGLE-CONFERENCE"))


_FITTING: dict[str, Callable[[str], object]] = {  # what fields hold where they can
    "GEO": _position,
    "STATUS": lambda said: said.upper() in _STATUS,
    "URL": FieldType.WEB.fits,
}


def _more(said: Said) -> Iterator[str]:
    """What this box has no field for, each on a line."""
    for name, every in said.by_name.items():
        if name not in _READ and not (name in _FITTING and _FITTING[name](said.line(name))):
            for each in every:
                text = parsing.one_line(each.text)
                if text:
                    yield f"{name}: {text if len(text) <= _LONGEST_MORE else text[:_LONGEST_MORE] + '…'}"
