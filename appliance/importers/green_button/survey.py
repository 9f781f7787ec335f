"""The first pass over a Green Button file: what its interval blocks belong to.

A file is an Atom feed. Each entry holds one ESPI resource and links, which may stand after the content; entries may
come in any order, so that the unit of a value can follow the value.

    UsagePoint/1 <--up-- UsagePoint/1/MeterReading/01 <--up-- .../MeterReading/01/IntervalBlock/173
                               |
                               +--related--> ReadingType/07 (unit, power of ten, direction)

Where links are missing or lead nowhere, the order of the entries decides: a block belongs to the MeterReading before
it, that to the UsagePoint before it, and its ReadingType is the one that stands beside it.

Source: NAESB REQ.21 (ESPI), resources and Atom links; RFC 4287, section 4.2.7.
"""

from array import array
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from mmap import mmap

from appliance.markup import MOST_DEPTH, BrokenError, Document

RESOURCES = frozenset({"UsagePoint", "MeterReading", "ReadingType"})
_MOST_RESOURCES = 100_000  # a household has a few; more would only fill the memory
_MOST_LINKS = 1000
_KEPT = frozenset(
    (
        *("kind", "uom", "commodity", "flowDirection", "accumulationBehaviour", "powerOfTenMultiplier"),
        *("intervalLength", "dataQualifier", "defaultQuality", "phase", "tou", "consumptionTier", "cpp"),
    )
)


@dataclass(slots=True)
class Resource:
    """A UsagePoint, MeterReading or ReadingType: its entry's links and title, and the values that it states."""

    ordinal: int
    self_link: str = ""
    up: str = ""
    related: list[str] = field(default_factory=list)
    title: str = ""
    uuid: str = ""
    values: dict[str, str] = field(default_factory=dict)

    def link(self, rel: str, href: str) -> None:
        if rel == "self":
            self.self_link = href
        elif rel == "up":
            self.up = href
        elif rel == "related" and href and len(self.related) < _MOST_LINKS:
            self.related.append(href)

    def described_by(self, entry: "Resource") -> None:
        self.self_link, self.up, self.related = entry.self_link, entry.up, entry.related
        self.title, self.uuid = entry.title, entry.uuid


@dataclass(slots=True)
class _Entry:
    """An Atom entry as it is being read; its links reach its resources when it ends."""

    resources: list[Resource] = field(default_factory=list)
    holder: int = -1
    preceding: int = -1
    seconds: str = ""
    filed: bool = False
    about: Resource = field(default_factory=lambda: Resource(0))


BlockKey = tuple[str, int]
"""What tells blocks apart: their `up` link, and which MeterReading stands before them (-1: none)."""


class Survey(Document):
    """The resources of a file, and `key(i)`, what the i-th entry with interval blocks belongs to.

    `seconds` has the length of the first interval of each key. `refused` says why a file is not read at all, or "".
    """

    def __init__(self, data: bytes | mmap) -> None:
        super().__init__([data])
        self.title = ""
        self.refused = ""
        self.found: dict[str, list[Resource]] = {name: [] for name in RESOURCES}
        self.seconds: dict[BlockKey, str] = {}
        self._keys: dict[BlockKey, int] = {}
        self._key_of = array("L")
        self._entry: _Entry | None = None
        self._open: Resource | None = None
        self._holding = _Entry()
        self._duration = ""
        self._count = self._depth = 0
        self._listen()
        with suppress(BrokenError):  # the second pass stops at the same place, and says so
            for _ in self.parsed():
                pass
        self._close_entry()
        if not self._holding.filed and self._holding.holder >= 0:
            self._file(self._holding)
        self._block_keys = list(self._keys)

    def key(self, holder: int) -> BlockKey:
        """Of the i-th entry with blocks; the key of nothing where the file was too broken to know."""
        return self._block_keys[self._key_of[holder]] if holder < len(self._key_of) else ("", -1)

    # ---- outside interval blocks ----

    def _listen(self) -> None:
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        local, self.text = self.local[name], ""
        self._deepen()
        if local == "entry":
            self._close_entry()
            self._entry = _Entry()
        elif local == "link" and self._entry:
            self._entry.about.link(attributes.get("rel", ""), attributes.get("href", "").strip().rstrip("/"))
        elif local in RESOURCES:
            self._open = Resource(self._counted())
            self.found[local].append(self._open)
            if self._entry:
                self._entry.resources.append(self._open)
        elif local == "IntervalBlock":
            self._hold()

    def _end(self, name: str) -> None:
        local, text, self.text = self.local[name], self.text.strip(), ""
        self._depth -= 1
        if local in RESOURCES:
            self._open = None
        elif self._open is not None:
            if local in _KEPT and text:
                self._open.values.setdefault(local, text)
        elif local == "entry":
            self._close_entry()
        elif local == "title" and self._entry is None:
            self.title = self.title or text
        elif local == "title" and self._entry:
            self._entry.about.title = text
        elif local == "id" and self._entry:
            self._entry.about.uuid = text

    def _close_entry(self) -> None:
        entry, self._entry = self._entry, None
        if entry is None:
            return
        for resource in entry.resources:
            resource.described_by(entry.about)
        if entry.holder >= 0:
            self._file(entry)

    def _counted(self) -> int:
        self._count += 1
        if self._count > _MOST_RESOURCES:
            self.refused = f"it names more than {_MOST_RESOURCES:,} meters and kinds of readings, so it is damaged"
            raise BrokenError(self.offset(), self.refused)
        return self._count

    # ---- interval blocks: only what they belong to, and the first duration; every event heard costs a call ----

    def _hold(self) -> None:
        entry = self._holding = self._entry or _Entry()
        if entry.holder < 0:
            entry.holder = len(self._key_of)
            entry.preceding = len(self.found["MeterReading"]) - 1
            self._key_of.append(0)
        self.parser.EndElementHandler = self._end_within
        self.parser.StartElementHandler = self._start_within
        if entry.seconds:
            self._only_wait()

    def _only_wait(self) -> None:
        self.parser.StartElementHandler = self._deepen
        self.parser.CharacterDataHandler = None

    def _deepen(self, *_: object) -> None:
        self._depth += 1
        if self._depth > MOST_DEPTH:  # of each open element expat holds far more than its few bytes
            self.refused = "it nests too deep, so it is damaged"
            raise BrokenError(self.offset(), self.refused)

    def _start_within(self, *_: object) -> None:
        self._deepen()
        self.text = ""

    def _end_within(self, name: str) -> None:
        local = self.local[name]
        self._depth -= 1
        if local == "IntervalBlock":
            if self._holding is not self._entry:
                self._file(self._holding)
            self._listen()
        elif local == "duration" and not self._holding.seconds:
            self._duration = self.text.strip()
        elif local == "IntervalReading" and not self._holding.seconds:
            self._holding.seconds = self._duration
            self._only_wait()

    def _file(self, entry: _Entry) -> None:
        """Notes what an entry's blocks belong to, once its links are known."""
        entry.filed = True
        key = (entry.about.up or entry.about.self_link.rpartition("/")[0], entry.preceding)
        if key not in self._keys:
            self._keys[key] = len(self._keys)
            self._counted()
        self._key_of[entry.holder] = self._keys[key]
        if entry.seconds:
            self.seconds.setdefault(key, entry.seconds)
