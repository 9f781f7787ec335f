"""The switch check: every tariff that is known for a supply applied to the household's own last year."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal

from sqlalchemy import Connection

from appliance import supplies
from appliance import tariffs as engine
from appliance.derive.rollups import QUARTER_MS
from appliance.errors import UserError
from appliance.ingest.meter_places import day_ms
from appliance.store.database import Store
from appliance.supplies import Agreement, KnownTariff, Supply
from appliance.switching import fed_in
from appliance.switching.held import as_it_holds, last_day
from appliance.switching.instead import NOTHING, Instead, WhatIf
from appliance.switching.offers import Comparison, LeftOut, Line, Offer
from appliance.switching.written import plain
from appliance.switching.year import Year, last_year, used_in
from appliance.tariffs import Costs, Prices, Tariff

MOST_UNPRICED = Decimal("0.05")
"""A tariff without a price for more of the use than this cannot be compared."""

LOST = "What is no longer fed in"

_PERCENTAGES = ("discount", "tax")
_UNIT_PRICES = ("rates", "dynamic", "tiers")


@dataclass(frozen=True, slots=True)
class _Held:
    """A known tariff, with the prices that hold now."""

    known: KnownTariff
    tariff: Tariff


@dataclass(frozen=True, slots=True)
class _Costed:
    """What the year costs on a tariff: as likely, and where not all was read also with least and with most use."""

    known: KnownTariff
    amounts: tuple[Decimal, ...]
    lines: tuple[Line, ...]
    remarks: tuple[str, ...]


def compare(
    store: Store, supply: Supply, zone: tzinfo, on: date | None = None, what_if: WhatIf = NOTHING
) -> Comparison:
    """The last year of a supply before a day (today where none is named) under every tariff, at that day's prices.

    What is supposed holds for every tariff, and staying is as it is. UserError where not a day was read, no tariff is
    known, or what is supposed is of no use for the supply.
    """
    if what_if.battery_kwh:
        fed_in.need_electricity(supply)
    on = on or datetime.now(zone).date()
    year = last_year(store, supply, zone, on)
    with store.read() as connection:
        known = [each for each in supplies.tariffs(connection) if each.is_for(supply)]
        if not known:
            raise UserError(f"no tariff of {supply.name} is known to compare; import some: inglenook import FILE")
        begin = day_ms(on, zone)[0] // QUARTER_MS
        [term] = supplies.terms(connection, supply, begin, begin + 1, zone)
        current = term.tariff
        held, left_out = _all_held(known, current, on, year.first_day)
        prices = _prices(connection, [each.tariff for each in held], year)
    currency = _currency(held, current)
    own_held = next((each for each in held if current and each.known.fact == current.fact), None)
    years = _years(store, supply, zone, on, year, held)
    own = _costed(own_held, years, prices, currency) if own_held else None
    instead, told = _instead(store, supply, zone, on, year, currency, what_if)
    results = [_costed(each, years, prices, currency, instead) for each in held]
    staying = own if isinstance(own, _Costed) else None
    fee, about_fee = _exit_fee(term.agreement, current, on, currency)
    offers = [_offer(each, staying, fee) for each in results if isinstance(each, _Costed)]
    left_out += [each for each in results if isinstance(each, LeftOut)]
    about = [*about_fee, *_about_staying(current, term.agreement, staying, on), *told]
    return Comparison(
        supply=supply,
        on=on,
        first_day=year.first_day,
        last_day=year.last_day,
        days=year.days,
        days_read=year.days_read,
        used=year.used,
        currency=currency,
        staying=_offer(staying, staying, fee) if staying else None,
        offers=tuple(sorted(offers, key=lambda each: (each.first_year, not each.is_current, each.fact))),
        left_out=tuple(left_out),
        assumptions=(*_about(year, on), *about),
        is_rough=year.is_rough,
        what_if=what_if.words,
    )


def _years(
    store: Store, supply: Supply, zone: tzinfo, on: date, year: Year, held: Iterable[_Held]
) -> dict[str, Year | UserError]:
    """The year by the units of the tariffs' prices, or why there is none."""
    found: dict[str, Year | UserError] = {supply.unit: year}
    for each in held:
        if each.tariff.unit not in found:
            try:
                found[each.tariff.unit] = last_year(store, supply, zone, on, each.tariff)
            except UserError as error:
                found[each.tariff.unit] = error
    return found


