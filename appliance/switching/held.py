"""A tariff as it holds on one day, for good: what somebody who is on it, or goes to it then, has to reckon with."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from appliance.tariffs import Charge, Discount, Dynamic, Rates, Tariff, Tax, Tiers

_UNIT_PRICES = Rates | Dynamic | Tiers


def as_it_holds(tariff: Tariff, on: date, first_day: date) -> Tariff | None:
    """The tariff with the prices that hold on a day, or the next where none holds yet, at all times; None where it has
    ended. What is taken off once counts where that day is still to come: on the second of a year from `first_day` on.
    """
    if _ended(tariff.until_day, on) or any(_is_given_up(tariff.charges, each, on) for each in tariff.charges):
        return None
    if tariff.from_day is None and all(each.from_day is None and each.until_day is None for each in tariff.charges):
        return tariff
    by_name: dict[str, list[Charge]] = {}
    for charge in tariff.charges:
        by_name.setdefault(charge.name, []).append(charge)
    found = [each for versions in by_name.values() if (each := _holding(versions, on)) and not _is_past(each, on)]
    if not any(isinstance(each, _UNIT_PRICES) for each in found):
        return None
    once_on = first_day + timedelta(days=1)  # a day that begins within the year, whatever the tariff's zone is
    return replace(tariff, from_day=None, until_day=None, charges=tuple(_undated(found, once_on)))


def last_day(tariff: Tariff) -> date | None:
    """The last day on which it has prices; None where they hold for good."""
    ends = [_end(tariff.until_day), *(_last_end(tariff.charges, name) for name in _unit_names(tariff.charges))]
    return None if min(ends) == date.max else min(ends) - timedelta(days=1)


def _unit_names(charges: Sequence[Charge]) -> list[str]:
    """Of the unit prices after which no other begins."""
    named = {each.name: each for each in charges if isinstance(each, _UNIT_PRICES)}
    return [name for name, each in named.items() if _is_given_up(charges, each, date.max)]


def _is_given_up(charges: Sequence[Charge], charge: Charge, on: date) -> bool:
    """Whether a unit price has ended, and nothing began in its place."""
    if not isinstance(charge, _UNIT_PRICES):
        return False
    end = _last_end(charges, charge.name)
    follows = (each.from_day for each in charges if isinstance(each, _UNIT_PRICES) and each.name != charge.name)
    return _ended(end, on) and not any(day is not None and day >= end for day in follows)


def _last_end(charges: Iterable[Charge], name: str) -> date:
    return max(_end(each.until_day) for each in charges if each.name == name)


def _holding(versions: Sequence[Charge], on: date) -> Charge | None:
    """The version that holds on a day, else the next one."""
    to_come = [each for each in versions if not _ended(each.until_day, on)]
    return min(to_come, key=lambda each: each.from_day or date.min, default=None)


def _is_past(charge: Charge, on: date) -> bool:
    return _is_once(charge) and charge.from_day is not None and charge.from_day < on


def _is_once(charge: Charge) -> bool:
    return isinstance(charge, Discount) and charge.amount is not None and charge.period == "once"


def _undated(charges: Sequence[Charge], once_on: date) -> Iterable[Charge]:
    names = {each.name for each in charges}
    for charge in charges:
        undated = replace(charge, from_day=once_on if _is_once(charge) else None, until_day=None)
        if isinstance(undated, Discount | Tax) and undated.on:
            on = tuple(name for name in undated.on if name in names)
            if not on:
                continue
            undated = replace(undated, on=on)
        yield undated


def _end(until: date | None) -> date:
    return until or date.max


def _ended(until: date | None, on: date) -> bool:
    return _end(until) <= on
