"""What importers share: amounts, days, text of unknown encoding, and line numbers."""

import html
import re
from contextlib import suppress
from datetime import date
from decimal import Decimal
from mmap import mmap

MAX_INT64 = 2**63 - 1
AMOUNT_DECIMALS = 6  # money is stored in 10^-6 of its unit, in 64 bits
_LARGEST_AMOUNT = Decimal(MAX_INT64).scaleb(-AMOUNT_DECIMALS)
_LONGEST_AMOUNT = 40  # characters: OFX allows 32, and the largest amount needs 20

_PLAIN = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,6})?")  # what most files hold, and surely within bounds
_SIGNED = re.compile(r"([+\-−]?)\s*([0-9.,'’\s]*[0-9][0-9.,]*)([+\-−]?)")
_ONE_MARK = re.compile(r"([0-9]*)[.,]([0-9]*)")
_GROUPED = re.compile(r"([0-9]{1,3}(?:([.,'’\s])[0-9]{3})(?:\2[0-9]{3})*)(?:(?!\2)[.,]([0-9]*))?")
_NOT_DIGITS = re.compile(r"[^0-9]")

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_UNPRINTED = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]+")
_NO_TEXT = (*range(0x0A), *range(0x0B, 0x20), *range(0x7F, 0xA1), *range(0xD800, 0xE000), 0xFEFF, 0xFFFE, 0xFFFF)
_BLANK = dict.fromkeys((*_NO_TEXT, 0x2028, 0x2029), " ")
_SPACES = {code: " " for code in range(0x3001) if chr(code).isspace()}  # those of Unicode
_TEXT_CODEC = re.compile(
    r"(?:utf[-_]?8|us-?ascii|ascii|latin-?[0-9]+|(?:cp|windows-?)[0-9]{3,4}|iso-?8859-[0-9]{1,2}"
    r"|koi8-[ru]|mac-?roman|big5|gb(?:k|2312|18030)|shift[-_]jis|euc[-_](?:jp|kr))",
    re.I,
)
_UTF8 = re.compile("utf[-_]?8", re.I)
_COUNTED_AT_ONCE = 1 << 20


def amount(text: str) -> Decimal:
    """The amount that a text states, exactly; ValueError, with the reason for a person, where it is not certain.

    Point or comma may mark the decimals, and groups of three be set off by point, comma, space or apostrophe:
    "-1.234,56", "1,234.56", "+12", "1 234,56", "12.50-". A lone comma before three digits ("1,234") could mean either,
    and is refused; a lone point is the decimal point that nearly all software writes.
    """
    if _PLAIN.fullmatch(text):
        return Decimal(text) or Decimal(0)
    value = number(text)
    if not -_LARGEST_AMOUNT <= value <= _LARGEST_AMOUNT:
        raise ValueError(f"the amount {text!r} is too large to be true")
    if int(value.as_tuple().exponent) < -AMOUNT_DECIMALS and value != round(value, AMOUNT_DECIMALS):
        raise ValueError(f"the amount {text!r} has more than {AMOUNT_DECIMALS} decimals")
    return value or Decimal(0)


def number(text: str) -> Decimal:
    """The number that a text states, read as `amount` reads one, of any decimals and size; ValueError as there."""
    return Decimal(_point_decimal(text))


def _point_decimal(text: str) -> str:
    """Any of the ways to write a number -> sign, digits, point, digits."""
    if not text.strip():
        raise ValueError("it states no amount")
    signed = _SIGNED.fullmatch(text.strip()) if len(text) <= _LONGEST_AMOUNT else None
    if signed is None or (signed[1] and signed[3]):
        raise ValueError(f"the amount {text[:_LONGEST_AMOUNT]!r} is not a number")
    sign = "-" if (signed[1] or signed[3]) in ("-", "−") else ""
    return sign + _unsigned(signed[2], text)


