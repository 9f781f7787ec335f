"""One card as a record: who it is, and how to reach them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial

from appliance import contentlines, parsing
from appliance.contentlines import Property, Remarks
from appliance.importers.vcard import days, reaching
from appliance.importers.vcard.properties import Card, labelled, plain_name
from appliance.records import Provenance, Record, Span

_OLD = re.compile(rb"^VERSION[^\r\n:]{0,40}+:[ \t]*+2", re.I | re.M)
_VARYING = frozenset({"BEGIN", "END", "VERSION", "PRODID", "REV", "SOURCE", "CLIENTPIDMAP", "PHOTO", "LOGO", "SOUND"})
_LONGEST_TITLE = 1_000
_LONGEST_MORE = 200  # characters of a property that this box has no field for
_COMMA = re.compile(r",(?=\S)")  # between several names of one sort
_KINDS = {"org": "organisation", "location": "place", "individual": ""}
_GENDERS = {"M": "male", "F": "female", "O": "other", "N": "none", "U": "unknown"}
_MEDIA = ("LOGO", "SOUND", "KEY")
_NAMES = ("family_name", "given_name", "more_names", "prefix", "suffix")
_ONCE = ("FN", "ORG", "TITLE", "ROLE", "BDAY", "GENDER", "TZ", "GEO")  # of which a field holds the preferred one
_READ = frozenset(
    {
        *("ADR", "AGENT", "ANNIVERSARY", "BDAY", "BIRTHPLACE", "CATEGORIES", "CLIENTPIDMAP", "DEATHDATE", "EMAIL"),
        *("FN", "GENDER", "GEO", "IMPP", "KEY", "KIND", "LABEL", "LANG", "LOGO", "MEMBER", "N", "NICKNAME", "NOTE"),
        *("ORG", "PHOTO", "PRODID", "PRONOUNS", "RELATED", "REV", "ROLE", "SOCIALPROFILE", "SOUND", "TEL", "TITLE"),
        *("TZ", "UID", "URL", "VERSION", "X-ABLABEL", "X-ABADR", "X-ABSHOWAS", "X-ABDATE", "X-ABRELATEDNAMES"),
        *("X-ADDRESSBOOKSERVER-KIND", "X-ADDRESSBOOKSERVER-MEMBER", "X-PHONETIC-FIRST-NAME", "X-PHONETIC-LAST-NAME"),
        *("X-ANDROID-CUSTOM", "BEGIN", "END"),
    }
)


def record(raw: bytes, span: Span, line: int, remarks: Remarks) -> Record:
    """The contact of a card's bytes; ValueError, with the reason for a person, where it holds none."""
    card = _card(raw, span, line, remarks)
    names, formatted = _names(card), card.line("FN")
    fields = {
        "nickname": ", ".join(
            [*_listed(card, "NICKNAME", "X-NICKNAME"), *(said for said, _ in card.android("nickname"))]
        ),
        **names,
        **_work(card),
        **reaching.fields(card),
        **days.fields(card),
        **_said(card),
    }
    fields = {name: value for name, value in fields.items() if value}
    title = formatted or _composed(names) or _first(fields)
    if not title and not fields and not card.notes:
        raise ValueError("it says nothing of anybody")
    return Record(
        kind="contact",
        at=None,
        title=title[:_LONGEST_TITLE] or "Contact without a name",
        span=span,
        memo=card.notes,
        provenance=Provenance.MY,
        supplier_id=card.line("UID"),
        fields={"name": title, **fields} if title else fields,
        detail=contentlines.digest(each for each in card.every if each.name not in _VARYING),
    )


def _card(raw: bytes, span: Span, line: int, remarks: Remarks) -> Card:
    by_name, labels, depth = defaultdict[str, list[Property]](list), dict[str, str](), 0
    for each in contentlines.properties(raw, span.first, old=bool(_OLD.search(raw))):
        if each.name in ("BEGIN", "END"):
            depth += 1 if each.name == "BEGIN" else -1
        elif depth > 1:
            by_name["AGENT"] += [each._replace(name="AGENT")] if each.name == "FN" else []
        elif not each.name:
            remarks.add(partial(_sentence, each, raw, span.first, line))
        elif each.value.strip():
            by_name[each.name].append(each)
            if each.name == "X-ABLABEL":
                labels[each.group] = labelled(each.text)
    return Card(by_name, labels)


def _sentence(said: Property, raw: bytes, first: int, line: int) -> str:
    name = f", {said.name}," if said.name else ""
    return f"Line {line + parsing.line_ends(raw[: said.first - first])}{name} was not understood: {said.problem}."


def _names(card: Card) -> dict[str, str]:
    """The five parts of N, and how it is spoken."""
    parts = card.first("N")
    said = [_COMMA.sub(", ", parsing.one_line(each)) for each in parts.parts] if parts else []
    phonetic = [card.line("X-PHONETIC-FIRST-NAME"), card.line("X-PHONETIC-LAST-NAME")]
    return {**dict(zip(_NAMES, said, strict=False)), "spoken_as": " ".join(filter(None, phonetic))}


