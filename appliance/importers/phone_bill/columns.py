"""What the columns of a phone bill are called, and which row of a file is a heading of them."""

import re
from collections.abc import Mapping, Sequence

from appliance import parsing
from appliance.delimited import Row, plain

NAMES: Mapping[str, frozenset[str]] = {
    meaning: frozenset(names.split("|"))
    for meaning, names in {
        "date": "date|call date|date of call|event date|usage date|date & time|date/time|date and time"
        "|date time|datetime|start date|start date/time|start time/date|datum|datum/zeit|datum/tijd"
        "|datum en tijd|date et heure|date de l'appel",
        "time": "time|call time|time of call|event time|start time|start|usage time|uhrzeit|zeit|tijd"
        "|tijdstip|heure|beginn",
        "number": "number dialled|number dialed|dialled number|dialed number|dialled digits|number called"
        "|called number|number|phone number|to/from|to / from|from/to|to number|to|called party"
        "|called party number|contact|number/contact|destination number|b-number|b number|other party"
        "|other number|telephone number called|number called/texted|number/destination"
        "|calling/called number|zielrufnummer|gewählte rufnummer|rufnummer|zielnummer|gekozen nummer"
        "|gebeld nummer|nummer|numéro appelé|numéro|correspondant",
        "duration": "duration|call duration|length|call length|talk time|min|min.|mins|minutes|secs|seconds"
        "|duration/volume|duration / volume|duration/data|duration or volume|usage|quantity|units"
        "|billed duration|dauer|gesprächsdauer|dauer/volumen|verbindungsdauer|duur|gespreksduur"
        "|duur/volume|durée|durée/volume|durée ou volume",
        "volume": "volume|data volume|data|data usage|data used|data amount|kb|mb|gb|usage amount|datenvolumen"
        "|volumen|datavolume|volume de données",
        "cost": "cost|charge|charges|call cost|call charge|net cost|gross cost|price|amount|total|total cost"
        "|total charge|total charges|usage charge|cost ex vat|cost excl vat|cost exc vat|cost inc vat"
        "|airtime charges|airtime charge|kosten|betrag|preis|entgelt|nettobetrag|bruttobetrag|bedrag"
        "|prijs|coût|montant|prix",
        "type": "type|call type|usage type|event type|service|service type|record type|category|call category"
        "|feature|description|call description|traffic type|art|dienst|verbindungsart|leistung|soort"
        "|omschrijving|nature|libellé",
        "direction": "direction|in/out|incoming/outgoing|call direction|richtung|richting|sens",
        "place": "destination|location|called destination|call destination|destination location"
        "|destination name|country|where|place|zone|network|city|ziel|zielland|land|bestemming|pays",
        "from": "origination|origin|calling from|roaming country|country called from|from country|used in",
        "account": "mobile number|your number|line|line number|user number|from number|msisdn|cli|calling number"
        "|own number|originating number|mobile|phone line|subscriber number|subscriber"
        "|eigene rufnummer|mobilnummer|mobiel nummer|ligne|numéro de ligne",
        "party": "name|contact name|called name|user",
        "tax": "vat|vat amount|tax|taxes|tva|btw|mwst|ust",
        "id": "call id|record id|event id|reference|id|call reference",
        "allowance": "allowance|bundle|inclusive|included|in allowance|call plan|tariff|rate|usage plan",
    }.items()
}
_OF_DATES = re.compile("dat[eu]", re.I)  # every name of a column of dates has it, and hardly any row of use
_MEANING = {name: meaning for meaning, names in NAMES.items() for name in names}
_UNIT = re.compile(r"[(\[]([^)\]]{1,20})[)\]]|\bin (kb|mb|gb|minutes|mins|seconds|secs|pence|£|€|\$)$")
_MARKS = re.compile(r"[£€$*:#]")
_OF_PHONES = frozenset({"number", "duration", "volume"})


def may_head(row: Row) -> bool:
    """Whether a row may be a heading of calls: what is surely none is told at once."""
    return _OF_DATES.search("\n".join(row.cells).replace("\ufeff", "")) is not None


class Columns:
    """Which column of a heading has which meaning, and the unit that the heading gives it ("secs" of Duration (secs)).

    `others` are the columns without a meaning here, by their own names.
    """

    def __init__(self, cells: Sequence[str]) -> None:
        self.names = [cell.strip() for cell in cells]
        self._place: dict[str, int] = {}
        self.unit: dict[str, str] = {}
        for place, cell in enumerate(self.names):
            bare, unit = _taken_apart(cell)
            meaning = _MEANING.get(bare, "")
            if meaning and (meaning not in self._place or bare in _RATHER):
                self._place[meaning] = place
                self.unit[meaning] = unit or (bare if bare in _UNITS else "")
        taken = set(self._place.values())
        self.others = {name: place for place, name in enumerate(self.names) if name and place not in taken}

    def __contains__(self, meaning: str) -> bool:
        return meaning in self._place

    @property
    def is_of_calls(self) -> bool:
        """Whether these are columns of what was called, sent or used, and nothing else."""
        has = self._place.keys()
        named = [_taken_apart(name)[0] for name in self.names]
        is_surely = any(word in name for name in named for word in _WORDS)
        known = sum(name in _MEANING for name in named)
        return (
            "date" in has
            and ("number" in has or ("type" in has and "duration" in has and is_surely))
            and ("duration" in has or "volume" in has)
            and (is_surely or "time" in has)
            and 2 * known > len([name for name in named if name])
        )

    def cell(self, row: Row, meaning: str) -> str:
        place = self._place.get(meaning)
        return row.cells[place].strip() if place is not None and place < len(row.cells) else ""

    def said(self, row: Row) -> dict[str, str]:
        """Every cell with a meaning, as a person reads it; "" for a meaning without a column."""
        said, cells = _NOTHING.copy(), row.cells
        for name, place in self._place.items():
            if place < len(cells):
                said[name] = parsing.tidy(cells[place])
        return said

    def rest(self, row: Row) -> dict[str, str]:
        """What the other columns say, where they say something."""
        cells = row.cells
        return {
            name: text
            for name, place in self.others.items()
            if place < len(cells) and (text := parsing.tidy(cells[place]))
        }


_NOTHING = dict.fromkeys(NAMES, "")
_RATHER = frozenset({"total", "total cost", "total charge", "total charges"})  # of several costs, what they come to
_UNITS = frozenset({"min", "min.", "mins", "minutes", "secs", "seconds", "kb", "mb", "gb"})
_WORDS = ("dial", "call", "rufnummer", "duration", "dauer", "duur", "durée", "gebeld", "gekozen", "appel")


def _taken_apart(name: str) -> tuple[str, str]:
    """A column's name as it is compared, and the unit in it."""
    said = plain(name)
    unit = _UNIT.search(said)
    sign = _MARKS.search(said)
    bare = " ".join(_MARKS.sub("", _UNIT.sub("", said)).replace("_", " ").split()).strip(" .") if said else ""
    return bare, ((unit[1] or unit[2]).strip() if unit else sign[0] if sign and sign[0] in "£€$" else "")
