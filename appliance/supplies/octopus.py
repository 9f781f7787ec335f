"""Octopus Energy's rates, as its service publishes them, as tariffs: what an agreement names by a code is costed then.

A rate is a fact (`energy.rate`) from one instant until another, in pence with tax; of Agile's half-hours there are too
many for that, and they are a series of prices, which the tariff follows. Rates that begin or end within a day (Go's
night) are bands of the days on which they do. Economy 7's night is from 00:30 to 07:30 in UTC, in summer too.

Source: Octopus Energy, REST API guides, "API Endpoints" (tariff charges); its help page "What happens to my Economy
Seven (E7) tariff when I have a smart meter installed?".
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from appliance.store.records import Stored
from appliance.tariffs import Charge, Dynamic, Rate, Rates, Standing, Tariff, Times

SUPPLIER = "Octopus Energy"
ZONE = ZoneInfo("Europe/London")
UNIT, DAY, NIGHT, STANDING = "unit rate", "day rate", "night rate", "standing charge"
NIGHT_MINUTES = 30, 450
_DAY_MINUTES = 1440
_METHODS = ("", "direct debit")
_ALL_DAY, _OTHERWISE = "all day", "other times"

Pattern = tuple[tuple[int, int, Decimal], ...]
"""The prices of a day: from which minute until which, each in pounds."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A price in pounds from one local time until another, by the clock on the wall."""

    begin: datetime
    end: datetime
    price: Decimal


def tariff(code: str, rates: Sequence[Stored], series: str = "") -> Tariff | None:
    """The tariff of a code, from its rates, or following a `series` of prices by the name of its source; None where
    they say no price of a kWh.
    """
    of = {charge: _pieces(rates, charge) for charge in (UNIT, DAY, NIGHT, STANDING)}
    charges: list[Charge] = []
    clock = "local"
    if series:
        charges.append(Dynamic(index=series))
    elif of[UNIT]:
        charges += [_rates(first, until, pattern) for first, until, pattern in _runs(of[UNIT])]
    elif of[DAY] and of[NIGHT]:
        charges += _day_and_night(of[DAY], of[NIGHT])
        clock = "UTC"
    if not charges:
        return None
    for first, until, pattern in _runs(of[STANDING]):
        charges.append(Standing(price=pattern[0][2], period="day", from_day=first, until_day=until))
    said = rates[0].fields if rates else {}
    supply = said.get("supply") or ("gas" if code.startswith("G-") else "electricity")
    direction = said.get("direction") or ("export" if "OUTGOING" in code and supply == "electricity" else "import")
    return Tariff(
        supplier=SUPPLIER,
        name=code,
        code=code,
        supply=supply,
        direction=direction,
        zone=ZONE.key,
        clock=clock,
        currency="GBP",
        charges=tuple(charges),
    )


def _pieces(rates: Iterable[Stored], charge: str) -> list[_Piece]:
    """The prices of a charge, for who pays by direct debit where the supplier tells them apart, by when they begin."""
    own = [each for each in rates if each.fields.get("charge") == charge and each.amount is not None and each.at]
    usual = [each for each in own if each.fields.get("payment_method", "") in _METHODS]
    found = [
        _Piece(_local(each.at), _local(each.fields.get("until", "")), (each.amount or Decimal(0)) / 100)
        for each in usual or own
    ]
    found.sort(key=lambda piece: piece.begin)
    ends = [*(each.begin for each in found[1:]), datetime.max]  # one that goes on for good ends where another begins
    return [replace(each, end=min(each.end, end)) for each, end in zip(found, ends, strict=False)]


def _local(said: str) -> datetime:
    """A time by the clock on the wall; the end of time where none is said."""
    if not said:
        return datetime.max
    at = datetime.fromisoformat(said)
    return at.astimezone(ZONE).replace(tzinfo=None) if at.tzinfo else at


def _runs(pieces: Sequence[_Piece]) -> Iterator[tuple[date, date | None, Pattern]]:
    """The days from the first on to before another (None: for good) that have the same prices at the same times."""
    edges = {edge for piece in pieces for edge in (piece.begin, piece.end) if edge != datetime.max}
    days = sorted({each.date() for each in edges} | {each.date() + timedelta(days=1) for each in edges})
    begun: tuple[date, Pattern] | None = None
    for day in days:
        pattern = _pattern(pieces, day)
        if begun and begun[1] == pattern:
            continue
        if begun and begun[1]:
            yield begun[0], day, begun[1]
        begun = day, pattern
    if begun and begun[1]:
        yield begun[0], None, begun[1]


def _pattern(pieces: Sequence[_Piece], day: date) -> Pattern:
    begin = datetime.combine(day, time())
    end = begin + timedelta(days=1)
    place = bisect_left(pieces, end, key=lambda piece: piece.begin)
    here: list[_Piece] = []
    while place and pieces[place - 1].end > begin:
        place -= 1
        here.append(pieces[place])
    edges = sorted({begin, end, *(edge for each in here for edge in (each.begin, each.end) if begin < edge < end)})
    found: list[tuple[int, int, Decimal]] = []
    for first, last in pairwise(edges):
        holding = next((each.price for each in here if each.begin <= first < each.end), None)
        minutes = _minutes(first, begin), _minutes(last, begin)
        if holding is None:
            continue
        if found and found[-1][1:] == (minutes[0], holding):
            found[-1] = (found[-1][0], minutes[1], holding)
        else:
            found.append((*minutes, holding))
    return tuple(found)


def _minutes(at: datetime, midnight: datetime) -> int:
    return round((at - midnight).total_seconds() / 60)


def _rates(first: date, until: date | None, pattern: Pattern) -> Rates:
    """The bands of such days: the one that holds the longest is that of all other times, where none is missing."""
    spans: dict[Decimal, list[tuple[int, int]]] = {}
    for begin, end, price in pattern:
        spans.setdefault(price, []).append((begin, end))
    longest = max(spans, key=lambda price: sum(end - begin for begin, end in spans[price]))
    is_whole = sum(end - begin for begin, end, _ in pattern) == _DAY_MINUTES
    rates = [
        Rate(band=_band(times), price=price, times=tuple(_times(*span) for span in times))
        for price, times in spans.items()
        if price != longest or not is_whole
    ]
    if is_whole:
        rates.append(Rate(band=_OTHERWISE if rates else _ALL_DAY, price=longest))
    return Rates(rates=tuple(rates), from_day=first, until_day=until)


def _band(times: Iterable[tuple[int, int]]) -> str:
    return ", ".join(f"{_clock(begin)} to {_clock(end)}" for begin, end in times)[:40]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _times(begin: int, end: int) -> Times:
    return Times(from_minute=begin, until_minute=end)


def _day_and_night(day: Sequence[_Piece], night: Sequence[_Piece]) -> Iterator[Rates]:
    """Where both are known; each from the first whole day of the later to before the first on which one changes."""
    days = [(first, until or date.max, pattern[0][2]) for first, until, pattern in _runs(day)]
    nights = [(first, until or date.max, pattern[0][2]) for first, until, pattern in _runs(night)]
    for first, until, price in days:
        for begin, end, at_night in nights:
            both = max(first, begin), min(until, end)
            if both[0] < both[1]:
                rates = (
                    Rate(band="night", price=at_night, times=(_times(*NIGHT_MINUTES),)),
                    Rate(band="day", price=price),
                )
                yield Rates(rates=rates, from_day=both[0], until_day=None if both[1] == date.max else both[1])
