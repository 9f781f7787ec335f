"""Days of a contact: whole ones, and those of which the year, or the day, is not known.

    BDAY:1980-03-22         BDAY:19800322           BDAY:1980-03-22T00:00:00Z
    BDAY:--0203             BDAY:1980-03            BDAY;VALUE=text:circa 1800
    BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-03

Source: RFC 6350, section 4.3; RFC 2426, section 3.1.5; Apple's sign for a year that is not known.
"""

import re
from collections.abc import Iterator
from datetime import date

from appliance import parsing
from appliance.contentlines import Property
from appliance.importers.vcard.properties import Card, plain_name
from appliance.kinds import FieldType

_DAY = re.compile(r"([0-9]{4}|--)-?(?:([0-9]{2})(?:-?([0-9]{2}))?)?(?:[T ].*)?", re.I | re.S)
_DAY_ALONE = re.compile(r"---([0-9]{2})")
_UNKNOWN_YEAR = "1604"
_TIMED = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})T?([0-9]{2}):?([0-9]{2})(?::?([0-9]{2}))?(?:[.,][0-9]+)?(Z?)", re.I
)


def fields(card: Card) -> dict[str, str]:
    birthday = card.first("BDAY")
    born, birthday_words = _day(birthday) if birthday else ("", "")
    died = card.first("DEATHDATE")
    anniversaries, others = list[str](), list[str]()
    for what, day in _dates(card):
        if what == "birthday" and not (born or birthday_words):
            born, birthday_words = (day, "") if _is_whole(day) else ("", day)
        elif what == "anniversary":
            anniversaries.append(day)
        else:
            others.append(f"{what}: {day}" if what else day)
    return {
        "born": born,
        "birthday": birthday_words,
        "anniversary": ", ".join(dict.fromkeys(anniversaries)),
        "dates": "\n".join(others),
        "died": _said(died) if died else "",
        "revised": _revised(card.line("REV")),
    }


def _dates(card: Card) -> Iterator[tuple[str, str]]:
    """Other days, each with what it is for."""
    for each in card.said("ANNIVERSARY"):
        yield "anniversary", _said(each)
    for each in card.own():
        if plain_name(each.name) == "ANNIVERSARY":
            yield "anniversary", _said(each)
    for each in card.said("X-ABDATE"):
        yield card.label(each), _said(each)
    for day, what in card.android("contact_event"):
        yield what, _of_text(day)


def _said(said: Property) -> str:
    return "".join(_day(said))


def _day(said: Property) -> tuple[str, str]:
    """A day as in 1980-03-22, or else as it is said in words."""
    text = parsing.one_line(said.text)
    if said.parameter("X-APPLE-OMIT-YEAR") and text.startswith((said.parameter("X-APPLE-OMIT-YEAR"), _UNKNOWN_YEAR)):
        text = f"--{text[4:].lstrip('-')}"
    words = _of_text(text)
    return (words, "") if _is_whole(words) else ("", words)


def _is_whole(text: str) -> bool:
    return len(text) == 10 and text[4:5] == text[7:8] == "-"


def _of_text(text: str) -> str:
    """`--0203` is 3 February, `1980-03` is March 1980; what is no day stays as it is said."""
    if alone := _DAY_ALONE.fullmatch(text):
        return f"day {int(alone[1])} of the month"
    found = _DAY.fullmatch(text)
    try:
        if found is None:
            return text
        year, month, day = found[1] if found[1] != "--" else "", int(found[2] or 0), int(found[3] or 0)
        if year and day:
            return date(int(year), month, day).isoformat()
        if day:
            return f"{day} {date(2000, month, day):%B}"
        return f"{date(2000, month, 1):%B} {year}".strip() if month else year
    except ValueError:
        return text


def _revised(text: str) -> str:
    """REV, which is a time of UTC or a day, where it is one."""
    found = _TIMED.fullmatch(text)
    said = f"{found[1]}-{found[2]}-{found[3]}T{found[4]}:{found[5]}:{found[6] or '00'}Z" if found else _of_text(text)
    return said if FieldType.WHEN.fits(said) else ""
