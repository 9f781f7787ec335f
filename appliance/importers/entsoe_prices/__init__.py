"""Day-ahead prices of electricity, as ENTSO-E's Transparency Platform publishes them, in XML.

    <Publication_MarketDocument> <type>A44
      <TimeSeries> <contract_MarketAgreement.type>A01 <in_Domain.mRID>10YBE----------2 <currency_Unit.name>EUR
        <price_Measure_Unit.name>MWH <classificationSequence_AttributeInstanceComponent.position>1 <curveType>A03
        <Period> <timeInterval> <start>2025-10-01T22:00Z <end>2025-10-02T22:00Z </timeInterval> <resolution>PT15M
          <Point> <position>1 <price.amount>88.33 </Point>
          <Point> <position>4 <price.amount>-2.05 </Point>

A position counts steps of the resolution from the period's start, from 1. A curve of type A03 leaves out a point whose
price is that of the one before it, at the period's end too; any other type states them all, and one that is missing has
no price. Of several auctions of one zone the first is the market's; the others, and prices within the day, are sources
of their own. Versions 7:0 and 7:3 are read alike, since they differ in nothing that is needed.

Source: ENTSO-E, Transparency Platform RESTful API, user guide, 4.2.10 "Day Ahead Prices [12.1.D]"; IEC 62325-451-3,
publication document 7:0 and 7:3; ENTSO-E, Introduction of different time series possibilities (curveType), 1.0.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from appliance import markup
from appliance.gathering import Column, Gathering, Number, Place, Table, interval_name, number
from appliance.importers.entsoe_prices.zones import NAMES
from appliance.markup import Begun, Broken, Row
from appliance.records import Item, Source, Warned

TITLE = "Day-ahead electricity prices (ENTSO-E)"

_OF_SERIES = frozenset(
    {
        "in_Domain.mRID",
        "currency_Unit.name",
        "price_Measure_Unit.name",
        "contract_MarketAgreement.type",
        "classificationSequence_AttributeInstanceComponent.position",
        "curveType",
    }
)
_OF_PERIOD = frozenset({"start", "end", "resolution"})
_EXPONENTS = {"MWH": -3, "KWH": 0}
_RESOLUTIONS = {"PT15M": 900, "PT30M": 1800, "PT60M": 3600, "PT1H": 3600}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_S = 400 * 86_400
_DAY_AHEAD, _WITHIN_DAY, _VARIABLE_BLOCKS = "A44", "A07", "A03"
_ZONE = re.compile(r"[0-9A-Z-]{16}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_POSITION = re.compile(r"[0-9]{1,7}")
_MEND = "fetch the prices again"


@dataclass(frozen=True)
class Options:
    """Nothing: a file says all of it."""


def identify(head: bytes, name: str) -> bool:
    """Whether the first element is a publication document's. Names say nothing."""
    return markup.root(head) == "Publication_MarketDocument"


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """`Readings` of `electricity.price` for each period, and a `Rejected` for each point that is no price."""
    del options
    yield from _Reader().items(pieces)


@dataclass(slots=True)
class _Held:
    """The point before, whose price may stand for those that follow it."""

    position: int
    price: Number
    first: int
    end: int


@dataclass(slots=True)
class _Period:
    """The period that we are in: what it said so far, and how it is read once its first point comes."""

    said: dict[str, str] = field(default_factory=dict)
    table: Table | None = None
    begin_ms: int = 0
    step_s: int = 0
    steps: int = 0
    problem: str = ""
    last: int = 0  # the position that was met last
    held: _Held | None = None


