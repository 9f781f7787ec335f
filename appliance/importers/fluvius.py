"""Fluvius: what the grid operator of Flanders gives on Mijn Fluvius, quarter hours, hours, days and months.

    Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;             Meter; Metertype;     Register;
    31-10-2021; 02:45:00;      31-10-2021; 02:00:00;      ="541448860000000001";1SAG11;Digitale Meter;Afname Dag;
    1           2              3           4              5                                           6
    Volume;Eenheid;Validatiestatus;Calorische bovenwaarde     (all of it one row, without these blanks)
    0,173; kWh;    Geschat;
    7      8       9               10

1 to 4 by the clock of Europe/Brussels: the day on which it is put back has 25 hours, and 4 tells the last quarter of
the first pass of its doubled hour; totals of days may lack 2 and 4. 5 is written for spreadsheets. 6 what the house
took (Afname) or gave (Injectie), by day (kept as tariff 1), by night (2), or in all. 7 has a decimal comma, and is
blank where there is no reading (Geen verbruik). 8 kWh or m³: of gas every hour stands in both, its energy worked out
by 10, which only files of gas have. 9 is kept as the readings' quality, in the file's own word.

Headings and registers are told by their words, in Dutch, English, and what they would be in French and German, of which
no file was seen.

Source: Fluvius publishes no description; as Mijn Fluvius writes its files in Dutch and English, of 2021 to 2025.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from appliance import delimited
from appliance.gathering import FEWER_CELLS, Column, NoValueError, RowReader, Table, interval_name, number
from appliance.records import Item, Source
from appliance.wall_times import DAY_MS, LocalClock, Walk, ZoneOptions, clock, day

TITLE = "Fluvius meter data"

Options = ZoneOptions

_FROM, _UNTIL = r"(?:van|from|de|du|von)", r"(?:tot|until|to|[àa]u?|jusqu\W?[àa]u?|bis)"
_DATE, _TIME = r"\(?(?:datum|date)\)?", r"\(?(?:tijdstip|tijd|time|heure|uhrzeit|zeit)\)?"
_HEADINGS = {
    "from": re.compile(rf"{_FROM} {_DATE}"),
    "from_time": re.compile(rf"{_FROM} {_TIME}"),
    "until": re.compile(rf"{_UNTIL} {_DATE}"),
    "until_time": re.compile(rf"{_UNTIL} {_TIME}"),
    "ean": re.compile(r"(?:code[ -])?ean(?:[ -](?:code|nummer))?"),
    "meter": re.compile(r"meter|compteur|zähler"),
    "register": re.compile(r"register|registre"),
    "volume": re.compile(r"volumen?"),
    "unit": re.compile(r"eenheid|unit|unité|einheit"),
    "status": re.compile(r"validatiestatus|validation status|statut de validation|validierungsstatus"),
    "caloric": re.compile(r"calori.*|pouvoir calor.*|brennwert"),
}
_NEEDED = frozenset({"from", "until", "register", "volume", "unit"})
_TOLD = frozenset({*_NEEDED, "ean", "status"})

_TAKEN = re.compile(r"afname|offtake|consumption|prél[èe]vement|consommation|abnahme|entnahme|bezug")
_GIVEN = re.compile(r"injecti(?:e|on)|einspeisung")
_TARIFFS = ((re.compile(r"\b(?:dag|day|jour|tag)\b"), ".t1"), (re.compile(r"\b(?:nacht|night|nuit)\b"), ".t2"))
_NOT_DIGITS = re.compile(r"[^0-9]")
_GAS_METER = "7"  # what the number of a digital gas meter begins with; an electricity meter's with 1


def identify(head: bytes, name: str) -> bool:
    """Whether the heading names an EAN code, a register and a validation status beside the rest. Names say nothing."""
    return _places(delimited.heading(head).names).keys() >= _TOLD


def extract_forward(pieces: Iterator[bytes], options: ZoneOptions) -> Iterator[Item]:
    """`Readings` of each register, a block a run of one validation status, and `Rejected` for rows without a value."""
    heading, below = delimited.table(pieces)
    yield from _Reader(heading, options).items(below)


def _places(names: list[str]) -> dict[str, int]:
    """What the columns are -> where they stand."""
    found: dict[str, int] = {}
    for place, name in enumerate(map(delimited.plain, names)):
        for what, heading in _HEADINGS.items():
            if heading.fullmatch(name):
                found.setdefault(what, place)
    return found


class _Reader(RowReader):
    def __init__(self, heading: delimited.Row | None, options: ZoneOptions) -> None:
        super().__init__(heading)
        self._places = _places(heading.cells if heading else [])
        self._least = max((place for what, place in self._places.items() if what in _NEEDED), default=0) + 1
        self._clock = LocalClock(options.zone, "Europe/Brussels")
        self._walks: dict[tuple[str, str, str], Walk] = {}
        self._tables: dict[tuple[str, Column], Table] = {}

    def read(self, row: delimited.Row) -> None:
        if not self._places.keys() >= _NEEDED:
            raise ValueError("the file's heading names no dates, register, volume and unit")
        cells = row.cells
        if len(cells) < self._least:
            raise ValueError(FEWER_CELLS)
        ean, meter, register, volume, unit, status = (
            self._cell(cells, what) for what in ("ean", "meter", "register", "volume", "unit", "status")
        )
        column = _column(register, unit, meter.startswith(_GAS_METER) or "caloric" in self._places)
        at_ms, seconds = self._interval(cells, (ean, column.role, column.unit))
        value = number(volume, ",")
        if value is None:
            raise NoValueError
        self.out.add(
            self._table(ean, column, seconds), at_ms, seconds, (value,), row.first, row.first + row.length, status[:40]
        )

    def _cell(self, cells: list[str], what: str) -> str:
        place = self._places.get(what)
        return "" if place is None or place >= len(cells) else cells[place].strip()

    def _interval(self, cells: list[str], series: tuple[str, str, str]) -> tuple[int, int]:
        """When it begins in milliseconds UTC, and its length in seconds."""
        begin_ms = day(self._cell(cells, "from")) + self._clock_ms(cells, "from_time")
        end_ms = day(self._cell(cells, "until")) + self._clock_ms(cells, "until_time")
        if begin_ms == end_ms and "from_time" not in self._places:
            end_ms += DAY_MS
        if series not in self._walks:
            self._walks[series] = Walk(self._clock)
        return self._walks[series].interval(begin_ms, end_ms)

    def _clock_ms(self, cells: list[str], what: str) -> int:
        return clock(self._cell(cells, what)) if what in self._places else 0

    def _table(self, ean: str, column: Column, seconds: int) -> Table:
        name = " ".join(filter(None, (_NOT_DIGITS.sub("", ean)[:18], interval_name(seconds))))
        if (name, column) not in self._tables:
            self._tables[name, column] = Table(Source(f"fluvius {name}", f"Fluvius {name}"), [column])
        return self._tables[name, column]

    def warnings(self) -> Iterator[str]:
        if self._clock.assumed and self._tables:
            yield self._clock.warning()


@lru_cache(maxsize=256)
def _column(register: str, unit: str, is_gas: bool) -> Column:
    """What a register counts."""
    plain = delimited.plain(register)
    way = "import" if _TAKEN.search(plain) else "export" if _GIVEN.search(plain) else ""
    if not way:
        raise ValueError(f"its register {register[:40]!r} is not known")
    if unit.casefold() in ("m³", "m3"):
        return Column("gas", "m3")
    if unit.casefold() != "kwh":
        raise ValueError(f"its unit {unit[:40]!r} is not known")
    tariff = next((suffix for words, suffix in _TARIFFS if words.search(plain)), "")
    return Column("gas.energy", "kWh") if is_gas and not tariff else Column(f"electricity.{way}{tariff}", "kWh")
