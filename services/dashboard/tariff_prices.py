"""The prices of a tariff on a day, and a tariff whose prices are others from a day on: old days keep theirs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from appliance.tariffs import Capacity, Charge, Discount, Dynamic, Levy, Rates, Standing, Tariff, Tax, Tiers


@dataclass(frozen=True, slots=True)
class Price:
    """One number that a tariff states: of a charge (its place, and that of its name among the tariff's) and, where that
    has several, of one of its parts.
    """

    charge: int
    name: int
    part: int
    attribute: str
    title: str
    value: Decimal
    per: str
    from_day: date | None
    until_day: date | None

    @property
    def field(self) -> str:
        """What names it in a form, on whatever day."""
        return f"{self.attribute}-{self.name}-{self.part}"


def on(tariff: Tariff, day: date) -> list[Price]:
    """What a tariff states of the charges that hold on a day, in its order."""
    return [
        price
        for place, charge in enumerate(tariff.charges)
        if (charge.from_day or date.min) <= day < (charge.until_day or date.max)
        for price in _of(tariff, place, charge)
    ]


def every(tariff: Tariff) -> list[Price]:
    """All that a tariff states, of any day."""
    return [price for place, charge in enumerate(tariff.charges) for price in _of(tariff, place, charge)]


def _of(tariff: Tariff, place: int, charge: Charge) -> Iterator[Price]:
    names = list(dict.fromkeys(each.name for each in tariff.charges))
    which, unit, ends = (place, names.index(charge.name)), tariff.unit, (charge.from_day, charge.until_day)
    if isinstance(charge, Rates):
        for part, rate in enumerate(charge.rates):
            yield Price(*which, part, "rates", f"{charge.name}, {rate.band}", rate.price, unit, *ends)
    elif isinstance(charge, Tiers):
        for part, tier in enumerate(charge.tiers):
            yield Price(*which, part, "tiers", f"{charge.name}, {tier.band}", tier.price, unit, *ends)
    elif isinstance(charge, Dynamic):
        yield Price(*which, 0, "factor", f"{charge.name}, {charge.index} times", charge.factor, "", *ends)
        yield Price(*which, 0, "addition", f"{charge.name}, plus", charge.addition, unit, *ends)
    elif isinstance(charge, Tax):
        yield Price(*which, 0, "percent", charge.name, charge.percent, "%", *ends)
    elif isinstance(charge, Discount):
        if charge.percent is not None:
            yield Price(*which, 0, "percent", charge.name, charge.percent, "%", *ends)
        elif charge.amount is not None:
            yield Price(*which, 0, "amount", charge.name, charge.amount, charge.period, *ends)
    elif isinstance(charge, Levy):
        yield Price(*which, 0, "price", charge.name, charge.price, unit, *ends)
    elif isinstance(charge, Capacity):
        yield Price(*which, 0, "price", charge.name, charge.price, f"kW and {charge.period}", *ends)
    elif isinstance(charge, Standing):
        yield Price(*which, 0, "price", charge.name, charge.price, charge.period, *ends)


def changed(tariff: Tariff, day: date, values: Mapping[str, Decimal]) -> Tariff:
    """The tariff with other prices (by their fields) from a day on; a charge that begins on that day is put right.

    UserError where that is no tariff.
    """
    wanted = [each for each in on(tariff, day) if values.get(each.field, each.value) != each.value]
    charges: list[Charge] = []
    for place, charge in enumerate(tariff.charges):
        new = charge
        for price in wanted:
            if price.charge == place:
                new = _with(new, price, values[price.field])
        if new is charge:
            charges.append(charge)
        elif (charge.from_day or date.min) == day:
            charges.append(new)
        else:
            charges += [replace(charge, until_day=day), replace(new, from_day=day)]
    return replace(tariff, charges=tuple(charges))


def _with(charge: Charge, price: Price, value: Decimal) -> Charge:
    if isinstance(charge, Rates):
        rates = list(charge.rates)
        rates[price.part] = replace(rates[price.part], price=value)
        return replace(charge, rates=tuple(rates))
    if isinstance(charge, Tiers):
        tiers = list(charge.tiers)
        tiers[price.part] = replace(tiers[price.part], price=value)
        return replace(charge, tiers=tuple(tiers))
    said: dict[str, Decimal] = {price.attribute: value}
    return replace(charge, **said)  # type: ignore[arg-type]
