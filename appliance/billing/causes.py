"""Why a bill differs from the same made by us: what the bill itself states otherwise, and what makes its own total."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from appliance.billing.bills import EnergyBill
from appliance.billing.trials import UNITS, Case, Trial, at_price, price_of, scaled, trials
from appliance.devices.words import number, quantity_of
from appliance.tariffs import BillLine

CENT = Decimal("0.01")
_NOTHING = Decimal(0)
_MOST_TIMES = 1000  # what a bill states is never so many times ours, unless it is mistyped


SHORT = {
    "days": "counted for wrong days",
    "price": "at a price of other days",
    "rate": "at another price of a unit",
    "gas": "another energy of a m³ of gas",
    "units": "another amount for what was used",
    "bands": "day and night swapped",
    "tax": "another tax",
    "tariff": "at the prices of another tariff",
    "standing": "other standing charges",
    "levies": "other levies",
    "rounding": "rounded",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a bill is higher (`amount` above nothing) or lower than ours, in a sentence for a person.

    `kind`: use, gas, days, price, rate, units, bands, tax, tariff, standing, levies or rounding. What a bill counts,
    what it makes of a m3 of gas, a rate, and the amounts of its lines are stated by the bill itself; of the others it
    is found that they make the bill's own total, within what rounding every line may do.
    """

    kind: str
    text: str
    amount: Decimal

    @property
    def short(self) -> str:
        """In a few words."""
        return SHORT.get(self.kind) or f"counts {'more' if self.amount > 0 else 'less'} than your readings"


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A bill and what we know of its days.

    `used` is what it bills in the supply's unit, `counted` what its registers make, `registers` what the meter showed
    at the begin and the end, `volume` how many m3 of gas we count; each None where it is not known. `others` gives the
    same use under each tariff not agreed, `shorter` the same without the last day.
    """

    bill: EnergyBill
    case: Case
    days: int
    used: Decimal | None
    counted: Decimal | None
    registers: tuple[Decimal | None, Decimal | None]
    currency: str
    volume: Decimal | None
    others: Callable[[Case], list[Case]]
    shorter: Callable[[Case], list[Trial]]


def causes(asked: Question) -> tuple[list[Cause], list[Cause]]:
    """What explains the difference, and what would do so as well."""
    bill, case = asked.bill, asked.case
    within = CENT / 2 * (len(case.lines) + 1)
    if abs(left := bill.charged - case.total) <= within:
        return [_rounding(left)] if left else [], []
    found, case = _use(asked)
    left = bill.charged - case.total
    if not left:
        return found, []
    if abs(left) <= within:
        return [*found, _rounding(left)], []
    if fitting := _fitting(asked, case, within):
        total = case.total
        chosen, *also = [Cause(each.kind, f"The bill fits if {each.text}.", each.total - total) for each in fitting]
        rest = left - chosen.amount
        return [*found, chosen, *([_rounding(rest)] if rest else [])], also
    if stated := list(_stated(asked, case, within)):
        rest = left - sum((each.amount for each in stated), _NOTHING)
        return [*found, *stated, *([_rounding(rest)] if rest and abs(rest) <= within else [])], []
    return [*found, *_whole_units(case, left, asked.used)], []


def hint(asked: Question) -> str:
    """What would make the total, where nothing else explains it; "" where nothing would.

    Of a refund that says no instalments, those; of a bill that is estimated, another use; else another price of a unit.
    """
    _, case = _use(asked)
    left = asked.bill.charged - case.total
    if asked.bill.charged < 0 < case.total and asked.bill.adjustments is None:
        return (
            "it is a refund: add what it takes off for instalments that you paid before, so that the rest is compared"
        )
    if not left or not case.used:
        return ""
    return _use_needed(asked, case, left) if asked.bill.is_estimated else _price_needed(asked, case, left)


def _use_needed(asked: Question, case: Case, left: Decimal) -> str:
    twice = case.using(2 * case.used).total - case.total
    needed = case.used * (1 + left / twice) if twice and asked.used is None else _NOTHING
    if needed <= 0:
        return ""
    made, counted = (quantity_of(round(each, 0), case.usage.unit) for each in (case.used, needed))
    return (
        f"it would be right if {counted} had been used, and your readings make {made}; the bill says that it is "
        "estimated, so look what it counts"
    )


def _price_needed(asked: Question, case: Case, left: Decimal) -> str:
    price = price_of(case)
    twice = at_price(case, 2 * price).total - case.total if price and asked.bill.unit_price is None else _NOTHING
    if not price or not twice or not 0 < (needed := price * (1 + left / twice)) < 10 * price:
        return ""
    return (
        f"it would be right if a {_named(case)} cost {needed:.4f} {asked.currency} before tax, and the tariff says "
        f"{number(price)}; look which price the bill states, and add that to it"
    )


def ours(billed: Decimal | None, lines: Sequence[BillLine], *kinds: str) -> Decimal | None:
    """Our lines of these kinds, with their tax where the bill states just that; None where we have none."""
    own = [each for each in lines if each.line.kind in kinds]
    if not own:
        return None
    total = sum((each.amount for each in own), _NOTHING)
    with_tax = (total * _with_tax(lines)).quantize(CENT)
    return with_tax if "tax" not in kinds and billed is not None and abs(billed - with_tax) <= 2 * CENT else total


def _with_tax(lines: Sequence[BillLine]) -> Decimal:
    taxes = [each.line.price or _NOTHING for each in lines if each.line.kind == "tax"]
    return 1 + max(taxes, default=_NOTHING) / 100


# ---- what the bill states otherwise ----


def _use(asked: Question) -> tuple[list[Cause], Case]:
    """Another use than ours, and the case with it."""
    case, billed = asked.case, asked.used
    if billed is None or billed == case.used:
        return [], case
    with_it = case.using(billed)
    amount = with_it.total - case.total
    return [_of_use(asked, billed, case.used, amount)] if amount else [], with_it


def _of_use(asked: Question, billed: Decimal, used: Decimal, amount: Decimal) -> Cause:
    unit = asked.case.usage.unit
    more = "more" if billed > used else "less"
    more = f"{quantity_of(round(abs(billed - used), 3), unit)} {more}"
    text = f"The bill counts {quantity_of(billed, unit)}, your readings {quantity_of(round(used, 3), unit)}: {more}."
    if abs(billed - used) <= Decimal(1).scaleb(int(billed.as_tuple().exponent)) / 2:
        return Cause("rounding", f"{text} That is how the bill rounds it.", amount)
    if of_gas := _of_gas(asked, billed, used):
        return Cause("gas", f"{text} {of_gas}", amount)
    if asked.counted is not None and abs(asked.counted - billed) > 1:
        text += f" Its own readings make {quantity_of(asked.counted, unit)}."
    if asked.bill.is_estimated:
        said = "It says that its readings are estimated; send the supplier one of your own, and ask for a new bill."
    else:
        said = _of_registers(asked) or (
            "Its readings are estimated or misread, or ours lack some; compare those at its first and last day."
        )
    return Cause("use", f"{text} {said}", amount)


def _of_registers(asked: Question) -> str:
    """Which of its readings the meter did not show; "" where it states none, or the meter showed them."""
    stated = asked.bill.register_before, asked.bill.register_after
    wrong = [
        f"It takes {number(each)} as the {which} reading, and the meter showed {number(own)}: that was estimated, or "
        "misread."
        for which, each, own in zip(("first", "last"), stated, asked.registers, strict=True)
        if each is not None and own is not None and abs(each - own) > 1
    ]
    return " ".join(wrong)


def _of_gas(asked: Question, billed: Decimal, used: Decimal) -> str:
    """Whether the bill counts as many m3 as the meter, and makes another energy of them."""
    stated = asked.bill.volume if asked.bill.volume is not None else asked.bill.counted
    own = asked.volume
    if not stated or not own or abs(stated - own) > max(Decimal(1), own / 200):
        return ""
    return (
        f"Both have {quantity_of(round(own, 1), 'm3')}, of which the bill makes {billed / stated:.3f} kWh each and we "
        f"{used / own:.3f}: say how much energy the gas holds, as the bill states it."
    )


@dataclass(frozen=True, slots=True)
class _Rate:
    """A price of a unit as the bill states it, with tax or without: `price` is without, as the tariff has it."""

    price: Decimal
    text: str


def _rate(asked: Question, case: Case) -> _Rate | None:
    """The price of a unit that the bill states or makes, where that is another than the tariff's."""
    bill, price = asked.bill, price_of(case)
    if not price or not case.used:
        return None
    stated = bill.unit_price if bill.unit_price is not None or bill.units is None else bill.units / case.used
    if stated is None or not 0 <= stated < price * _MOST_TIMES:
        return None
    taxed, nearly = _with_tax(case.lines), Decimal("0.00005") if bill.unit_price is not None else CENT / abs(case.used)
    if min(abs(stated - price), abs(stated - price * taxed)) <= nearly:
        return None
    # The bill's price may have tax in it: as the total says.
    times = min((Decimal(1), taxed), key=lambda each: abs(bill.charged - at_price(case, stated / each).total))
    said = f"costs {number(round(stated, 5))} {asked.currency}{' with tax' if times != 1 else ''}"
    return _Rate(stated / times, f"a {_named(case)} {said}, and the tariff says {number(price * times)}")


