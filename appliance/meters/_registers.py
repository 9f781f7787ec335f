"""What a meter states under OBIS ids -> readings: units, signs and limits, the same for SML and D0."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from appliance.obis import OPPOSITES, REGISTERS, SIGNED, Quantity, in_unit, plausible
from appliance.records import MeterReading


@dataclass(frozen=True, slots=True)
class Stated:
    """One value under a reduced id `A-B:C.D.E`. `has_time`: `at_ms` is the meter's own."""

    code: str
    value: Decimal
    unit: str
    at_ms: int
    has_time: bool = False


def readings(every: Sequence[Stated], quantities: Mapping[str, Quantity] = REGISTERS) -> tuple[list[MeterReading], int]:
    """The readings, in the order of the ids, each role once; and how many values were refused."""
    codes = {each.code for each in every}
    found: dict[str, MeterReading] = {}
    refused = 0
    for each in every:
        for quantity, value in _quantities(each, codes, quantities):
            reading = _reading(each, quantity, value)
            refused += reading is None
            if reading is not None:
                found.setdefault(reading.role, reading)
    return list(found.values()), refused


def _quantities(
    each: Stated, codes: Iterable[str], quantities: Mapping[str, Quantity]
) -> list[tuple[Quantity, Decimal]]:
    """What an id measures: nothing that is kept, one quantity, or a signed one's both directions."""
    ways = SIGNED.get(each.code)
    out = OPPOSITES.get(each.code)
    if out is not None and out not in codes:
        ways = REGISTERS[each.code], REGISTERS[out]
    if ways is not None:
        size, nothing = each.value.copy_abs(), each.value.copy_abs() * 0
        return [(ways[0], nothing), (ways[1], size)] if each.value < 0 else [(ways[0], size), (ways[1], nothing)]
    quantity = quantities.get(each.code)
    return [] if quantity is None else [(quantity, each.value)]


def _reading(each: Stated, quantity: Quantity, stated: Decimal) -> MeterReading | None:
    value = in_unit(stated, each.unit, quantity.unit)
    if value is None or not plausible(value, quantity.unit):
        return None
    return MeterReading(quantity.role, each.at_ms, value, quantity.unit, stated=each.has_time)
