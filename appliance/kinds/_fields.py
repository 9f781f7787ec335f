"""What a field of a kind may hold, and how what a person typed becomes its one normal form."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from urllib.parse import urlsplit

from appliance.kinds import _meter_points
from appliance.kinds._media import PAPERS, PHOTOS, Media

LONGEST_TEXT, LONGEST_LINES = 1_000, 100_000  # characters
_QUOTED = 40  # characters of what was typed that a message repeats

_MINUS = "\u2212"  # as pages show it
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{1,18})?|\.[0-9]{1,18})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_TIME_ALONE = re.compile(r"T?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?")
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_EMAIL = re.compile(rf"[^\s@<>()\[\],;:\"\\]{{1,64}}@{_LABEL}(?:\.{_LABEL})+")
_PHONE = re.compile(r"\+?[0-9 ()./-]+")
_PHONE_DIGITS = range(3, 16)  # 112 to the 15 digits of ITU-T E.164
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLACE = re.compile(r"([+-]?[0-9]{1,3}(?:\.[0-9]{1,18})?)\s*,\s*([+-]?[0-9]{1,3}(?:\.[0-9]{1,18})?)")


class FieldType(StrEnum):
    """What a value is. Every value is kept as text, in the normal form that `read` gives."""

    TEXT = "text"  # one line
    LINES = "lines"  # any number of lines
    WHOLE = "whole"  # 42
    DECIMAL = "decimal"  # 12.50, its digits kept
    DAY = "day"  # 2026-11-22
    TIME = "time"  # 2026-11-22T14:03:00+01:00, Z for UTC
    WHEN = "when"  # a day or a time, as precise as is known
    YES_NO = "yes_no"  # yes, no
    CHOICE = "choice"  # one of the field's `choices`
    WEB = "web"  # https://example.org/
    EMAIL = "email"
    PHONE = "phone"  # its digits, with + before a country's code
    PLACE = "place"  # latitude,longitude in degrees north and east (WGS 84): 51.5007,-0.1246
    METER_POINT = "meter_point"  # an MPAN, MPRN, EAN, NMI or the like, its check digit right
    PHOTO = "photo"  # a picture that the store keeps, by its SHA-256 in hex
    FILE = "file"  # such a picture or a PDF

    @property
    def media(self) -> tuple[Media, ...]:
        """What the file may be that such a value names; nothing where the value is the text itself."""
        return {FieldType.PHOTO: PHOTOS, FieldType.FILE: PAPERS}.get(self, ())

    def read(self, text: str) -> str:
        """The normal form of what a person typed; ValueError says what is wrong with it and what to write.

        Reading a normal form again changes nothing. Of a choice only its field knows what there is to choose.
        """
        return _READERS[self](text.strip())

    def fits(self, text: str) -> bool:
        """Whether a text can be read as this."""
        try:
            return bool(self.read(text))
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a kind states: what people call it, what it may hold, and in which unit.

    `schema_org` is the property of schema.org that says the same. `dpv` is a narrower category of personal data than
    the kind's own; "" where the kind's holds. `help` is a sentence beside the field on a form. What is not `asked`
    comes from files alone, as they wrote it: a new fact's form leaves it out.
    """

    title: str
    type: FieldType = FieldType.TEXT
    unit: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    schema_org: str = ""
    dpv: str = ""
    help: str = ""
    asked: bool = True

    def read(self, text: str) -> str:
        """The normal form of what a person typed; ValueError says what is wrong with it and what to write."""
        value = self.type.read(text)
        if self.type is not FieldType.CHOICE:
            return value
        for choice in self.choices:
            if choice.casefold() == value.casefold():
                return choice
        raise _wrong(text, "there to choose", f"one of {', '.join(self.choices)}")


def _wrong(text: str, what: str, example: str) -> ValueError:
    said = text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"
    return ValueError(f"{said!r} is not {what}; write {example}")


def _printable(text: str, longest: int) -> str:
    """Refuses what no form sends and no database keeps: control characters and halves of surrogate pairs."""
    if any(unicodedata.category(each) in ("Cc", "Cs") for each in text if each != "\n"):
        raise ValueError("it has a character that cannot be shown; write it again without")
    if len(text) > longest:
        raise ValueError(f"it has {len(text):,} characters; write at most {longest:,}")
    return text


def _text(text: str) -> str:
    return _printable(" ".join(text.split()), LONGEST_TEXT)


def _lines(text: str) -> str:
    text = text.replace("\t", " ")
    return _printable("\n".join(line.rstrip() for line in text.splitlines()).strip(), LONGEST_LINES)


def _whole(text: str) -> str:
    text = text.replace(_MINUS, "-")
    if not _WHOLE.fullmatch(text):
        raise _wrong(text, "a whole number", "one in digits alone, such as 42")
    return str(int(text))