def _named(case: Case) -> str:
    return case.usage.unit.replace("m3", "m³")


def _stated(asked: Question, case: Case, within: Decimal) -> Iterator[Cause]:
    """Each line that the bill states otherwise than ours, the tax on it included."""
    bill, total = asked.bill, case.total
    if rate := _rate(asked, case):
        case = at_price(case, rate.price)
        yield Cause("rate", f"By the bill, {rate.text}.", case.total - total)
        total = case.total
    for kind, kinds, what, billed in (
        ("units", UNITS, "for what was used", None if rate else bill.units),
        ("standing", ("standing",), "of standing charges", bill.standing),
        ("levies", ("levy",), "of levies", bill.levies),
    ):
        own = ours(billed, case.lines, *kinds)
        if billed is None or not own or abs(billed - own) <= within or not 0 <= billed / own < _MOST_TIMES:
            continue
        case = scaled(case, kinds, billed / own)
        text = f"The bill asks {billed:.2f} {asked.currency} {what}, and the tariff {own:.2f}"
        text += _days_of(asked.days, billed / own) if kind == "standing" else ""
        yield Cause(kind, f"{text}.", case.total - total)
        total = case.total
    own = ours(bill.tax, case.lines, "tax")
    if bill.tax is not None and own is not None and abs(bill.tax - own) > within:
        text = f"The bill asks {bill.tax:.2f} {asked.currency} of tax, and on these lines it is {own:.2f}."
        yield Cause("tax", text, bill.tax - own)


