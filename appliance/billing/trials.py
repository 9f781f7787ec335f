"""A period's bill worked out again under other circumstances: other use, days, prices, taxes or tariffs.

Each trial is one thing that may have gone wrong. The one that makes the bill's own total tells what did.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, partial
from typing import Any

import numpy as np

from appliance import tariffs as engine
from appliance.errors import UserError
from appliance.tariffs import Bill, BillLine, Charge, Discount, Dynamic, Prices, Rates, Tariff, Tax, Tiers, Usage

COMMON_TAXES = tuple(map(Decimal, ("0", "5", "6", "9", "10", "12", "13.5", "19", "20", "21", "22", "23", "25")))
"""VAT rates, in per cent, that energy has or had in Europe."""

UNITS = ("rates", "dynamic", "tiers")
"""The kinds of charges for what was used."""

QUARTERS_A_DAY = 96
MOST_DAYS = 5  # more or fewer that are tried
MOST_CHANGES = 3  # of prices before the period's end that are tried
_LEAST, _MOST = Decimal("0.4"), Decimal("1.6")
_EXPONENT = -9
_MOST_USED = 10**18  # of 10^_EXPONENT units
_PRICE = Decimal("1e-10")  # the finest that a tariff states


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """The quarter-hours [first, end) under one tariff, and the prices that it follows. `history` is the tariff with
    what it charged before and charges later; `tariff` may be without.
    """

    tariff: Tariff
    prices: Mapping[str, Prices]
    first: int
    end: int
    history: Tariff

    def within(self, first: int, end: int) -> "Stretch":
        """The part of it in [first, end), without charges of other days."""
        first, end = max(self.first, first), min(self.end, end)
        begin, until = (date(1970, 1, 1) + timedelta(days=each // QUARTERS_A_DAY) for each in (first, end))
        day = timedelta(days=1)
        held = [
            each
            for each in self.history.charges
            if (each.from_day is None or each.from_day <= until + day)
            and (each.until_day is None or each.until_day >= begin - day)
        ]
        tariff = replace(self.history, charges=tuple(held)) if held else self.history
        return replace(self, first=first, end=end, tariff=tariff)

    def bill(self, usage: Usage) -> Bill:
        """Rounded line by line, as a supplier does."""
        return engine.cost(self.tariff, usage, self.prices, self.first, self.end).bill()


@dataclass(frozen=True, eq=False)
class Case:
    """A period as we know it: what was used, and the tariffs that held."""

    usage: Usage
    stretches: tuple[Stretch, ...]

    @cached_property
    def lines(self) -> list[BillLine]:
        return [line for stretch in self.stretches for line in stretch.bill(self.usage).lines]

    @property
    def total(self) -> Decimal:
        return sum((each.amount for each in self.lines), Decimal(0))

    @cached_property
    def used(self) -> Decimal:
        """What was used in the period; the usage may tell of more, where tiers or peaks look back."""
        return self.usage.total(self._inside)

    def within(self, first: int, end: int) -> "Case":
        """The same of the quarter-hours [first, end) alone."""
        some = [each for each in self.stretches if each.first < end and first < each.end]
        return replace(self, stretches=tuple(each.within(first, end) for each in some))

    def changed(self, change: Callable[[Tariff], Tariff]) -> "Case":
        """The same under changed tariffs."""
        return replace(self, stretches=tuple(replace(each, tariff=change(each.tariff)) for each in self.stretches))

    def priced(self, change: Callable[[Tariff], Tariff]) -> "Case":
        """The same under tariffs made of the whole histories of them."""
        return replace(self, stretches=tuple(replace(each, tariff=change(each.history)) for each in self.stretches))

    def using(self, used: Decimal) -> "Case":
        """The same with so much used, spread as what was measured is; evenly where nothing was."""
        totals, inside = self.usage.totals * 10 ** (self.usage.exponent - _EXPONENT), self._inside
        part = self.usage.totals[inside]
        shape = np.cumsum(part if part.any() else np.ones(inside.stop - inside.start, np.int64)).tolist()
        wanted = Fraction(used) / Fraction(10) ** _EXPONENT
        if abs(wanted) > _MOST_USED:
            raise UserError(f"no home uses {used:f} {self.usage.unit}; correct what the bill counts")
        numerator, whole = wanted.numerator, shape[-1] * wanted.denominator
        totals[inside] = np.diff(np.array([0, *(each * numerator // whole for each in shape)]))
        return replace(self, usage=replace(self.usage, totals=totals, exponent=_EXPONENT))

    @property
    def _inside(self) -> slice:
        return slice(self.stretches[0].first - self.usage.first, self.stretches[-1].end - self.usage.first)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What the period would come to, were it as the sentence says."""

    kind: str  # days, price, bands, tax or tariff
    text: str
    total: Decimal


