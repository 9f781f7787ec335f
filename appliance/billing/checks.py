"""A supplier's bill against the same bill made of our readings and the tariff that held, and why they differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from decimal import Decimal
from functools import partial

from appliance.billing.bills import EnergyBill, bill, bills
from appliance.billing.books import Books, Known
from appliance.billing.causes import Cause, Question, causes, hint, ours
from appliance.billing.registers import gas_volume, shown
from appliance.billing.trials import UNITS, Case, Trial, price_of
from appliance.costs import Cost
from appliance.errors import UserError
from appliance.ingest.meter_places import COUNTED_IN
from appliance.store.database import Store
from appliance.supplies import Supply
from appliance.tariffs import BillLine

IN_ITS_UNIT = ("electricity", "water")
"""The supplies whose registers count what is billed; gas is billed by its energy, and heat is often counted in GJ."""

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing of a bill beside ours; None where it states none, or we know none. `lines` are ours that make it up."""

    what: str
    billed: Decimal | None
    ours: Decimal | None
    unit: str
    lines: tuple[BillLine, ...] = ()

    @property
    def difference(self) -> Decimal | None:
        """How much more the bill says."""
        return None if self.ours is None or self.billed is None else self.billed - self.ours


@dataclass(frozen=True, eq=False)
class Check:
    """A bill, the same made by us line by line, and their difference (bill less ours) explained.

    `causes` together explain all but `unexplained`; each of `also` would explain as much as the last of them. `told`
    are sentences on what was assumed and what is not known.
    """

    bill: EnergyBill
    supply: Supply
    tariffs: tuple[str, ...]
    lines: tuple[BillLine, ...]
    total: Decimal
    currency: str
    compared: tuple[Compared, ...]
    causes: tuple[Cause, ...]
    also: tuple[Cause, ...]
    told: tuple[str, ...]
    cost: Cost

    @property
    def difference(self) -> Decimal:
        """How much more the bill asks than we would."""
        return self.bill.charged - self.total

    @property
    def unexplained(self) -> Decimal:
        return self.difference - sum((each.amount for each in self.causes), _NOTHING)

    @property
    def is_right(self) -> bool:
        """Whether it differs by no more than rounding does."""
        return not self.difference or (not self.unexplained and {each.kind for each in self.causes} == {"rounding"})

    @property
    def why(self) -> str:
        """Why it differs, in a few words; "" where it is right."""
        if self.is_right:
            return ""
        if not self.causes:
            return "not explained"
        said = dict.fromkeys(each.short for each in self.causes if each.kind != "rounding")
        estimated = ["estimated readings"] if self.bill.is_estimated and self.causes[0].kind == "use" else []
        rest = ["and something else"] if self.unexplained else []
        return ", ".join([*estimated, *said, *rest])

    @property
    def verdict(self) -> str:
        """The whole in a sentence."""
        if not self.difference:
            return "The bill is right to the last cent."
        more = "more" if self.difference > 0 else "less"
        what = f"The bill asks {abs(self.difference):.2f} {self.currency} {more} than its tariff and your readings make"
        if self.is_right:
            return f"{what}: no more than rounding does."
        if not self.causes:
            return f"{what}, and none of the usual causes explains it. Ask the supplier for each line."
        if self.unexplained:
            return f"{what}; {abs(self.unexplained):.2f} {self.currency} of it is not explained."
        return f"{what}; all of it is explained."


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A bill that cannot be checked, and what to do."""

    bill: EnergyBill
    problem: str


def every(store: Store, zone: tzinfo, some: Sequence[EnergyBill] | None = None) -> list[Check | Unchecked]:
    """Each bill of a store checked, oldest first; or `some`, in their order, wherever they are kept."""
    if some is None:
        with store.read() as connection:
            some = bills(connection)
    books = Books(store, zone, some)
    return [_checked(books, each) for each in some]


def _checked(books: Books, bill: EnergyBill) -> Check | Unchecked:
    try:
        return _check(books, bill)
    except UserError as error:
        return Unchecked(bill, "; ".join(error.problems))


def check(store: Store, fact: int, zone: tzinfo) -> Check:
    """The bill of that number checked; `zone` is that of its days. UserError where that cannot be, and what to do."""
    with store.read() as connection:
        found = bill(connection, fact)
    return _check(Books(store, zone, [found]), found)


def _check(books: Books, bill: EnergyBill) -> Check:
    known = books.known(bill)
    currency = _currency(bill, known)
    first, last = bill.period
    volume = _volume(books, bill, known)
    used = _billed_use(bill, known, volume)
    asked = Question(
        bill=bill,
        case=known.case,
        days=(last - first).days + 1,
        used=used,
        counted=bill.counted if known.supply.supply in IN_ITS_UNIT else None,
        registers=(
            _shown(books, known, first) if bill.register_before is not None else None,
            _shown(books, known, last, at_end=True) if bill.register_after is not None else None,
        ),
        currency=currency,
        volume=volume,
        others=lambda case: books.others(known, case.usage, currency),
        shorter=partial(_shorter, books, bill, has_use=used is not None),
    )
    found, also = causes(asked)
    return Check(
        bill=bill,
        supply=known.supply,
        tariffs=tuple(dict.fromkeys(each.name for each in known.tariffs)),
        lines=tuple(known.case.lines),
        total=known.case.total,
        currency=currency,
        compared=tuple(_compared(asked, known.supply)),
        causes=tuple(found),
        also=tuple(also),
        told=(*known.told, *filter(None, [] if found else [hint(asked)])),
        cost=known.cost,
    )


def _currency(bill: EnergyBill, known: Known) -> str:
    found = {each.needed().currency for each in known.tariffs} | ({bill.currency} if bill.currency else set())
    if len(found) > 1:
        raise UserError(
            f"bill {bill.fact} is in another currency than its tariff: {' and '.join(sorted(found))}; correct that of "
            "the bill, or agree to a tariff in its currency"
        )
    return found.pop()


def _billed_use(bill: EnergyBill, known: Known, volume: Decimal | None) -> Decimal | None:
    """What the bill counts, in the supply's unit: what it says, else what its registers make; of gas that it states by
    volume alone, as much as our m3 hold. None where it says neither.
    """
    said = bill.volume if known.supply.unit == "m3" else bill.used
    if said is not None or known.supply.supply in IN_ITS_UNIT:
        return said if said is not None else bill.counted
    stated = bill.volume if bill.volume is not None else bill.counted
    return stated * known.case.used / volume if stated is not None and volume else None


def _volume(books: Books, bill: EnergyBill, known: Known) -> Decimal | None:
    """How many m3 of gas we count, where the bill says how many it does."""
    is_stated = bill.volume is not None or bill.counted is not None
    return gas_volume(books.store, known.supply, *bill.period, books.zone) if is_stated else None


def _shown(books: Books, known: Known, day: date, *, at_end: bool = False) -> Decimal | None:
    return shown(books.store, known.supply, day, books.zone, at_end=at_end)


def _shorter(books: Books, bill: EnergyBill, case: Case, *, has_use: bool) -> list[Trial]:
    """As if the bill's last day were the first one that it is not for."""
    first, last = bill.period
    if first == last:
        return []
    days = case.within(*books.quarters(first, last - timedelta(days=1)))
    same_use = days.using(case.used) if has_use else days
    return [Trial("days", f"its last day, {last}, is not counted", same_use.total)]


