"""A supplier's bill against the same bill made of our readings and the tariff that held, and why they differ."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from functools import partial

from sqlalchemy import Connection

from appliance import costs, supplies
from appliance.billing.bills import EnergyBill, bill, bills, supply_of
from appliance.billing.registers import shown
from appliance.billing.trials import Case, Stretch, Trial, trials
from appliance.costs import Cost
from appliance.devices.words import number, quantity_of
from appliance.errors import UserError
from appliance.ingest.meter_places import COUNTED_IN
from appliance.store.database import Store
from appliance.supplies import KnownTariff, Supply
from appliance.tariffs import BillLine, Usage

CENT = Decimal("0.01")
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing that a bill says, beside ours (None: we do not know it)."""

    what: str
    billed: Decimal
    ours: Decimal | None
    unit: str

    @property
    def difference(self) -> Decimal | None:
        """How much more the bill says."""
        return None if self.ours is None else self.billed - self.ours


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a bill is higher (`amount` above nothing) or lower than ours, in a sentence for a person.

    `kind`: use, days, price, bands, tax, tariff or rounding. A use is stated by the bill itself; of the others it is
    found that they make the bill's own total, within what rounding every line may do.
    """

    kind: str
    text: str
    amount: Decimal


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

    @property
    def difference(self) -> Decimal:
        """How much more the bill asks than we would."""
        return self.bill.total - self.total

    @property
    def unexplained(self) -> Decimal:
        return self.difference - sum((each.amount for each in self.causes), _NOTHING)

    @property
    def verdict(self) -> str:
        """The whole in a sentence."""
        if not self.difference:
            return "The bill is right to the last cent."
        more = "more" if self.difference > 0 else "less"
        what = f"The bill asks {abs(self.difference):.2f} {self.currency} {more} than its tariff and your readings make"
        if {each.kind for each in self.causes} == {"rounding"}:
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


def every(store: Store, zone: tzinfo) -> list[Check | Unchecked]:
    """Each bill of a store checked, oldest first."""
    with store.read() as connection:
        there = bills(connection)
    return [_checked(store, each, zone) for each in there]


def _checked(store: Store, bill: EnergyBill, zone: tzinfo) -> Check | Unchecked:
    try:
        return _check(store, bill, zone)
    except UserError as error:
        return Unchecked(bill, "; ".join(error.problems))


def check(store: Store, fact: int, zone: tzinfo) -> Check:
    """The bill of that number checked; `zone` is that of its days. UserError where that cannot be, and what to do."""
    with store.read() as connection:
        found = bill(connection, fact)
    return _check(store, found, zone)


def _check(store: Store, bill: EnergyBill, zone: tzinfo) -> Check:
    first, last = bill.period
    supply = supply_of(store, bill, zone)
    cost = _cost(store, supply, bill, zone)
    with store.read() as connection:
        case = _case(connection, cost)
    known = [part.term.tariff for part in cost.parts if part.term.tariff]
    currency = _currency(bill, known)
    lines, before = tuple(case.lines), shown(store, supply, first, zone)
    after = shown(store, supply, last, zone, at_end=True)
    billed, dial = _billed_use(bill, supply), COUNTED_IN[supply.supply][0]
    compared = [
        _compared("Register before", bill.register_before, before, dial),
        _compared("Register after", bill.register_after, after, dial),
        _compared("Used", billed, case.used, supply.unit),
        _compared("Standing charges", bill.standing, _nearest(bill.standing, lines, "standing"), currency),
        _compared("Tax", bill.tax, _nearest(bill.tax, lines, "tax"), currency),
        _compared("To pay", bill.total, case.total, currency),
    ]
    others = partial(_others, store, cost, currency)
    causes, also = _causes(bill, case, others, billed, (last - first).days + 1, after)
    return Check(
        bill=bill,
        supply=supply,
        tariffs=tuple(dict.fromkeys(each.name for each in known)),
        lines=lines,
        total=case.total,
        currency=currency,
        compared=tuple(each for each in compared if each),
        causes=tuple(causes),
        also=tuple(also),
        told=cost.told,
    )


# ---- what the period comes to ----


def _cost(store: Store, supply: Supply, bill: EnergyBill, zone: tzinfo) -> Cost:
    """As agreed; where no agreement is known, under the tariff that the bill names."""
    found = costs.cost(store, supply, zone, *bill.period)
    if bill.tariff and all(part.term.agreement is None for part in found.parts):
        found = costs.cost(store, supply, zone, *bill.period, bill.tariff)
    for part in found.parts:
        if part.costs is None:
            days = costs.day_of(part.term.first, zone), costs.day_of(part.term.end - 1, zone)
            raise UserError(
                f"which tariff bill {bill.fact} is for is not known from {days[0]} to {days[1]}; add an agreement for "
                "these days, or state the bill's tariff by a name that is known"
            )
    return found


def _case(connection: Connection, cost: Cost) -> Case:
    stretches = []
    for part in cost.parts:
        if part.term.tariff is not None:
            stretches.append(_stretch(connection, part.term.tariff, part.term.first, part.term.end))
    return Case(cost.used.quarters, tuple(stretches))


def _stretch(connection: Connection, known: KnownTariff, first: int, end: int) -> Stretch:
    tariff = known.needed()
    return Stretch(tariff, supplies.prices(connection, tariff, first, end), first, end)


def _others(store: Store, cost: Cost, currency: str, usage: Usage) -> list[Case]:
    """The same period under each tariff that was not agreed."""
    held = {part.term.tariff.fact for part in cost.parts if part.term.tariff}
    with store.read() as connection:
        return [
            Case(usage, (_stretch(connection, each, cost.first, cost.end),))
            for each in supplies.tariffs(connection)
            if each.fact not in held and each.is_for(cost.supply) and each.tariff and each.tariff.currency == currency
        ]


def _currency(bill: EnergyBill, known: list[KnownTariff]) -> str:
    found = {each.needed().currency for each in known} | ({bill.currency} if bill.currency else set())
    if len(found) > 1:
        raise UserError(f"bill {bill.fact} is in another currency than its tariff: {' and '.join(sorted(found))}")
    return found.pop()


def _billed_use(bill: EnergyBill, supply: Supply) -> Decimal | None:
    """What the bill counts, in the supply's unit; of gas a register counts another."""
    if supply.unit == "m3":
        return bill.volume if bill.volume is not None else bill.counted
    return bill.used if bill.used is not None or supply.supply == "gas" else bill.counted


