"""How to reach a contact: numbers, addresses, and names in other services."""

import re
from collections.abc import Iterator

from appliance import parsing
from appliance.contentlines import Property
from appliance.importers.vcard.properties import Card, plain_name
from appliance.kinds import FieldType

MESSENGERS = {
    **{"AIM": "AIM", "GADUGADU": "Gadu-Gadu", "GOOGLE-TALK": "Google Talk", "GTALK": "Google Talk", "ICQ": "ICQ"},
    **{"GROUPWISE": "GroupWise", "IMADDRESS": "", "JABBER": "XMPP", "MSN": "MSN", "QQ": "QQ", "SIP": "SIP"},
    **{"SKYPE": "Skype", "SKYPE-USERNAME": "Skype", "SOCIALPROFILE": "", "TWITTER": "Twitter", "YAHOO": "Yahoo"},
}
_MOBILE, _WORK = {"cell", "mobile", "iphone", "pcs"}, {"work", "business", "company"}
_OTHER_PHONES = {"fax", "homefax", "workfax", "pager", "modem", "bbs", "isdn", "textphone", "car", "video-only"}
_EXTENSION = re.compile(r";ext=", re.I)
_TEL = re.compile(r"tel:", re.I)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,30}):(?!//)(.+)", re.I | re.S)
_WEB = {"http", "https"}
_GEO = re.compile(
    r"\s*(?:geo:)?([+-]?[0-9]{1,3}(?:\.[0-9]{1,15})?)\s*[;,]\s*([+-]?[0-9]{1,3}(?:\.[0-9]{1,15})?).*", re.I
)


def fields(card: Card) -> dict[str, str]:
    geo = _GEO.fullmatch(card.line("GEO"))
    position = f"{geo[1]},{geo[2]}" if geo else ""
    pages = card.lines("URL")
    web = next(filter(FieldType.WEB.fits, pages), "")
    return {
        **_sorted(card, "TEL", {"": "phone", "mobile": "mobile", "work": "work_phone"}, "other_phones"),
        **_sorted(card, "EMAIL", {"": "email", "work": "work_email"}, "other_emails"),
        **_addresses(card),
        "web": web,
        "other_web": "\n".join(each for each in pages if each != web),
        "messengers": "\n".join(dict.fromkeys(_messengers(card))),
        "position": position if FieldType.PLACE.fits(position) else "",
    }


def _sorted(card: Card, name: str, places: dict[str, str], others: str) -> dict[str, str]:
    """The preferred value of each use in a field of its own, and the others in one, each with what it is for: that of a
    number with an extension, too, which no such field holds.
    """
    found, rest = dict[str, str](), list[str]()
    type_ = FieldType.PHONE if name == "TEL" else FieldType.EMAIL
    for each in card.said(name):
        text = _number(each) if name == "TEL" else parsing.one_line(each.text)
        place = places.get(_use(card, each))
        if place and place not in found and type_.fits(text):
            found[place] = text
        elif text not in found.values():
            label = card.label(each)
            rest.append(f"{label}: {text}" if label else text)
    return {**found, others: "\n".join(dict.fromkeys(rest))}


def _use(card: Card, said: Property) -> str:
    types = said.types
    if types & _OTHER_PHONES or card.labels.get(said.group if said.group else "-"):
        return "other"
    if types & _MOBILE:
        return "mobile"
    return "work" if types & _WORK else ""


def _number(said: Property) -> str:
    """A number, of `tel:+1-418-656-9254;ext=102` too."""
    text = parsing.one_line(said.text)
    return _EXTENSION.sub(" ext. ", _TEL.sub("", text, count=1)) if _TEL.match(text) else text


def _addresses(card: Card) -> dict[str, str]:
    found, rest = dict[str, str](), list[str]()
    stated = [(each, _address(each)) for each in card.said("ADR")]
    if not any(text for _, text in stated):
        stated = [(each, parsing.lines(each.text)) for each in card.said("LABEL")]
    for each, text in stated:
        place = {"": "address", "work": "work_address"}.get(_use(card, each))
        if place and place not in found:
            found[place] = text
        elif text and text not in found.values():
            label, in_one = card.label(each), ", ".join(text.split("\n"))
            rest.append(f"{label}: {in_one}" if label else in_one)
    return {**found, "other_addresses": "\n".join(rest)}


def _address(said: Property) -> str:
    """Post box, flat, street, town, region, postcode and country, each on a line; 4.0 may add more parts."""
    parts = (parsing.lines(each.strip().strip(",")) for each in said.parts)
    return "\n".join(filter(None, parts)) or parsing.lines(said.parameter("LABEL"))


def _messengers(card: Card) -> Iterator[str]:
    """As in: XMPP: kim@example.org."""
    for each in card.said("IMPP", "SOCIALPROFILE"):
        service = each.parameter("X-SERVICE-TYPE") or each.parameter("SERVICE-TYPE")
        text, scheme = parsing.one_line(each.text), _SCHEME.fullmatch(parsing.one_line(each.text))
        if scheme and scheme[1].lower() not in _WEB:
            service, text = service or scheme[1].upper(), scheme[2]
        yield f"{service}: {text}" if service else text
    for each in card.own():
        name = plain_name(each.name)
        if name in MESSENGERS:
            service = MESSENGERS[name] or card.label(each)
            yield f"{service}: {parsing.one_line(each.text)}" if service else parsing.one_line(each.text)