def _compared(asked: Question, supply: Supply) -> Iterator[Compared]:
    """What the bill states or we have a line of: first what was counted, then what that comes to."""
    bill, dial = asked.bill, COUNTED_IN[supply.supply][0]
    found = [
        Compared("Register before", bill.register_before, asked.registers[0], dial),
        Compared("Register after", bill.register_after, asked.registers[1], dial),
        Compared("Volume used", bill.volume if supply.unit != "m3" else None, asked.volume, "m3"),
        Compared("Used", asked.used, asked.case.used, supply.unit),
        Compared("Price of a unit", bill.unit_price, price_of(asked.case), asked.currency),
        _line("For what was used", bill.units, asked, UNITS),
        _line("Capacity", None, asked, ("capacity",)),
        _line("Standing charges", bill.standing, asked, ("standing",)),
        _line("Levies", bill.levies, asked, ("levy",)),
        _line("Discounts", None, asked, ("discount",)),
        _line("Tax", bill.tax, asked, ("tax",)),
        Compared("For these days" if bill.adjustments else "To pay", bill.charged, asked.case.total, asked.currency),
    ]
    yield from (each for each in found[:3] if each.billed is not None)
    yield from (each for each in found[3:] if each.billed is not None or each.ours is not None)


def _line(what: str, billed: Decimal | None, asked: Question, kinds: Sequence[str]) -> Compared:
    lines = tuple(each for each in asked.case.lines if each.line.kind in kinds)
    return Compared(what, billed, ours(billed, asked.case.lines, *kinds), asked.currency, lines)