class _Reader:
    """One pass over a document."""

    def __init__(self) -> None:
        self._out = Gathering()
        self._type = ""
        self._series: dict[str, str] = {}
        self._period = _Period()
        self._tables: dict[tuple[str, ...], Table] = {}
        self._points = 0

    def items(self, pieces: Iterator[bytes]) -> Iterator[Item]:
        names = ("Point", "type", *_OF_SERIES, *_OF_PERIOD)
        for part in markup.rows(pieces, names, ("TimeSeries", "Period")):
            if isinstance(part, Row):
                self._row(part)
            elif isinstance(part, Broken):
                self._broken(part)
            elif isinstance(part, Begun):
                self._begun(part.name)
            elif part.name == "Period":
                self._end_period()
            if self._out.is_ready:
                yield from self._out.taken()
            if isinstance(part, Broken) and part.is_final:
                yield from self._out.closed()
                yield Warned(f"The file could be read up to line {part.line} and no further: {part.reason}.")
        yield from self._out.ended()

    def _begun(self, name: str) -> None:
        self._period = _Period()
        if name == "TimeSeries":
            self._series = {}

    def _row(self, row: Row) -> None:
        if row.name == "Point":
            self._point(row)
            return
        text = dict(row.values).get("") or ""
        if row.name == "type":
            self._type = text
        elif row.name in _OF_SERIES:
            self._series[row.name] = text
        elif "Period" in row.path.split("/"):
            self._period.said[row.name] = text

    # ---- points ----

    def _point(self, row: Row) -> None:
        self._points += 1
        period = self._period
        if period.table is None and not period.problem:
            self._learn(period)
        said = {path: text or "" for path, text in row.values}
        position = int(said["position"]) if _POSITION.fullmatch(said.get("position", "")) else 0
        follows = period.last < position <= period.steps
        self._settle(position if follows else period.last + 1)  # where it does not, nobody knows what stands between
        try:
            if period.problem:
                raise ValueError(period.problem)
            if not follows:
                raise ValueError(f"its position {said.get('position', '')[:20]!r} is none that follows in its period")
            price = number(said.get("price.amount", ""))
            if price is None:
                raise ValueError("it states no price")
        except ValueError as error:
            self._reject(row.first, row.length, row.line, str(error))
        else:
            period.held = _Held(position, price, row.first, row.first + row.length)
        period.last = position if follows else period.last

    def _settle(self, until: int) -> None:
        """Adds the price of the point before, for each position that it stands for, up to the one that comes."""
        period, held = self._period, self._period.held
        if held is None or period.table is None:
            return
        period.held = None
        repeats = self._series.get("curveType") == _VARIABLE_BLOCKS
        for position in range(held.position, until if repeats else held.position + 1):
            at_ms = period.begin_ms + (position - 1) * period.step_s * 1000
            self._out.add(period.table, at_ms, period.step_s, (held.price,), held.first, held.end)

    def _end_period(self) -> None:
        self._settle(self._period.steps + 1)
        self._period = _Period()

    def _broken(self, part: Broken) -> None:
        if self._period.held:
            self._settle(self._period.held.position + 1)  # what stood behind it is not known
        if part.length:
            self._points += part.row == "Point"
            self._reject(part.first, part.length, part.line, part.reason, is_point=part.row == "Point")

    def _reject(self, first: int, length: int, line: int, reason: str, *, is_point: bool = True) -> None:
        where = f"point {self._points:,}" if is_point else "between two points"
        self._out.reject(Place(where, line, first, length), f"{reason}; {_MEND}")

    # ---- what a period is of ----

    def _learn(self, period: _Period) -> None:
        """How a period is read, from what was said of it and of its series."""
        try:
            period.step_s = _RESOLUTIONS.get(period.said.get("resolution", ""), 0)
            if not period.step_s:
                raise ValueError(
                    f"its period has the resolution {period.said.get('resolution', '')[:20]!r}, "
                    f"which is none of {', '.join(_RESOLUTIONS)}"
                )
            begin, end = _instant(period.said.get("start", "")), _instant(period.said.get("end", ""))
            period.steps, rest = divmod(round((end - begin).total_seconds()), period.step_s)
            if rest or not 0 < period.steps * period.step_s <= _LONGEST_S:
                raise ValueError("its period has no whole number of steps, or is longer than a year")
            period.begin_ms = (begin - _EPOCH) // timedelta(milliseconds=1)
            period.table = self._table(period.step_s)
        except ValueError as error:
            period.problem = str(error)

    def _table(self, seconds: int) -> Table:
        said = self._series
        zone, currency, unit = (
            said.get(name, "") for name in ("in_Domain.mRID", "currency_Unit.name", "price_Measure_Unit.name")
        )
        if self._type not in ("", _DAY_AHEAD):
            raise ValueError(f"its document is of the type {self._type[:20]!r}, and day-ahead prices are {_DAY_AHEAD}")
        if not _ZONE.fullmatch(zone):
            raise ValueError(f"its zone {zone[:20]!r} is no code of a bidding zone")
        if not _CURRENCY.fullmatch(currency) or unit not in _EXPONENTS:
            raise ValueError(f"its prices are in {f'{currency}/{unit}'[:40]!r}, where EUR/MWH or the like is expected")
        auction = said.get("classificationSequence_AttributeInstanceComponent.position", "")
        more = [f"auction {auction[:5]}"] if auction not in ("", "1") else []
        more += ["within the day"] if said.get("contract_MarketAgreement.type") == _WITHIN_DAY else []
        key = (zone, currency, unit, *more, str(seconds))
        if key not in self._tables:
            last = (*more, interval_name(seconds))
            source = Source(" ".join(("entsoe", zone, *last)), " ".join(("Prices of", NAMES.get(zone, zone), *last)))
            self._tables[key] = Table(
                source, [Column("electricity.price", f"{currency}/kWh", _EXPONENTS[unit], "price.amount")]
            )
        return self._tables[key]


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None and at.astimezone(UTC):
            return at
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"its period says {text[:40]!r}, which is no time in UTC")
