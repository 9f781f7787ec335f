"""What usage costs under a tariff, exactly: finite decimals, and of a price a month or a year the days' shares, which
add up to it (see `fixed_prices`).
"""

from collections.abc import Iterator, Mapping

from appliance.errors import UserError
from appliance.tariffs import fixed_prices, percentages, unit_prices
from appliance.tariffs.charges import Capacity, Charge, Discount, Dynamic, Levy, Rates, Standing, Tiers
from appliance.tariffs.costs import Costs, Line
from appliance.tariffs.ground import Ground
from appliance.tariffs.tariff import Tariff
from appliance.tariffs.usage import Prices, Usage


def cost(
    tariff: Tariff,
    usage: Usage,
    prices: Mapping[str, Prices] | None = None,
    begin: int | None = None,
    end: int | None = None,
) -> Costs:
    """What the quarter-hours [begin, end) of the usage cost, all of them where none are named.

    `prices`: those of each index, by its name; a price that is not there is marked. Usage before `begin` counts where
    tiers or peaks look back. `UserError` where units, currencies or the span do not fit.
    """
    begin = usage.first if begin is None else begin
    end = usage.end if end is None else end
    prices = prices or {}
    if problems := list(_misfits(tariff, usage, prices, begin, end)):
        raise UserError(problems)
    ground = Ground(tariff, usage, prices, begin, end)
    lines = [line for place, charge in enumerate(tariff.charges) for line in _lines(ground, place, charge)]
    lines = percentages.added(ground, lines)
    return Costs(tariff.currency, tariff.zone, ground.dates(), tuple(lines), ground.marks())


def _misfits(tariff: Tariff, usage: Usage, prices: Mapping[str, Prices], begin: int, end: int) -> Iterator[str]:
    if usage.unit != tariff.unit:
        yield f"{tariff.name} has prices a {tariff.unit}, and the usage is in {usage.unit}; convert the usage first"
    if not usage.first <= begin <= end <= usage.end:
        yield "The span to cost is not within that of the usage; ask for one that begins before it ends, within it"
    for charge in tariff.charges:
        index = prices.get(charge.index) if isinstance(charge, Dynamic) else None
        if index is not None and index.currency != tariff.currency:
            yield f"{tariff.name} is in {tariff.currency}, and the prices of its index in {index.currency}"


def _lines(ground: Ground, place: int, charge: Charge) -> Iterator[Line]:
    """The lines of a charge that is no percentage of others."""
    active = ground.active(charge)
    if not active.any():
        return
    match charge:
        case Rates():
            yield from unit_prices.rates(ground, place, charge, active)
        case Dynamic():
            yield from unit_prices.dynamic(ground, place, charge, active)
        case Tiers():
            yield from unit_prices.tiers(ground, place, charge, active)
        case Levy():
            yield from unit_prices.levy(ground, place, charge, active)
        case Standing():
            yield from fixed_prices.standing(ground, place, charge, active)
        case Capacity():
            yield from fixed_prices.capacity(ground, place, charge, active)
        case Discount():
            yield from fixed_prices.discount(ground, place, charge, active)