def _instead(
    store: Store, supply: Supply, zone: tzinfo, on: date, year: Year, currency: str, what_if: WhatIf
) -> tuple[Instead | None, list[str]]:
    """What is supposed, and its assumptions."""
    if not what_if:
        return None, []
    if not what_if.battery_kwh:
        return Instead(what_if, year, zone, None), what_if.assumptions
    found = fed_in.found(store, supply, zone, on, year, currency)
    return Instead(what_if, year, zone, found.fed_in), [*what_if.assumptions, *found.told]


def _all_held(
    known: Iterable[KnownTariff], current: KnownTariff | None, on: date, first_day: date
) -> tuple[list[_Held], list[LeftOut]]:
    held, left_out = list[_Held](), list[LeftOut]()
    for each in known:
        if each.tariff is None:
            left_out.append(_left_out(each, f"it cannot be read: {each.problem}"))
            continue
        if each.lacks:
            left_out.append(_left_out(each, each.lacks))
            continue
        ended = last_day(each.tariff)
        found = as_it_holds(each.tariff, on, first_day)
        if found is None and ended and current is not None and each.fact == current.fact:
            found = as_it_holds(each.tariff, ended, first_day)
        if found is None:
            left_out.append(_left_out(each, f"it has no prices on {on}: its last day is {ended}"))
        else:
            held.append(_Held(each, found))
    return held, left_out


def _left_out(known: KnownTariff, why: str) -> LeftOut:
    return LeftOut(known.fact, known.supplier, known.name, why)


def _prices(connection: Connection, tariffs: Iterable[Tariff], year: Year) -> dict[str, Prices]:
    """The prices of every index that any of the tariffs follows, each read once."""
    found, asked = dict[str, Prices](), set[str]()
    for tariff in tariffs:
        if supplies.followed(tariff) - asked:
            found |= supplies.prices(connection, tariff, year.first, year.end)
            asked |= supplies.followed(tariff)
    return found


def _currency(held: Sequence[_Held], current: KnownTariff | None) -> str:
    """That of what is agreed now, else of most tariffs."""
    found = [each.tariff.currency for each in held]
    own = [each.tariff.currency for each in held if current and each.known.fact == current.fact]
    return own[0] if own else max(sorted(set(found)), key=found.count, default="")


def _costed(
    held: _Held,
    years: Mapping[str, Year | UserError],
    prices: Mapping[str, Prices],
    currency: str,
    instead: Instead | None = None,
) -> _Costed | LeftOut:
    known, tariff = held.known, held.tariff
    year = years[tariff.unit]
    if isinstance(year, UserError):
        return _left_out(known, "; ".join(year.problems))
    if tariff.currency != currency:
        return _left_out(known, f"its prices are in {tariff.currency}, and the others in {currency}")
    amounts, remarks, lines = list[Decimal](), list[str](), tuple[Line, ...]()
    for likely in year.uses:
        try:
            usage, lost = instead.changed(likely, tariff, prices) if instead else (likely, Decimal(0))
            costs = engine.cost(tariff, usage, prices, year.first, year.end)
        except UserError as error:
            return _left_out(known, "; ".join(error.problems))
        used = used_in(usage, year.first, year.end)
        if abs(costs.marks.unpriced) > MOST_UNPRICED * abs(used):
            return _left_out(known, _why_unpriced(costs, used, supplies.followed(tariff) - prices.keys()))
        amounts.append(costs.total + _of_unpriced(costs, used) + lost)
        if not lines:
            lines = tuple(_lines(costs)) + ((Line(LOST, "", Decimal(0), "", lost),) if lost else ())
            remarks += costs.marks.remarks
            if costs.marks.unpriced:
                remarks.append(f"{_percent(costs, used)} of the use has no price: it is taken at the mean price")
    return _Costed(known, tuple(amounts), lines, tuple(remarks))


def _why_unpriced(costs: Costs, used: Decimal, unknown: set[str]) -> str:
    if unknown:
        return f"there are no prices of {', '.join(sorted(unknown))}, which it follows; fetch or import them"
    return (
        f"it has no price for {_percent(costs, used)} of the use; import the prices that it follows for the whole year"
    )


def _percent(costs: Costs, used: Decimal) -> str:
    return f"{100 * costs.marks.unpriced / used:.1f} %"


