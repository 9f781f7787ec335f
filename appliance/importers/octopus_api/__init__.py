"""Octopus Energy's service: what was used by half-hours, which tariffs were agreed, and what they cost, as JSON.

    {"count": 2, "next": "https://.../electricity-meter-points/1000000000000/meters/12L3456/consumption/?page=2"1,
     "results": [{"consumption": 0.063, "interval_start": "2026-03-29T00:30:00Z",
                  "interval_end": "2026-03-29T02:00:00+01:00"}]}

    {"number": "A-1234ABCD", "properties": [{"address_line_1": "10 Mill Lane", ..., "electricity_meter_points": [
       {"mpan": "1000000000000", "is_export": false, "meters": [{"serial_number": "12L3456"}], "agreements": [
         {"tariff_code": "E-1R-VAR-22-11-01-N", "valid_from": "2023-04-01T00:00:00+01:00", "valid_to": null}]}],
       "gas_meter_points": [{"mprn": ...}]}]}

    {"next": "https://.../electricity-tariffs/E-1R-VAR-22-11-01-N/standard-unit-rates/?page=2"1, "results": [
       {"value_exc_vat": 23.53, "value_inc_vat": 24.7065, "valid_from": "...", "valid_to": null,
        "payment_method": "DIRECT_DEBIT"}]}

1 says what the file is of; the last page of one that came before in "previous", and one that is alone nowhere: then it
is stated. A gas meter of the second generation counts m3 and one of the first kWh, which no file says. Prices are pence
per kWh, of standing charges pence a day. One for an hour or less is a reading of two series of prices, with tax and
without, so that a year of them is no flood of facts; any other is a fact of its own.

Source: Octopus Energy, REST API guides, "API Endpoints" (accounts, consumption, tariff charges) and "API Basics".
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance import parsing
from appliance.content import Data
from appliance.errors import UserError
from appliance.gathering import NO_VALUE, Gathering, NoValueError, Place
from appliance.importers.octopus_api.agreements import Point
from appliance.importers.octopus_api.consumption import Series
from appliance.importers.octopus_api.prices import CHARGES, Prices
from appliance.importers.octopus_api.values import UnstatedError
from appliance.json_cursor import BrokenError, Cursor, text, to_its_end
from appliance.records import Item, Span

TITLE = "Octopus Energy’s service (JSON)"

_CHOICES = {
    "supply": ("", "electricity", "gas"),
    "direction": ("", "import", "export"),
    "unit": ("", "kWh", "m3"),
    "charge": ("", *CHARGES),
}
_CONSUMPTION = re.compile(rb'"results"\s*:\s*\[\s*\{[^{}]{0,200}"consumption"\s*:[^{}]{0,200}"interval_start"')
_CONSUMPTION_TOO = re.compile(rb'"results"\s*:\s*\[\s*\{[^{}]{0,200}"interval_start"\s*:[^{}]{0,200}"consumption"')
_RATES = re.compile(rb'"results"\s*:\s*\[\s*\{[^{}]{0,300}"value_(?:inc|exc)_vat"')
_ACCOUNT = re.compile(rb'"properties"\s*:\s*\[[^\[\]]{0,2000}"(?:electricity|gas)_meter_points"\s*:\s*\[')
_MEND = "fetch it again, and where it stays so tell Octopus Energy"


@dataclass(frozen=True)
class Options:
    """What a page of a list does not say of itself: the meter point and its direction, or the tariff and the charge."""

    supply: str = field(default="", metadata={"title": "Electricity or gas", "choices": _CHOICES["supply"]})
    direction: str = field(default="", metadata={"title": "Taken or fed in", "choices": _CHOICES["direction"]})
    unit: str = field(default="", metadata={"title": "What the gas meter counts", "choices": _CHOICES["unit"]})
    point: str = field(default="", metadata={"title": "Meter point’s number (MPAN or MPRN)"})
    tariff: str = field(default="", metadata={"title": "Tariff’s code"})
    charge: str = field(default="", metadata={"title": "What the prices are for", "choices": _CHOICES["charge"]})

    def __post_init__(self) -> None:
        problems = [
            f"{name}={getattr(self, name)!r} is not among the choices; write one of {', '.join(choices[1:])}"
            for name, choices in _CHOICES.items()
            if getattr(self, name) not in choices
        ]
        if problems:
            raise UserError(problems)


def identify(head: bytes, name: str) -> bool:
    """Whether it is a page of consumption or of prices, or an account. Names say nothing."""
    if not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        return False
    return any(pattern.search(head) for pattern in (_CONSUMPTION, _CONSUMPTION_TOO, _RATES, _ACCOUNT))


def extract(data: Data, options: Options) -> Iterator[Item]:
    """`Readings` of what was used, facts of agreements and prices, and a `Rejected` for each row that is none."""
    reader = _Reader(data, options)
    yield from to_its_end(reader.cursor, reader.items(), _MEND)


class _Reader:
    """One pass over a file."""

    def __init__(self, data: Data, options: Options) -> None:
        self.cursor, self._lines = Cursor(data), parsing.Lines(data)
        self._options, self._out = options, Gathering()
        self._of: Series | Prices | None = None
        self._links = self._account = ""
        self._count = 0

    def items(self) -> Iterator[Item]:
        try:
            self._links = self._looked_ahead()
            for name, _ in self.cursor.members():
                if name == "number":
                    self._account = text(self.cursor.value())
                elif name == "results":
                    yield from self._results()
                elif name == "properties":
                    yield from self._properties()
        except BrokenError:
            yield from self._out.closed()
            raise
        yield from self._out.ended()

    def _looked_ahead(self) -> str:
        """The links of a page, wherever they stand: they say what it is of."""
        begin, found = self.cursor.at, list[str]()
        try:
            for name, _ in self.cursor.members():
                if name in ("next", "previous"):
                    found.append(text(self.cursor.value()))
                elif name == "properties":
                    break
        except BrokenError:
            pass  # it is said where it is met again
        self.cursor.at = begin
        return " ".join(found)

    def _results(self) -> Iterator[Item]:
        yield from self._each("row", self._result)

    def _result(self, said: Mapping[str, Any], span: Span) -> None:
        if self._of is None:
            of = Series if "consumption" in said else Prices
            self._of = of(self._options, self._links)
        self._of.read(said, span, self._out)

    def _each(self, word: str, read: Callable[[Mapping[str, Any], Span], None]) -> Iterator[Item]:
        """Reads each row of a list here; what is ready by then."""
        if self.cursor.begins() != "[":
            return
        for first in self.cursor.elements():
            self._count += 1
            line = self._lines.at(first)
            try:
                said = self.cursor.value()
                if not isinstance(said, dict):
                    raise ValueError("it says nothing by name")
                read(said, Span(first, self.cursor.at - first))
            except (BrokenError, NoValueError, ValueError) as error:
                if isinstance(error, BrokenError):
                    self.cursor.recover()
                place = Place(f"{word} {self._count:,}", line, first, self.cursor.at - first)
                self._out.reject(place, _reason(error))
            if self._out.is_ready:
                yield from self._out.taken()

    # ---- an account ----

    def _properties(self) -> Iterator[Item]:
        if self.cursor.begins() == "[":
            for _ in self.cursor.elements():
                yield from self._property()

    def _property(self) -> Iterator[Item]:
        said: dict[str, Any] = {}
        for name, _ in self.cursor.members():
            if name.endswith("_meter_points") and self.cursor.begins() == "[":
                for _ in self.cursor.elements():
                    yield from self._point(name.partition("_")[0], said)
            else:
                said[name] = self.cursor.value()

    def _point(self, supply: str, of: Mapping[str, Any]) -> Iterator[Item]:
        """The agreements of one meter point, whose number may stand behind them."""
        said: dict[str, Any] = {}
        agreements = -1
        for name, _ in self.cursor.members():
            if name == "agreements" and self.cursor.begins() == "[":
                agreements = self.cursor.at
                self.cursor.skip()
            else:
                said[name] = self.cursor.value()
        if agreements >= 0:
            point, end = Point(supply, said, of, self._account), self.cursor.at
            self.cursor.at = agreements
            yield from self._each(
                "agreement", lambda row, span: self._out.add_fact(point.source, point.agreement(row, span))
            )
            self.cursor.at = end


def _reason(error: Exception) -> str:
    if isinstance(error, BrokenError):
        return f"it cannot be read: {error.reason}; {_MEND}"
    if isinstance(error, NoValueError):
        return NO_VALUE
    return str(error) if isinstance(error, UnstatedError) else f"{error}; {_MEND}"
