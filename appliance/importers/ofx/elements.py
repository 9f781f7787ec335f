"""What an OFX element says: an aggregate's values by their names, and moments.

    <STMTTRN><TRNTYPE>POS<DTPOSTED>20260301101112[-5:EST]<TRNAMT>-9.50<NAME>Mill &amp; Son</STMTTRN>
    <PAYEE><NAME>Mill<CITY>Leeds</PAYEE>            within: payee.name, payee.city

Source: OFX 1.6 and 2.2, sections 2.4 (SGML), 3.2.8 (dates).
"""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache

from appliance import parsing

_ELEMENT = re.compile(r"<([A-Za-z][\w.\-]*)\s*>([^<]*+(?:<(?!/?[A-Za-z][\w.\-]*\s*>)[^<]*+)*+)")
_CDATA = re.compile(r"<!\[CDATA\[((?:(?!<!\[CDATA\[|\]\]>).)*+)\]\]>", re.S)
_REMARK = re.compile(r"<!--(?:(?!<!--|-->).)*+-->", re.S)
_AGGREGATES = {
    "payee": frozenset({"name", "addr1", "addr2", "addr3", "city", "state", "postalcode", "country", "phone"}),
    "bankacctto": frozenset({"bankid", "branchid", "acctid", "accttype", "acctkey"}),
    "ccacctto": frozenset({"acctid", "acctkey"}),
    "currency": frozenset({"currate", "cursym"}),
    "origcurrency": frozenset({"currate", "cursym"}),
    "invacctfrom": frozenset({"brokerid", "acctid"}),
    "invacctto": frozenset({"brokerid", "acctid"}),
}


def elements(text: str) -> dict[str, str]:
    """An aggregate's text -> its values by lower-case name, an aggregate's as `payee.city`; empty ones left out.

    Close tags are not needed to know where an aggregate ends: its names are not those of the elements around it.
    """
    if "<!" in text:
        text = _CDATA.sub(lambda section: section[1].replace("&", "&amp;").replace("<", "&lt;"), _REMARK.sub("", text))
    found: dict[str, str] = {}
    inside, names = "", frozenset[str]()
    for element in _ELEMENT.finditer(text):
        name, value = element[1].lower(), element[2].strip()
        if "&" in value or not value.isprintable():
            value = parsing.tidy(value)
        if name in _AGGREGATES and not value:
            inside, names = f"{name}.", _AGGREGATES[name]
        elif value:
            found.setdefault(inside + name if name in names else name, value)
    return found


_MOMENT = re.compile(r"([0-9]{8})(?:([0-9]{2})([0-9]{2})([0-9]{2})?(?:[.:,]([0-9]{1,6})[0-9]*)?)?\s*(?:\[([^\]]*)\]?)?")
_ZONE = re.compile(r"([+-]?)([0-9]{1,2})(?:\.([0-9]{1,2})|:?([0-9]{2}))?(?::(.*))?")


@lru_cache(maxsize=8192)
def moment(text: str) -> date | datetime:
    """`YYYYMMDD[HHMMSS[.XXX]][[-5:EST]]` -> a date where only that is said, else a datetime in the zone that is said,
    GMT where none is (section 3.2.8.2). ValueError, with the reason for a person, where it is no such moment."""
    if not text:
        raise ValueError("it states no date")
    parts = _MOMENT.fullmatch(text)
    if parts is None:
        raise ValueError(f"the date {text[:40]!r} is not written as YYYYMMDD")
    day = parsing.compact_day(text)
    zone = _zone(parts[6] or "")
    if parts[2] is None or zone is None:
        return day
    try:
        clock = (int(parts[2]), int(parts[3]), int(parts[4] or 0), int((parts[5] or "0").ljust(6, "0")))
        return datetime(day.year, day.month, day.day, *clock, tzinfo=zone)
    except ValueError:
        raise ValueError(f"the time in {text!r} is not a time of day") from None


def _zone(text: str) -> timezone | None:
    """`-5:EST`, `+5.5`, `+5.30:IST`, `-0330` -> the zone; None where it cannot be known, so that only the day is."""
    if text.strip().upper() in ("", "GMT", "UTC", "Z"):
        return UTC
    parts = _ZONE.fullmatch(text.strip())
    if parts is None:
        return None
    minutes = int(parts[2]) * 60 + _zone_minutes(parts[3], parts[4])
    if minutes > 14 * 60:
        return None
    offset = timedelta(minutes=-minutes if parts[1] == "-" else minutes)
    return timezone(offset, parts[5].strip()) if parts[5] and parts[5].strip() else timezone(offset)


def _zone_minutes(fraction: str | None, minutes: str | None) -> int:
    """The part of a zone after its hours: a fraction of an hour ("5", "75"), or minutes ("30", "45", as some write)."""
    if fraction in ("30", "45"):
        return int(fraction)
    return int(Decimal(f"0.{fraction or 0}") * 60) + int(minutes or 0)