def _decimal(text: str) -> str:
    text = text.replace(_MINUS, "-")
    if not _DECIMAL.fullmatch(text):
        raise _wrong(text, "a number", "it in digits, with a point before the decimals, such as 12.50")
    number = Decimal(text)
    return format(number if number else abs(number), "f")


def _day(text: str) -> str:
    if _DAY.fullmatch(text):
        with suppress(ValueError):  # 30 February
            return date.fromisoformat(text).isoformat()
    raise _wrong(text, "a day of the calendar", "year, month and day, such as 2026-11-22")


def _time(text: str) -> str:
    matched = _TIME.fullmatch(text.upper())
    if matched and not matched[1]:
        raise _wrong(text, "a time that is the same everywhere", "its offset after it: +01:00, or Z for UTC")
    if matched:
        with suppress(ValueError, OverflowError):  # 25:00 is no time, and the year 1 may lie before the first in UTC
            at = datetime.fromisoformat(text.upper())
            at.astimezone(UTC)
            return at.isoformat().replace("+00:00", "Z")
    raise _wrong(text, "a time", "day, time and offset, such as 2026-11-22T14:03+01:00")


def is_local(text: str) -> bool:
    """Whether a text is a time without the offset that would make it the same everywhere."""
    matched = _TIME.fullmatch(text.strip().upper())
    return matched is not None and not matched[1]


def with_offset(text: str, zone: tzinfo) -> str:
    """A time that says no offset with the one of a zone; any other text as it is."""
    if not is_local(text):
        return text
    try:
        at = datetime.fromisoformat(text.strip().upper()).replace(tzinfo=zone)
        whole = not (at.utcoffset() or timedelta(0)) % timedelta(minutes=1)  # before time zones, towns had seconds
        return (at if whole else at.astimezone(UTC)).isoformat()
    except (ValueError, OverflowError):  # what is wrong with it is said where it is read
        return text


def _when(text: str) -> str:
    if _TIME_ALONE.fullmatch(text):
        raise ValueError(f"{text.removeprefix('T')!r} says no day; write the day, too")
    return _time(text) if ":" in text else _day(text)


def _yes_no(text: str) -> str:
    for normal, others in {"yes": ("y", "true", "on", "1"), "no": ("n", "false", "off", "0")}.items():
        if text.lower() in (normal, *others):
            return normal
    raise _wrong(text, "an answer", "yes or no")


def _web(text: str) -> str:
    try:
        address = urlsplit(text)
        good = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        good = False
    if not good or len(text.split()) != 1:
        raise _wrong(text, "a web address", "it whole, such as https://example.org/")
    return _printable(text, LONGEST_TEXT)


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text) or len(text) > 254:  # RFC 5321, section 4.5.3.1.3
        raise _wrong(text, "an email address", "one such as kim@example.org")
    return _printable(text, LONGEST_TEXT)


def _phone(text: str) -> str:
    """The (0) in +44 (0)20 is not dialled from abroad, and left out."""
    matched = _PHONE.fullmatch(text)
    number = re.sub(r"[^0-9+]", "", text.replace("(0)", "") if text.startswith("+") else text)
    if not matched or len(number.lstrip("+")) not in _PHONE_DIGITS:
        raise _wrong(text, "a phone number", "its digits, such as +44 20 7946 0018")
    return number


def _place(text: str) -> str:
    matched = _PLACE.fullmatch(text)
    if not matched or abs(Decimal(matched[1])) > 90 or abs(Decimal(matched[2])) > 180:
        raise _wrong(text, "a place", "degrees north and east, such as 51.5007,-0.1246")
    return f"{_decimal(matched[1])},{_decimal(matched[2])}"


def is_digest(text: str) -> bool:
    """Whether a value names a file that a store keeps."""
    return _SHA256.fullmatch(text) is not None


def _kept(text: str) -> str:
    if not is_digest(text.lower()):
        raise _wrong(text, "a file that is kept here", "@ and its path, such as @meter.jpg")
    return text.lower()


_READERS: Mapping[FieldType, Callable[[str], str]] = {
    FieldType.TEXT: _text,
    FieldType.LINES: _lines,
    FieldType.WHOLE: _whole,
    FieldType.DECIMAL: _decimal,
    FieldType.DAY: _day,
    FieldType.TIME: _time,
    FieldType.WHEN: _when,
    FieldType.YES_NO: _yes_no,
    FieldType.CHOICE: _text,
    FieldType.WEB: _web,
    FieldType.EMAIL: _email,
    FieldType.PHONE: _phone,
    FieldType.PLACE: _place,
    FieldType.METER_POINT: _meter_points.read,
    FieldType.PHOTO: _kept,
    FieldType.FILE: _kept,
}