def _compared(what: str, billed: Decimal | None, ours: Decimal | None, unit: str) -> Compared | None:
    return None if billed is None else Compared(what, billed, ours, unit)


def _nearest(billed: Decimal | None, lines: tuple[BillLine, ...], kind: str) -> Decimal | None:
    """Our lines of a kind, with or without their tax, as the bill may mean either; None where we have none."""
    own = [each for each in lines if each.line.kind == kind]
    if billed is None or not own:
        return None
    total = sum((each.amount for each in own), _NOTHING)
    taxes = [each.line.price or _NOTHING for each in lines if each.line.kind == "tax"]
    with_tax = (total * (100 + max(taxes, default=_NOTHING)) / 100).quantize(CENT)
    return min((total, with_tax), key=lambda each: abs(billed - each)) if kind != "tax" else total


# ---- why ----


def _causes(
    bill: EnergyBill,
    case: Case,
    others: Callable[[Usage], list[Case]],
    billed: Decimal | None,
    days: int,
    after: Decimal | None,
) -> tuple[list[Cause], list[Cause]]:
    """What explains the difference, and what would do so as well."""
    left, found = bill.total - case.total, list[Cause]()
    used, unit = case.used, case.usage.unit
    if billed is not None and billed != used:
        total, case = case.total, case.using(billed)
        amount = case.total - total
        left -= amount
        if amount:
            found.append(_use(bill, billed, used, unit, amount, after))
    if not left:
        return found, []
    within = CENT / 2 * (len(case.lines) + 1)
    if abs(left) <= within:
        return [*found, _rounding(left)], []
    fitting = _fitting(case, bill, others(case.usage), days, within)
    if not fitting:
        return [*found, *_whole_units(case, left, billed, unit)], []
    chosen, *also = [Cause(each.kind, f"The bill fits if {each.text}.", each.total - case.total) for each in fitting]
    rest = left - chosen.amount
    return [*found, chosen, *([_rounding(rest)] if rest else [])], also


def _fitting(case: Case, bill: EnergyBill, others: list[Case], days: int, within: Decimal) -> list[Trial]:
    """The trials that make the bill's total; first those that what else the bill states speaks for."""
    found = [each for each in trials(case, days, others) if abs(bill.total - each.total) <= within]

    def likely(each: Trial) -> tuple[bool, Decimal]:
        stated = {"days": bill.standing, "tax": bill.tax}.get(each.kind)
        ours = _nearest(stated, tuple(case.lines), "standing" if each.kind == "days" else "tax")
        says_so = stated is not None and (ours is None or abs(stated - ours) > within)
        return not says_so, abs(bill.total - each.total)

    return sorted(found, key=likely)


def _use(bill: EnergyBill, billed: Decimal, used: Decimal, unit: str, amount: Decimal, after: Decimal | None) -> Cause:
    more = "more" if billed > used else "less"
    more = f"{quantity_of(round(abs(billed - used), 3), unit)} {more}"
    text = f"The bill counts {quantity_of(billed, unit)}, your readings {quantity_of(round(used, 3), unit)}: {more}."
    if abs(billed - used) <= Decimal(1).scaleb(int(billed.as_tuple().exponent)) / 2:
        return Cause("rounding", f"{text} That is how the bill rounds it.", amount)
    if bill.is_estimated:
        text += " It says that its readings are estimated; send the supplier one of your own, and ask for a new bill."
    elif bill.register_after is not None and after is not None and abs(bill.register_after - after) > 1:
        text += (
            f" It takes {number(bill.register_after)} as the last reading, and the meter showed {number(after)}: "
            "that was estimated, or misread."
        )
    else:
        text += " Its readings are estimated or misread, or ours lack some; compare those at its first and last day."
    return Cause("use", text, amount)


def _rounding(amount: Decimal) -> Cause:
    return Cause("rounding", "The rest is no more than rounding each line may make.", amount)


def _whole_units(case: Case, left: Decimal, billed: Decimal | None, unit: str) -> list[Cause]:
    """Where the bill says no use: whether it may have rounded it to a whole kWh or m3."""
    if billed is not None or not case.used:
        return []
    one_more = case.using(case.used + 1).total - case.total
    if abs(left) > abs(one_more) / 2 + CENT:
        return []
    return [Cause("rounding", f"It is no more than rounding the use to a whole {unit} may make.", left)]