def price_of(case: Case) -> Decimal | None:
    """The one price of a unit in the period, None where there are several, tiers or one that follows a market."""
    found = {(each.line.kind, each.line.price) for each in case.lines if each.line.kind in UNITS}
    return next(price for _, price in found) if len(found) == 1 and {kind for kind, _ in found} == {"rates"} else None


def at_price(case: Case, price: Decimal) -> Case:
    """The same with all unit rates of one price."""
    return case.changed(partial(_each, kind=Rates, change=partial(_priced, price=price.quantize(_PRICE))))


def _priced(charge: Rates, price: Decimal) -> Rates:
    return replace(charge, rates=tuple(replace(each, price=price) for each in charge.rates))


def scaled(case: Case, kinds: Sequence[str], factor: Decimal) -> Case:
    """The same with every price of some kinds of charges times a factor."""
    for kind in kinds:
        case = case.changed(partial(_each, kind=engine.KINDS[kind], change=partial(_times, factor=Fraction(factor))))
    return case


def trials(case: Case, days: int, others: Sequence[Case], wanted: Decimal) -> Iterator[Trial]:
    """All of one thing that may change the total by what is wanted; `days` are those of the period. `others`: the same
    under each other tariff.
    """
    yield from _days(case, days, wanted)
    yield from _taxes(case, wanted)
    yield from _prices(case)
    yield from _bands(case)
    held = {each.history for each in case.stretches}
    for each in others:
        tariff = each.stretches[0].history
        what = (
            "which held for a part of the days alone" if tariff in held else "which is not the tariff that was agreed"
        )
        yield Trial("tariff", f"the prices are those of {tariff.name}, {what}", each.total)


def _days(case: Case, days: int, wanted: Decimal) -> Iterator[Trial]:
    standing = sum((each.amount for each in case.lines if each.line.kind == "standing"), Decimal(0))
    for more in [each for step in range(1, MOST_DAYS + 1) for each in (step, -step) if days + each >= 0]:
        if _may_make(standing * more / days, wanted):
            total = scaled(case, ["standing"], Decimal(days + more) / days).total
            yield Trial(
                "days", f"standing charges are counted for {days + more} days, and the period has {days}", total
            )


def _may_make(change: Decimal, wanted: Decimal) -> bool:
    """Whether a change of lines, with tax and discounts on it, may come to what is wanted; if not, it is not tried."""
    return bool(change) and _LEAST < wanted / change < _MOST


def _times(charge: Any, factor: Fraction) -> Any:
    """A charge with its prices times a factor; a market's price with what is added to it."""
    match charge:
        case Rates():
            return replace(charge, rates=tuple(replace(each, price=_of(each.price, factor)) for each in charge.rates))
        case Tiers():
            return replace(charge, tiers=tuple(replace(each, price=_of(each.price, factor)) for each in charge.tiers))
        case Dynamic():
            dated = replace(charge, factor=_of(charge.factor, factor), addition=_of(charge.addition, factor))
            floor, cap = (None if each is None else _of(each, factor) for each in (charge.floor, charge.cap))
            return replace(dated, floor=floor, cap=cap)
        case _:
            return replace(charge, price=_of(charge.price, factor))


