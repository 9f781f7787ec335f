"""What Apple's identifiers, devices, numbers and times say, in plain words and normal form."""

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from appliance import parsing

_LONGEST = 1_000
_MOST_DIGITS = 12
_PREFIX = re.compile(
    r"HK(?:(?:Quantity|Category|Correlation|Characteristic|Clinical|Data|Document|Audiogram|VisionPrescription)"
    r"Type(?:Identifier)?|CategoryValue|WorkoutActivityType|WorkoutEventType|MetadataKey)?(?=[A-Z])"
)
_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DEVICE = re.compile(r"\b(name|hardware|software):((?:(?!, [a-z]+:|>$).)*)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,2})?")
_STAMP_LENGTH = len("2026-02-10 08:50:00 +0100")
_OTHER_STAMP = re.compile(  # of phones that show twelve hours, and of 2015
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})\s*([0-9]{1,2}):?([0-9]{2}):?([0-9]{2})\s*(?:([ap])\.?\s?m\.?)?\s*([+-][0-9]{4})",
    re.I,
)


@lru_cache(maxsize=4_000)
def words(identifier: str) -> str:
    """HKQuantityTypeIdentifierHeartRate -> heart rate."""
    said = _CAPITALS.sub(" ", _PREFIX.sub("", parsing.tidy(identifier[:_LONGEST]), count=1))
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in said.split())


@lru_cache(maxsize=4_000)
def value_words(value: str, measure: str) -> str:
    """HKCategoryValueSleepAnalysisAsleepCore of a sleep analysis -> asleep core."""
    said = words(value)
    return said.removeprefix(f"{measure} ") or said


@lru_cache(maxsize=4_000)
def device_words(said: str) -> str:
    """`<<HKDevice: 0x282a45810>, name:Apple Watch, hardware:Watch6,2, software:9.1>` -> Apple Watch (Watch6,2, 9.1)."""
    found = dict(_DEVICE.findall(said[:_LONGEST]))
    more = ", ".join(parsing.tidy(found[each]) for each in ("hardware", "software") if found.get(each))
    return parsing.tidy(found.get("name", "")) + (f" ({more})" if more else "")


def number(text: str) -> Decimal:
    """The number that a text states, exactly; ValueError, with the reason for a person, where it is not certain."""
    if not text:
        raise ValueError("it states no value")
    if not _NUMBER.fullmatch(text):
        return parsing.amount(text)
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the value {text[:40]!r} is no number") from None
    if value.adjusted() >= _MOST_DIGITS:
        raise ValueError(f"the value {text[:40]!r} is too large to be true")
    return value if value.adjusted() < len(value.as_tuple().digits) else value.quantize(Decimal(1))


def moment(text: str) -> datetime:
    """A time in the offset that is said; ValueError, with the reason for a person."""
    try:
        if len(text) == _STAMP_LENGTH and text[19] == " ":
            return datetime.fromisoformat(text[:19] + text[20:])
        if other := _OTHER_STAMP.fullmatch(parsing.tidy(text[:_LONGEST])):
            *day, hour, minute, second, half, offset = other.groups()
            if half:
                hour = f"{int(hour) % 12 + 12 * (half in 'pP')}"
            return datetime.fromisoformat(f"{'-'.join(day)} {hour:>02}:{minute}:{second}{offset}")
    except ValueError:
        pass
    raise ValueError(f"the time {text[:40]!r} is none" if text else "it states no time")


def stamp(text: str) -> str:
    """A time in the normal form of fields; as it is written where it is none."""
    try:
        return moment(text).isoformat().replace("+00:00", "Z")
    except ValueError:
        return parsing.tidy(text[:_LONGEST])
