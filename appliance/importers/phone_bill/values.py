"""What stands in the cells of a phone bill: lengths of calls, volumes of data, costs, and what sort of use a row is."""

import re
from decimal import Decimal
from functools import lru_cache

from appliance import tables

_CLOCK = re.compile(r"(?:([0-9]{1,4}):)?([0-9]{1,5}):([0-9]{2})(?:\.[0-9]{1,3})?")
_WORDED = re.compile(
    r"(?:([0-9]{1,4}) ?h(?:ours?|rs?|r)?)?[ ,]*(?:([0-9]{1,5}) ?m(?:in(?:ute)?s?)?)?[ ,.]*"
    r"(?:([0-9]{1,6}) ?s(?:ec(?:ond)?s?)?)?\.?",
    re.I,
)
_BARE = re.compile(r"[0-9]{1,7}(?:[.,][0-9]{1,2})?")
_VOLUME = re.compile(r"([0-9][0-9.,' ]{0,15}) ?(b|bytes?|kb|kib|kbytes?|mb|mib|mbytes?|gb|gib)", re.I)
_TO_MB = {"b": Decimal(1) / (1 << 20), "k": Decimal(1) / 1024, "m": Decimal(1), "g": Decimal(1024)}
_PENCE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,4})?) ?p(?:ence)?", re.I)
_FREE = re.compile(
    r"[-–—]*|n/?a|free|incl?(?:uded|usive)?\.?|inclusive.*|in (?:allowance|bundle|plan)|bundle|kostenlos|inklusive"
    r"|inkl\.?|gratis|inbegrepen|inclus|gratuit",
    re.I,
)
CURRENCIES = {"£": "GBP", "€": "EUR", "$": "USD", "pence": "GBP", "p": "GBP"} | {
    code.lower(): code for code in ("EUR", "GBP", "USD", "CHF", "CAD", "AUD", "SEK", "DKK", "NOK", "PLN")
}

_DATA = re.compile(r"\b(?:data|gprs|internet|web|[345]g|lte|wap|daten\w*|données|mobile ?broadband)\b", re.I)
_PICTURE = re.compile(r"\b(?:mms|picture|photo|multimedia|video message)\b", re.I)
_TEXT = re.compile(r"\b(?:sms|texts?|text message|txt|messag\w+|kurznachricht\w*)\b", re.I)
_IN = re.compile(r"\b(?:in|incoming|received|eingehend|inkomend|entrant|from)\b", re.I)
_MISSED = re.compile(r"\b(?:missed|unanswered)\b", re.I)
_OF_A_NUMBER = re.compile(r"\d{4}")
_ROAMING = re.compile(r"\broam", re.I)


@lru_cache(maxsize=4096)
def seconds(text: str, unit: str) -> int | None:
    """The length that a cell says; None where it says none. `unit`: of a bare number, as the heading or a person says.

    ValueError, with the reason, where it is none. `mm:ss` is minutes and seconds, unless the heading says hours.
    """
    said = text.strip().lower()
    if said in ("", "-", "--", "n/a"):
        return None
    if clock := _CLOCK.fullmatch(said):
        if int(clock[3]) > 59 or (clock[1] and int(clock[2]) > 59):
            raise ValueError(f"the duration {text[:20]!r} is no time that passes")
        if not clock[1] and unit.startswith("h") and unit.count(":") < 2:  # hh:mm
            return int(clock[2]) * 3600 + int(clock[3]) * 60
        return int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3])
    worded = _WORDED.fullmatch(said)
    if worded and any(worded.groups()):
        hours, minutes, rest = (int(each or 0) for each in worded.groups())
        return hours * 3600 + minutes * 60 + rest
    if _BARE.fullmatch(said):
        number = Decimal(said.replace(",", "."))
        if is_minutes(unit):
            return int(number * 60)
        return int(number)
    raise ValueError(f"the duration {text[:20]!r} is none that is known here")


def is_bare(text: str) -> bool:
    """Whether a length is a number without a unit."""
    return _BARE.fullmatch(text.strip()) is not None


def is_minutes(unit: str) -> bool:
    return unit.startswith("min")


def megabytes(text: str, unit: str, decimal: str) -> Decimal | None:
    """The volume of data that a cell says; None where it says none. 1,024 kB are 1 MB, as networks count."""
    said = text.strip()
    found = _VOLUME.fullmatch(said if said[-1:].isalpha() else f"{said}{unit}")
    if found is None:
        return None
    try:
        exact = tables.amount_of(found[1], decimal) * _TO_MB[found[2][0].lower()]
    except ValueError:
        return None
    return round(exact, 6).normalize() if exact else Decimal(0)


@lru_cache(maxsize=4096)
def cost(text: str, decimal: str, unit: str) -> tuple[Decimal | None, str]:
    """What a cell says that a row costs, and in which currency, "" where it does not say; None for what is included."""
    said = text.strip()
    if _FREE.fullmatch(said):
        return None, ""
    if pence := _PENCE.fullmatch(said):
        return Decimal(pence[1]) / 100, "GBP"
    sign = next((code for mark, code in CURRENCIES.items() if mark in "£€$" and mark in said), "")
    amount = tables.amount_of(said, decimal)
    return (amount / 100 if unit in ("pence", "p") else amount), sign


def is_free(text: str) -> bool:
    return _FREE.fullmatch(text.strip()) is not None


def sort_of(type_: str, number: str, duration: str) -> str:
    """`data`, `MMS`, `SMS` or `call`: by the words of its type, else of where a number or a length would stand."""
    return _sort_of(type_, "" if _OF_A_NUMBER.search(number) else number, duration)


@lru_cache(maxsize=4096)
def _sort_of(type_: str, number: str, duration: str) -> str:
    for said in (type_, number, duration):
        if _PICTURE.search(said):
            return "MMS"
        if _TEXT.search(said):
            return "SMS"
        if _DATA.search(said):
            return "data"
    return "data" if _VOLUME.fullmatch(duration.strip()) else "call"


@lru_cache(maxsize=4096)
def direction(said: str, type_: str) -> str:
    words = f"{said} {type_}"
    if _MISSED.search(words):
        return "missed"
    return "incoming" if _IN.search(words) else "outgoing" if said else ""


@lru_cache(maxsize=4096)
def is_roaming(words: str) -> bool:
    return _ROAMING.search(words) is not None
