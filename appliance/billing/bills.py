"""The energy bills of a store, as they were imported or typed, and which supply each is for."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, select

from appliance.errors import UserError
from appliance.kinds import FIRST_YEAR, LAST_YEAR, meter_point
from appliance.kinds.energy import BILL
from appliance.store import records
from appliance.store.models import RecordRow
from appliance.store.records import Stored
from appliance.supplies import Supply

LONGEST = timedelta(days=1100)
"""Of a bill, three years: what is longer has a day that is mistyped."""


@dataclass(frozen=True, slots=True)
class EnergyBill:
    """What a bill says; None and "" where it does not. `first` and `last` are days that it is for, both included.

    `used` is in kWh, `volume` in m3, the registers in the meter's own unit; amounts are in `currency`. Of `total`,
    which is to pay, `adjustments` are not for these days: debts of before, and below nothing credits and instalments.
    """

    fact: int
    day: str
    supplier: str
    account: str
    number: str
    supply: str
    point: str
    first: date | None
    last: date | None
    total: Decimal
    currency: str
    tariff: str
    used: Decimal | None
    volume: Decimal | None
    unit_price: Decimal | None
    units: Decimal | None
    standing: Decimal | None
    levies: Decimal | None
    tax: Decimal | None
    adjustments: Decimal | None
    register_before: Decimal | None
    register_after: Decimal | None
    is_estimated: bool

    @property
    def period(self) -> tuple[date, date]:
        """Its first and last day; UserError where it does not say them."""
        if self.first is None or self.last is None:
            raise UserError(
                f"bill {self.fact} says no period; state its first and last day: "
                f"inglenook correct {self.fact} from=2026-01-01 until=2026-01-31"
            )
        if self.last < self.first:
            raise UserError(f"bill {self.fact} ends on {self.last}, before it begins on {self.first}; correct its days")
        if self.last - self.first > LONGEST or not FIRST_YEAR <= self.first.year <= self.last.year <= LAST_YEAR:
            raise UserError(f"bill {self.fact} would be for {self.first} to {self.last}; correct its days")
        return self.first, self.last

    @property
    def charged(self) -> Decimal:
        """What it asks for its days."""
        return self.total - (self.adjustments or 0)

    @property
    def counted(self) -> Decimal | None:
        """What its registers say was used, in the meter's unit."""
        if self.register_before is None or self.register_after is None:
            return None
        return self.register_after - self.register_before


def bills(connection: Connection, year: int | None = None) -> list[EnergyBill]:
    """Every energy bill that stands, or those dated in a year, oldest first."""
    found = records.selected().where(RecordRow.kind == BILL.name).order_by(RecordRow.at_us, RecordRow.fact)
    if year is not None:
        begin, end = (int(datetime(each, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 for each in (year, year + 1))
        found = found.where(RecordRow.at_us >= begin, RecordRow.at_us < end)
    return [_bill(records.stored(each)) for each in connection.execute(found)]


def years(connection: Connection) -> list[int]:
    """The years in which bills are dated, the last one first."""
    found = select(RecordRow.at_us).where(RecordRow.kind == BILL.name, RecordRow.until_us.is_(None))
    return sorted({int(records.at_text(each)[:4]) for each in connection.execute(found).scalars()}, reverse=True)


def bill(connection: Connection, fact: int) -> EnergyBill:
    """The bill of that number; UserError where none has it."""
    found = records.one(connection, fact)
    if found is None or found.kind != BILL.name:
        raise UserError(f"there is no energy bill {fact}; inglenook bills lists those that there are")
    return _bill(found)


@dataclass(frozen=True, slots=True)
class Shared:
    """Days, from the first to the last, that another bill of the same supply counts too."""

    bill: EnergyBill
    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def shared(connection: Connection, bill: EnergyBill) -> list[Shared]:
    """The days of a bill that others count too. A single day is told by none: many suppliers call the day on which a
    bill ends and the next one begins by the same date.
    """
    if bill.first is None or bill.last is None:
        return []
    found = []
    for each in bills(connection):
        is_other = each.supply != bill.supply or "" != each.point != bill.point != ""
        if each.fact != bill.fact and not is_other and each.first and each.last:
            own = Shared(each, max(each.first, bill.first), min(each.last, bill.last))
            found += [own] if own.days > 1 else []
    return found


def supply_of(known: Sequence[Supply], bill: EnergyBill) -> Supply:
    """The supply that a bill is for: that of its meter point, else the only one that takes in what it bills."""
    there = [each for each in known if each.direction != "export"]
    point = _bare(bill.point)
    found = [each for each in there if point and _bare(each.point) == point]
    found = found or [each for each in there if bill.supply in ("", each.supply)]
    if len(found) == 1:
        return found[0]
    named = ", ".join(each.name for each in found or there) or "none yet"
    what = "fits several supplies" if found else f"is for {bill.supply or 'something'}, of which there is no supply"
    how = "its meter point, and that of the supply" if bill.supply else "what it is for, such as electricity"
    raise UserError(f"bill {bill.fact} {what}; state {how}. Supplies: {named}")


def _bare(point: str) -> str:
    """A meter point's number as two papers may write it: without blanks, of a long MPAN its core."""
    with suppress(ValueError):
        return meter_point(point)
    return "".join(point.split()).upper()


def _bill(fact: Stored) -> EnergyBill:
    said = fact.fields
    return EnergyBill(
        fact=fact.id,
        day=fact.at[:10],
        supplier=fact.party,
        account=fact.account,
        number=said.get("number", ""),
        supply=said.get("supply", ""),
        point=said.get("meter_point", ""),
        first=_day(said, "from"),
        last=_day(said, "until"),
        total=fact.amount or Decimal(0),
        currency=fact.unit,
        tariff=said.get("tariff", ""),
        used=_number(said, "used"),
        volume=_number(said, "volume"),
        unit_price=_number(said, "unit_price"),
        units=_number(said, "units_charge"),
        standing=_number(said, "standing_charge"),
        levies=_number(said, "levies"),
        tax=_number(said, "tax"),
        adjustments=_number(said, "adjustments"),
        register_before=_number(said, "register_before"),
        register_after=_number(said, "register_after"),
        is_estimated=said.get("estimated") == "yes",
    )


def _day(said: Mapping[str, str], name: str) -> date | None:
    return date.fromisoformat(said[name]) if said.get(name) else None


def _number(said: Mapping[str, str], name: str) -> Decimal | None:
    return Decimal(said[name]) if said.get(name) else None
