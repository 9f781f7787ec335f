"""What stands in headers: words of any alphabet, addresses, and times.

    Subject: =?UTF-8?Q?Caf=C3=A9_L=C3=B6we?=
    From: Kim Lee <kim@example.org>
    Date: Mon, 2 Mar 2026 19:00:00 +0100 (CET)

Source: RFC 5322, sections 3.3, 3.4 and 4.3; RFC 2047.
"""

import binascii
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

from appliance import parsing

LONGEST = 1 << 16  # characters of one header that are looked at
_WORD = re.compile(r"=\?([A-Za-z0-9_.:-]{1,40}+)(?:\*[A-Za-z0-9-]{1,20}+)?\?([QqBb])\?([^?]{0,4000}+)\?=")
_BETWEEN_WORDS = re.compile(r"(?<=\?=)[ \t\r\n]+(?==\?)")
_SEVEN_BIT = re.compile(r"(?:iso-?2022-(?:jp|kr)(?:-[0-9a-z]+)?|hz(?:-gb-2312)?|utf-7|utf-?16(?:le|be)?)", re.I)
_CODECS = {"ks_c_5601-1987": "cp949", "x-sjis": "shift_jis", "x-gbk": "gbk", "windows-31j": "cp932", "tis-620": "cp874"}
_ADDRESS = re.compile(r"(?:[^\",<(;]++|\"(?:[^\"\\]++|\\.){0,100}+\"|<[^<>]*+>|\([^()]*+\)|[\"<(])++", re.S)
_GROUP = re.compile(r"\A[^\"<>@:(]{0,200}+:")
_BRACKETED = re.compile(r"<([^<>]*+)>")
_COMMENT = re.compile(r"\(([^()]*+)\)")
_LONGEST_DATE = 200
_ZONE = re.compile(r"\b([A-Z]{3,5})\b\)?\s*$")
_GREENWICH = re.compile(r"\b(?:GMT|UTC?)\s*(?=[+-][0-9]{2}:?[0-9]{2})")
_ISO = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")
_ZONES = {  # those that mean one offset alone; Python knows those of North America
    **dict.fromkeys(("WET",), 0),
    **dict.fromkeys(("BST", "CET", "MET", "WEST"), 1),
    **dict.fromkeys(("CEST", "MEST", "EET", "SAST"), 2),
    **dict.fromkeys(("EEST", "MSK"), 3),
    **dict.fromkeys(("HKT", "AWST"), 8),
    **dict.fromkeys(("JST", "KST"), 9),
    **dict.fromkeys(("AEST",), 10),
    **dict.fromkeys(("AEDT",), 11),
    **dict.fromkeys(("NZST",), 12),
    **dict.fromkeys(("NZDT",), 13),
}


def text(raw: bytes, charset: str = "") -> str:
    """Bytes of a charset that a message names, or does not; some charsets have seven bits, as UTF-8 might have."""
    charset = _CODECS.get(charset.lower(), charset)
    if _SEVEN_BIT.fullmatch(charset):
        with suppress(UnicodeDecodeError, LookupError):
            return raw.decode(charset)
    return parsing.decoded(raw, charset, believed=True)


def header(raw: bytes) -> str:
    """A header's value on one line, its encoded words in their own letters."""
    said = parsing.decoded(raw[:LONGEST])
    return parsing.one_line(decoded(said))


def decoded(said: str) -> str:
    """A text with its encoded words (RFC 2047) in their own letters; what is none stays."""
    if "=?" not in said:
        return said
    return "".join(_joined(_BETWEEN_WORDS.sub("", said)))


def _joined(said: str) -> Iterator[str]:
    """Words in one charset that follow each other are decoded as one: some programs split letters between them."""
    position, held, charset = 0, b"", ""
    for word in _WORD.finditer(said):
        if held and (word.start() != position or word[1].lower() != charset):
            yield text(held, charset)
            held = b""
        yield said[position : word.start()]
        held += _bytes(word[2], word[3])
        charset, position = word[1].lower(), word.end()
    yield text(held, charset) if held else ""
    yield said[position:]


def _bytes(how: str, said: str) -> bytes:
    raw = said.encode("utf-8", "surrogatepass")
    if how in "Qq":
        return binascii.a2b_qp(raw, header=True)
    return base64(raw)


_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


def base64(raw: bytes) -> bytes:
    """The bytes that Base64 says. What does not belong into it is passed over, as is a last letter of no whole byte."""
    plain = raw.translate(None, _NOT_BASE64)
    whole = plain[: len(plain) - 1] if len(plain) % 4 == 1 else plain
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def base64_length(pieces: Iterable[bytes]) -> int:
    """How many bytes `base64` gives of these pieces together."""
    return sum(len(each.translate(None, _NOT_BASE64)) for each in pieces) * 3 // 4


def addresses(said: str) -> list[str]:
    """The addresses of a header, each as it is written: Kim Lee <kim@example.org>. Of a group, its members."""
    found = (_GROUP.sub("", each[0].strip(), count=1).strip() for each in _ADDRESS.finditer(said))
    return [each for each in found if each]


def name(address: str) -> str:
    """Who an address is, by name where it says one."""
    named = _BRACKETED.sub("", address).strip().strip("\"'").strip()
    comment = _COMMENT.search(address)
    return named if named and "@" not in named else comment[1].strip() if comment else bare(address)


def bare(address: str) -> str:
    """An address alone, as in kim@example.org."""
    bracketed = _BRACKETED.search(address)
    return (bracketed[1] if bracketed else _COMMENT.sub("", address)).strip()


def when(said: str, zone: tzinfo | None) -> datetime | None:
    """The time that a Date says, in the zone it says; one without a zone is one of `zone`, or of UTC. None where it is
    no time.
    """
    try:
        at = _read(_GREENWICH.sub("", said[:_LONGEST_DATE]))
        if at.tzinfo is None:
            at = at.replace(tzinfo=_named(said) or (None if said.rstrip().endswith("-0000") else zone) or UTC)
        at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at


def _read(said: str) -> datetime:
    return datetime.fromisoformat(said.strip()) if _ISO.match(said) else parsedate_to_datetime(said)


def _named(said: str) -> tzinfo | None:
    found = _ZONE.search(said)
    return timezone(timedelta(hours=_ZONES[found[1]])) if found and found[1] in _ZONES else None