def _of(price: Decimal, factor: Fraction) -> Decimal:
    times = Fraction(price) * factor
    return (Decimal(times.numerator) / times.denominator).quantize(_PRICE)


def _taxes(case: Case, wanted: Decimal) -> Iterator[Trial]:
    held = sorted({each.percent for one in case.stretches for each in one.tariff.charges if isinstance(each, Tax)})
    said = " and ".join(f"{each.normalize():f} %" for each in held)
    base = sum((each.amount for each in case.lines if each.line.kind != "tax"), Decimal(0))
    for percent in COMMON_TAXES:
        if len(held) < 2 and not _may_make(base * (percent - sum(held)) / 100, wanted):
            continue
        if held and held != [percent]:
            total = case.changed(partial(_each, kind=Tax, change=partial(replace, percent=percent))).total
            what = f"VAT is {percent} %" if percent else "VAT is left out"
            yield Trial("tax", f"{what}, and the tariff says {said}", total)
        elif not held and percent:
            total = case.changed(partial(_taxed, percent=percent)).total
            yield Trial("tax", f"VAT of {percent} % is added to prices that have it in them already", total)


def _taxed(tariff: Tariff, percent: Decimal) -> Tariff:
    return replace(tariff, charges=(*tariff.charges, Tax(percent=percent)))


def _prices(case: Case) -> Iterator[Trial]:
    """The prices as they were before each change of price near the period, and as they were from the last one on: all,
    or those of one name.
    """
    charges = {each: None for stretch in case.stretches for each in stretch.history.charges if each.from_day}
    changes = sorted({each.from_day for each in charges if each.from_day})
    names = sorted({each.name for each in charges})
    if not case.lines or not changes:
        return
    end, before = max(each.line.until_day for each in case.lines), case.total
    near = [each for each in changes if each < end][-MOST_CHANGES:] + [each for each in changes if each >= end][:1]
    days = [(near[-1], f"from {near[-1]}"), *((each - timedelta(days=1), f"before {each}") for each in near[::-1])]
    for day, when in days:
        for name in ("", *names) if len(names) > 1 else names:
            total = case.priced(partial(_as_on, day=day, name=name)).total
            if total != before:
                what = f"the price of {name}" if name else "all prices"
                yield Trial("price", f"{what} as it was {when} is used for the whole period", total)


def _as_on(tariff: Tariff, day: date, name: str) -> Tariff:
    """With the charges of that name (all for "") that held on a day, and no other of it."""
    found: list[Charge] = []
    for each in tariff.charges:
        if (name and each.name != name) or (isinstance(each, Discount) and each.period == "once"):
            found.append(each)
        elif (each.from_day is None or each.from_day <= day) and (each.until_day is None or day < each.until_day):
            found.append(replace(each, from_day=None, until_day=None))
    return replace(tariff, charges=tuple(found)) if found else tariff


def _bands(case: Case) -> Iterator[Trial]:
    """Day and night the wrong way round."""
    charges = [each for stretch in case.stretches for each in stretch.tariff.charges]
    if not any(isinstance(each, Rates) and len(each.rates) == 2 for each in charges):
        return
    swapped = case.changed(partial(_each, kind=Rates, change=_swapped))
    if swapped.total != case.total:
        yield Trial("bands", "the prices of the two bands are the wrong way round", swapped.total)


def _swapped(charge: Rates) -> Rates:
    if len(charge.rates) != 2:
        return charge
    one, other = charge.rates
    return replace(charge, rates=(replace(one, price=other.price), replace(other, price=one.price)))


def _each(tariff: Tariff, kind: type[Charge], change: Callable[[Any], Charge]) -> Tariff:
    """With every charge of a kind changed."""
    return replace(tariff, charges=tuple(change(each) if isinstance(each, kind) else each for each in tariff.charges))
