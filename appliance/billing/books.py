"""What bills are checked against: what was used in their days and the tariffs that held then, read once for several."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from functools import cached_property

from sqlalchemy import Connection

from appliance import costs, supplies
from appliance.billing.bills import EnergyBill, supply_of
from appliance.billing.trials import Case, Stretch
from appliance.costs import Cost
from appliance.derive.rollups import QUARTER_MS
from appliance.errors import UserError
from appliance.ingest.meter_places import day_ms
from appliance.store.database import Store
from appliance.supplies import KnownTariff, Supply
from appliance.tariffs import Usage

READ_AT_ONCE = timedelta(days=400)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of the days of a bill. `told` says what was assumed, and what is not known; of days that were read
    together with others it is empty.
    """

    supply: Supply
    case: Case
    cost: Cost
    tariffs: tuple[KnownTariff, ...]
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """A supply's days from the first to the last as they were read."""

    supply: Supply
    first: date
    last: date
    cost: Cost
    case: Case


class Books:
    """Those of a store, for these bills; days are those of the zone."""

    def __init__(self, store: Store, zone: tzinfo, bills: Sequence[EnergyBill]) -> None:
        self.store, self.zone = store, zone
        self._latest = max((each.last for each in bills if each.last), default=date.min)
        self._read: list[_Read] = []

    @cached_property
    def supplies(self) -> list[Supply]:
        return supplies.every(self.store, self.zone)

    @cached_property
    def tariffs(self) -> list[KnownTariff]:
        """All that are known."""
        with self.store.read() as connection:
            return supplies.tariffs(connection)

    def known(self, bill: EnergyBill) -> Known:
        """What is known of a bill's days; UserError, with what to do, where that is not enough to make it again."""
        supply = supply_of(self.supplies, bill)
        read = self._covering(supply, *bill.period)
        first, end = self.quarters(*bill.period)
        case = read.case.within(first, end)
        if sum(each.end - each.first for each in case.stretches) < end - first:
            read = self._as_the_bill_says(bill, read)
            case = read.case.within(first, end)
        terms = [part.term for part in read.cost.parts if part.term.first < end and first < part.term.end]
        held = dict.fromkeys(each.tariff for each in terms if each.tariff)
        told = read.cost.told if (read.first, read.last) == bill.period else ()
        return Known(supply, case, read.cost, tuple(held), told)

    def others(self, known: Known, usage: Usage, currency: str) -> list[Case]:
        """The same use under each tariff of the currency alone, but the one that was agreed for all of the period."""
        first, end = known.case.stretches[0].first, known.case.stretches[-1].end
        fitting = [
            each
            for each in self.tariffs
            if each.is_for(known.supply) and each.tariff and each.tariff.unit == known.supply.unit
        ]
        held = {each.fact for each in known.tariffs if len(known.tariffs) == 1}
        with self.store.read() as connection:
            return [
                Case(usage, (_stretch(connection, each, first, end),))
                for each in fitting
                if each.fact not in held and each.needed().currency == currency
            ]

    def quarters(self, first: date, last: date) -> tuple[int, int]:
        """The quarter-hours [first, end) of whole local days, numbered since 1970 UTC."""
        return day_ms(first, self.zone)[0] // QUARTER_MS, day_ms(last, self.zone)[1] // QUARTER_MS

    def _covering(self, supply: Supply, first: date, last: date) -> _Read:
        """What was read of these days, with those that other bills ask for next where it is read now."""
        for each in self._read:
            if each.supply == supply and each.first <= first and last <= each.last:
                return each
        return self._reading(supply, first, max(last, min(first + READ_AT_ONCE, self._latest)))

    def _reading(self, supply: Supply, first: date, last: date, tariff: str = "") -> _Read:
        cost = costs.cost(self.store, supply, self.zone, first, last, tariff)
        with self.store.read() as connection:
            stretches = [
                _stretch(connection, part.term.tariff, part.term.first, part.term.end)
                for part in cost.parts
                if part.term.tariff
            ]
        for each in stretches:
            if each.tariff.unit != supply.unit:
                raise UserError(
                    f"{each.tariff.name} has prices a {each.tariff.unit}, and a bill of {supply.name} is made again in "
                    f"{supply.unit}; compare its total with the page Energy"
                )
        read = _Read(supply, first, last, cost, Case(cost.used.quarters, tuple(stretches)))
        if not tariff:
            self._read.append(read)
        return read

    def _as_the_bill_says(self, bill: EnergyBill, read: _Read) -> _Read:
        """Under the tariff that the bill names, where no agreement is known of any of its days."""
        first, end = self.quarters(*bill.period)
        terms = [part.term for part in read.cost.parts if part.term.first < end and first < part.term.end]
        if bill.tariff and all(each.agreement is None for each in terms):
            return self._reading(read.supply, *bill.period, bill.tariff)
        unknown = next(each for each in terms if each.tariff is None)
        days = [costs.day_of(each, self.zone) for each in (max(unknown.first, first), min(unknown.end, end) - 1)]
        raise UserError(
            f"which tariff bill {bill.fact} is for is not known from {days[0]} to {days[1]}; add an agreement for "
            "these days, or state the bill's tariff by a name that is known"
        )


def _stretch(connection: Connection, known: KnownTariff, first: int, end: int) -> Stretch:
    tariff = known.needed()
    return Stretch(tariff, supplies.prices(connection, tariff, first, end), first, end, tariff)