def _nicknames(card: Card) -> Iterator[str]:
    yield from _listed(card, "NICKNAME", "X-NICKNAME")
    yield from (said for said, _ in card.android("nickname"))


def _composed(names: dict[str, str]) -> str:
    order = ("prefix", "given_name", "more_names", "family_name", "suffix")
    return " ".join(filter(None, (names.get(each, "") for each in order)))


def _first(fields: dict[str, str]) -> str:
    """What a contact without a name is called."""
    for name in ("nickname", "organisation", "email", "work_email", "phone", "mobile", "work_phone", "other_phones"):
        if said := fields.get(name):
            return said.partition("\n")[0]
    return ""


def _work(card: Card) -> dict[str, str]:
    org = card.first("ORG")
    organisation, *units = [parsing.one_line(each) for each in org.parts] if org else [""]
    return {
        "organisation": organisation,
        "department": ", ".join(filter(None, units)),
        "job": card.line("TITLE"),
        "role": card.line("ROLE"),
    }


def _said(card: Card) -> dict[str, str]:
    kind = (card.line("KIND") or card.line("X-ADDRESSBOOKSERVER-KIND")).lower()
    if not kind and card.line("X-ABSHOWAS").upper() == "COMPANY":
        kind = "org"
    return {
        "type": _KINDS.get(kind, kind),
        "members": "\n".join(card.lines("MEMBER", "X-ADDRESSBOOKSERVER-MEMBER")),
        "related": "\n".join(_related(card)),
        "gender": _gender(card.line("GENDER")),
        "pronouns": card.line("PRONOUNS"),
        "language": ", ".join(card.lines("LANG")),
        "categories": ", ".join(_listed(card, "CATEGORIES")),
        "born_in": card.line("BIRTHPLACE"),
        "zone": card.line("TZ"),
        "photo": "\n".join(_medium(each) for each in card.said("PHOTO")),
        "files": "\n".join(f"{each.name.lower()}: {_medium(each)}" for each in card.said(*_MEDIA)),
        "more": "\n".join(_more(card)),
    }


def _listed(card: Card, *names: str) -> list[str]:
    return [parsing.one_line(item) for each in card.said(*names) for item in each.items]


def _gender(said: str) -> str:
    code, _, words = said.partition(";")
    return words or _GENDERS.get(code.upper(), code)


def _related(card: Card) -> Iterator[str]:
    """As in: spouse: Jenny."""
    for each in card.said("RELATED", "X-ABRELATEDNAMES", "AGENT"):
        what = card.label(each) or ("agent" if each.name == "AGENT" else "")
        yield f"{what}: {parsing.one_line(each.text)}" if what else parsing.one_line(each.text)
    for each in card.own():
        relative = _RELATIVES.get(plain_name(each.name))
        if relative:
            yield f"{relative}: {parsing.one_line(each.text)}"
    yield from (f"{what}: {who}" if what else who for who, what in card.android("relation"))


_RELATIVES = {
    **dict.fromkeys(("SPOUSE", "SPOUSENAME", "SPOUSESNAME"), "spouse"),
    **dict.fromkeys(("MANAGER", "MANAGERSNAME"), "manager"),
    **dict.fromkeys(("ASSISTANT", "ASSISTANTSNAME"), "assistant"),
    **dict.fromkeys(("CHILD", "CHILDREN"), "child"),
}


def _medium(said: Property) -> str:
    """Where a picture is, or that it is in the card: its type, and about how large."""
    text = said.value.strip()
    type_ = said.parameter("MEDIATYPE") or " ".join(sorted(said.types)).upper()
    if text[:5].lower() == "data:":
        type_, _, text = text[5:].partition(",")
        type_ = type_.partition(";")[0]
    elif not said.encoding and (said.parameter("VALUE").lower() in ("uri", "url") or "://" in text[:20]):
        return parsing.one_line(said.text)
    size = len(text.rstrip("=")) * 3 // 4
    return f"{type_ or 'a file'}, in the original: about {size} bytes"


def _more(card: Card) -> Iterable[str]:
    """What this box has no field for, each on a line; what is long stays in the original alone."""
    known = {*_RELATIVES, *reaching.MESSENGERS, "ANNIVERSARY", "NICKNAME"}
    for name in _ONCE:
        _, *others = dict.fromkeys(card.lines(name)) or [""]
        yield from (f"{name}: {each}" for each in others)
    for each in card.every:
        if each.name not in _READ and not (each.name.startswith("X-") and plain_name(each.name) in known):
            text = parsing.one_line(each.text)
            yield f"{each.name}: {text if len(text) <= _LONGEST_MORE else text[:_LONGEST_MORE] + '…'}"
