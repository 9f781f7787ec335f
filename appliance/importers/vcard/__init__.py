"""vCard: the contacts of an address book, as phones and mail programs write them (.vcf), versions 2.1, 3.0 and 4.0.

    BEGIN:VCARD
    VERSION:3.0                                     1
    UID:4fb0b4ae-2a3b                               2
    FN:Kim Lee                                      3
    N:Lee;Kim;;Dr;
    TEL;TYPE=WORK,VOICE:+44 20 7946 0018            4
    item1.EMAIL:kim@example.org                     5
    item1.X-ABLabel:Allotment
    NOTE:Has our spare key                          6
    END:VCARD

One card is one contact; 2 is the supplier's own id, 3 its title, 6 its memo, and all else its fields. 1 says how lines
are folded and quoted; 4 may be TYPE=WORK;TYPE=VOICE, TYPE="work,voice" or WORK;VOICE; 5 shares a group with its label.
A contact has no time: REV is when it was saved last. Photos stay in the original, and are told.

Two cards with one UID that say different things are two records: a contact before and after it changed.

Source: RFC 6350 (vCard 4.0), RFC 6474, 6715 and 9554 (more of its properties), RFC 2426 (3.0), vCard 2.1 of the
Internet Mail Consortium; Apple's, Microsoft's, Evolution's and Android's own properties as their programs write them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

from appliance import contentlines, parsing
from appliance.contentlines import NOT_BEGUN, Boundary, Component, Remarks
from appliance.importers.vcard.card import record
from appliance.records import Item, Rejected, Source, Span, Warned

TITLE = "vCard contacts (.vcf)"

_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*+BEGIN[ \t]*+:[ \t]*+VCARD[ \t]*+(?:[\r\n]|\Z)", re.I)
_AGENT = re.compile(rb"(?:^|[\r\n])AGENT[^\r\n:]{0,100}+:[ \t]*+[\r\n]++\Z", re.I)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_ROWS = frozenset({"VCARD"})
_SOURCE = Source("contacts", "Contacts")


@dataclass(frozen=True)
class Options:
    """Nothing has to be stated for a vCard."""


def identify(head: bytes, name: str) -> bool:
    """Whether it begins with a card. Names say nothing."""
    plain = head.replace(b"\0", b"")[2:] if head.startswith(_UTF16) else head
    return bool(_BEGIN.match(plain))


def extract(data: bytes | mmap, options: Options) -> Iterator[Item]:
    """The one `Source`, and every card as a `Record` of `contact` or a `Rejected`."""
    yield _SOURCE
    if data[:2] in _UTF16:
        reason = "the file is written in UTF-16; save it as UTF-8 and import it again"
        yield Rejected(Span(0, len(data)), 1, "file", reason)
        return
    remarks, lines, cards, end = Remarks(), parsing.Lines(data), 0, 0
    for each in contentlines.components(_outermost(data), _ROWS, frozenset(), len(data)):
        if data[end : each.first].strip(b"\r\n\t \xef\xbb\xbf"):
            remarks.say(f"What stands before line {lines.at(each.first)}, outside a card, was not read.")
        end = each.end
        if each.problem == NOT_BEGUN:
            remarks.say(f"Line {lines.at(each.first)} ends a card that nothing begins.")
        elif each.name in _ROWS:
            cards += 1
            yield _row(data, each, lines.at(each.first), cards, remarks)
    if not cards:
        remarks.say("The file holds no cards.")
    yield from map(Warned, remarks)


def _outermost(data: bytes | mmap) -> Iterator[Boundary]:
    """The lines that begin and end cards, without those of a card that stands in another one's AGENT (2.1)."""
    inside = False
    for line in contentlines.boundaries(data):
        if line.name in _ROWS and line.begins and _AGENT.search(data[max(0, line.first - 200) : line.first]):
            inside = True
        elif not (inside and line.name in _ROWS):
            yield line
        else:
            inside = False


def _row(data: bytes | mmap, card: Component, line: int, number: int, remarks: Remarks) -> Item:
    raw = data[card.first : card.end].rstrip()
    span, where = Span(card.first, len(raw)), f"card {number}"
    if card.problem:
        reason = f"{card.problem} before the next one begins, or the file ends"
        return Rejected(span, line, where, f"{reason}. Export the contacts again")
    try:
        return record(raw, span, line, remarks)
    except ValueError as error:
        return Rejected(span, line, where, f"{error}. Correct it in the file and import the file again")