def _of_unpriced(costs: Costs, used: Decimal) -> Decimal:
    """What the use without a price costs at the mean price of the rest, with the percentages on it."""
    unpriced = costs.marks.unpriced
    if not unpriced:
        return Decimal(0)
    plain = sum((line.amount for line in costs.lines if line.kind not in _PERCENTAGES), Decimal(0))
    by_use = sum((line.amount for line in costs.lines if line.kind in _UNIT_PRICES), Decimal(0))
    factor = costs.total / plain if plain else Decimal(1)
    return by_use * unpriced / (used - unpriced) * factor


def _lines(costs: Costs) -> Iterator[Line]:
    """What each band of each charge comes to, its months together."""
    found: dict[tuple[str, str, str], tuple[Decimal, Decimal]] = {}
    for line in costs.lines:
        key = line.name, line.band, line.unit
        quantity, amount = found.get(key, (Decimal(0), Decimal(0)))
        found[key] = quantity + line.quantity, amount + line.amount
    return (Line(name, band, quantity, unit, amount) for (name, band, unit), (quantity, amount) in found.items())


# ---- what it comes to ----


def _offer(costed: _Costed, own: _Costed | None, leaving: Decimal) -> Offer:
    known, amounts = costed.known, costed.amounts
    is_current = own is not None and known.fact == own.known.fact
    fee = Decimal(0) if is_current else leaving
    savings = [before - after - fee for before, after in zip(own.amounts, amounts, strict=True)] if own else []
    return Offer(
        fact=known.fact,
        supplier=known.supplier,
        name=known.name,
        code=known.code,
        is_current=is_current,
        yearly=amounts[0],
        low=min(amounts),
        high=max(amounts),
        exit_fee=fee,
        saving=savings[0] if savings else None,
        saving_low=min(savings, default=None),
        saving_high=max(savings, default=None),
        lines=costed.lines,
        remarks=costed.remarks,
    )


def _exit_fee(
    agreement: Agreement | None, current: KnownTariff | None, on: date, currency: str
) -> tuple[Decimal, list[str]]:
    """What leaving costs once, and that in words."""
    fee = current.tariff.exit_fee if current and current.tariff else Decimal(0)
    if agreement is None:
        return Decimal(0), []
    if agreement.exit_fee is not None:
        if agreement.currency not in ("", currency):
            said = f"{plain(agreement.exit_fee)} {agreement.currency}"
            return Decimal(0), [f"the exit fee of {said} is in another currency, and is left out"]
        fee = agreement.exit_fee
    if not fee or (agreement.fixed_until and agreement.fixed_until < on):
        return Decimal(0), []
    until = f"; after {agreement.fixed_until} leaving costs nothing" if agreement.fixed_until else ""
    return fee, [f"leaving what is agreed costs {plain(fee)} {currency} once, and counts in the first year{until}"]


def _about(year: Year, on: date) -> Iterator[str]:
    yield f"the use is that of {year.first_day} to {year.last_day}, {year.used:,.0f} {year.supply.unit} in the year"
    yield (
        f"each tariff's prices are those that hold on {on}, as if they held for the whole year; where they follow an "
        "index, they are the index's of that year"
    )
    yield from year.told
    used = year.uses[0]
    if estimated := int(used.estimated[year.first - used.first :].sum()):
        part = 100 * estimated / (year.end - year.first)
        yield (
            f"{part:.0f} % of the use is known by longer intervals alone and spread over them evenly: by the time "
            "of day it may have been another"
        )


def _about_staying(
    current: KnownTariff | None, agreement: Agreement | None, own: _Costed | None, on: date
) -> Iterator[str]:
    if agreement is None:
        yield (
            f"no agreement is known on {on}, so that nothing can be said to be saved; say it: inglenook add "
            "energy.agreement supply=electricity tariff=NAME at=DATE"
        )
    elif current is None:
        yield f"the tariff {agreement.tariff!r}, agreed now, is not known: nothing can be said to be saved; import it"
    elif own is None:
        yield f"what is agreed now, {current.name}, cannot be compared; see why it is left out"
    elif current.tariff and (ended := last_day(current.tariff)) and ended < on:
        yield f"the prices of {current.name}, which is agreed now, ended on {ended}: it is compared with these"
    if agreement and agreement.notice_days:
        yield f"leaving what is agreed takes {agreement.notice_days} days' notice"