def _days_of(days: int, times: Decimal) -> str:
    """For how many days so many times the standing charges are, where that is a whole number."""
    counted = days * times
    return f": that is {counted:.0f} days, and the period has {days}" if abs(counted - round(counted)) < CENT else ""


# ---- what makes its own total ----


def _fitting(asked: Question, case: Case, within: Decimal) -> list[Trial]:
    """The trials that make the bill's total; first those that what else the bill states speaks for."""
    bill = asked.bill
    found = [*asked.shorter(case), *trials(case, asked.days, asked.others(case), bill.charged - case.total)]
    rate = _rate(asked, case)
    if rate:
        found.append(Trial("rate", rate.text, at_price(case, rate.price).total))
    found = [each for each in found if abs(bill.charged - each.total) <= within]

    def likely(each: Trial) -> tuple[bool, bool, Decimal]:
        stated, line = {"days": (bill.standing, "standing"), "tax": (bill.tax, "tax")}.get(each.kind, (None, ""))
        own = ours(stated, case.lines, line)
        says_so = stated is not None and (own is None or abs(stated - own) > within)
        of_price = rate is not None and each.kind in ("rate", "price", "tariff", "bands")
        return not (says_so or of_price), each.kind == "rate", abs(bill.charged - each.total)

    found.sort(key=likely)
    return [each for place, each in enumerate(found) if place == 0 or each.kind != "rate"]


def _rounding(amount: Decimal) -> Cause:
    return Cause("rounding", "The rest is no more than rounding each line may make.", amount)


def _whole_units(case: Case, left: Decimal, billed: Decimal | None) -> list[Cause]:
    """Where the bill says no use: whether it may have rounded it to a whole kWh or m3."""
    if billed is not None or not case.used:
        return []
    one_more = case.using(case.used + 1).total - case.total
    if abs(left) > abs(one_more) / 2 + CENT:
        return []
    return [Cause("rounding", f"It is no more than rounding the use to a whole {case.usage.unit} may make.", left)]
