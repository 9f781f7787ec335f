"""A card's properties: found by name, in order of preference, with the labels that people gave them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from appliance import parsing
from appliance.contentlines import Property

_LAST = 101  # behind 100, the least preferred that vCard 4.0 knows
_APPLE_LABEL = re.compile(r"_\$!<(.*)>!\$_", re.S)
_MAKERS = re.compile(r"X-(?:MS-OL-|MS-|EVOLUTION-|KADDRESSBOOK-X-|KADDRESSBOOK-|MOZILLA-)?")
_NO_LABEL = frozenset({"pref", "internet", "voice", "text", "video", "msg", "x400", "dom", "intl", "parcel", "postal"})
_ANDROID = {"relation": {"1": "assistant", "2": "brother", "3": "child", "4": "partner", "5": "father", "6": "friend"}}
_ANDROID["relation"] |= {"7": "manager", "8": "mother", "9": "parent", "10": "partner", "11": "referred by"}
_ANDROID["relation"] |= {"12": "relative", "13": "sister", "14": "spouse"}
_ANDROID["contact_event"] = {"1": "anniversary", "2": "other", "3": "birthday"}


def labelled(text: str) -> str:
    """A label as a person wrote it, or as Apple calls it: `_$!<Anniversary>!$_`."""
    own = _APPLE_LABEL.fullmatch(text.strip())
    return parsing.one_line(own[1].lower() if own else text)


def plain_name(name: str) -> str:
    """The name of a program's own property without its maker: X-EVOLUTION-SPOUSE is SPOUSE."""
    return _MAKERS.sub("", name, count=1)


@dataclass(frozen=True)
class Card:
    """The properties of one card by name, and the labels by group."""

    by_name: Mapping[str, list[Property]]
    labels: Mapping[str, str]

    @cached_property
    def every(self) -> list[Property]:
        return [each for every in self.by_name.values() for each in every]

    def said(self, *names: str) -> list[Property]:
        """The properties of these names, the preferred ones first."""
        found = [each for name in names for each in self.by_name.get(name, ())]
        return found if len(found) < 2 else sorted(found, key=_preference)

    def first(self, name: str) -> Property | None:
        found = self.said(name)
        return found[0] if found else None

    def line(self, name: str) -> str:
        """The preferred such property on one line."""
        found = self.first(name)
        return parsing.one_line(found.text) if found else ""

    def lines(self, *names: str) -> list[str]:
        return [parsing.one_line(each.text) for each in self.said(*names)]

    def label(self, said: Property) -> str:
        """What a property is for: its own label, else its types in words."""
        own = self.labels.get(said.group, "") if said.group else ""
        return own or labelled(said.parameter("LABEL") if said.name != "ADR" else "") or self.types(said)

    def types(self, said: Property) -> str:
        return ", ".join(sorted(each.removeprefix("x-") for each in said.types - _NO_LABEL))

    def own(self) -> Iterator[Property]:
        """What programs call X-something."""
        return (each for name, every in self.by_name.items() if name.startswith("X-") for each in every)

    def android(self, what: str) -> Iterator[tuple[str, str]]:
        """Android's own items of a sort, each with what it is for: `vnd.android.cursor.item/relation;Jenny;14;`."""
        for each in self.by_name.get("X-ANDROID-CUSTOM", ()):
            sort, said, code, own, *_ = [*each.parts, "", "", ""]
            if sort.endswith(f"/{what}") and said:
                yield parsing.one_line(said), parsing.one_line(own) or _ANDROID.get(what, {}).get(code, "")

    @property
    def notes(self) -> str:
        return "\n\n".join(filter(None, (parsing.lines(each.text) for each in self.said("NOTE"))))


def _preference(said: Property) -> int:
    stated = said.parameter("PREF")
    if stated.isascii() and stated.isdecimal() and len(stated) <= 3:
        return int(stated)
    return 1 if "pref" in said.types else _LAST