def _unsigned(digits: str, text: str) -> str:
    if digits.isdigit():
        return digits
    grouped = _GROUPED.fullmatch(digits)
    one_mark = _ONE_MARK.fullmatch(digits)
    if one_mark and not (grouped and "," in digits and one_mark[1] != "0"):
        return _with_point(one_mark[1], one_mark[2])
    if one_mark:
        raise ValueError(f"the amount {text!r} could mean thousands or decimals")
    if grouped is None:
        raise ValueError(f"the amount {text!r} is not a number")
    return _with_point(_NOT_DIGITS.sub("", grouped[1]), grouped[3])


def _with_point(whole: str, decimals: str | None) -> str:
    return f"{whole}.{decimals}" if decimals else whole


def compact_day(text: str) -> date:
    """The day that a text begins with, as YYYYMMDD; ValueError, with the reason for a person, where there is none."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        raise ValueError(f"the date {text!r} is not a day of the calendar") from None


def decoded(raw: bytes, declared: str = "", *, believed: bool = False) -> str:
    """The text of bytes whose encoding is uncertain: UTF-8 where they are that (text of another encoding hardly ever
    is), else what the file declares, else Windows-1252, else Latin-1, which takes any byte. Never fails.

    Where the declaration is `believed`, what is called UTF-8 and is damaged stays UTF-8.
    """
    with suppress(UnicodeDecodeError):
        return raw.decode("utf-8")
    if believed and _UTF8.fullmatch(declared):
        return raw.decode("utf-8", "replace")
    for encoding in (declared if _TEXT_CODEC.fullmatch(declared) else "cp1252", "cp1252"):
        with suppress(UnicodeDecodeError, LookupError):
            return raw.decode(encoding)
    return raw.decode("latin-1")


def tidy(text: str) -> str:
    """A value as a person reads it: entities resolved (a bare "&" stays), line ends and control characters a space."""
    return one_line(resolved(text) if "&" in text else text)


def resolved(text: str) -> str:
    """A text with the entities of HTML resolved; a bare "&" stays."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def one_line(text: str) -> str:
    """A text with a space for line ends and control characters."""
    return (text if text.isprintable() else _UNPRINTED.sub(" ", text)).strip()


def lines(text: str) -> str:
    """A text of any number of lines, without other control characters and without blanks at the lines' ends."""
    if text.isprintable():
        return text.strip()
    plain = text.replace("\r\n", "\n").replace("\r", "\n").translate(_BLANK)
    return _without_blank_ends(plain).rstrip().strip("\n")


def _without_blank_ends(text: str) -> str:
    """In as many steps as the longest run of blanks has binary digits: `sub` would hold every line by itself."""
    for power in reversed(range(len(text).bit_length() if " \n" in text else 0)):
        text = text.replace(" " * (1 << power) + "\n", "\n")
    return text


def evenly_spaced(text: str) -> str:
    """As `" ".join(text.split())`, without holding every word by itself."""
    text = text.translate(_SPACES)
    while "  " in text:
        text = text.replace("  ", " ")
    return text.strip()


def line_ends(raw: bytes) -> int:
    """How many lines end in these bytes, whether by LF, CR LF or a lone CR."""
    return raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")


class Lines:
    """Line numbers of rising byte offsets, in linear time and bounded memory."""

    def __init__(self, data: bytes | mmap) -> None:
        self._data = data
        self._offset = 0
        self._line = 1

    def at(self, offset: int) -> int:
        """The line, from 1, that the byte at `offset` is on; offsets must not fall from one call to the next."""
        while self._offset < offset:
            end = min(offset, self._offset + _COUNTED_AT_ONCE)
            piece = self._data[self._offset : end]
            if piece.endswith(b"\r") and self._data[end : end + 1] == b"\n":
                piece = piece[:-1]  # the LF of this line end is counted with the next piece
            self._line += line_ends(piece)
            self._offset = end
        return self._line
