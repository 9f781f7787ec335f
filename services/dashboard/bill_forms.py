"""The form of a bill: which of its fields stand together, and what a person typed into them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from appliance.billing.bills import LONGEST
from appliance.kinds import FieldsError, FieldType
from appliance.kinds.energy import BILL
from services.dashboard.fields import Input
from services.dashboard.tariff_reading import MARKED

NEEDED = {"from": "is needed: it says which readings are meant", "until": "is needed: it says which readings are meant"}
TITLES = {
    "supply": "What it is for",
    "from": "From",
    "until": "Up to and with",
    "volume": "Used (m³)",
    "register_before": "The meter at the begin",
    "register_after": "The meter at the end",
    "estimated": "Are its readings estimated?",
    "units_charge": "For what was used, together",
    "tax": "Tax (VAT)",
}
HELPS = {
    "until": "The last day that it counts.",
    "used": "Of electricity, gas or heat.",
    "volume": "Of water; of gas where the bill says it.",
    "unit_price": "Of a kWh, or a m³ of water: 0.2734, or 27.34p or ct.",
    "amount": "The total; with a minus where you get it back.",
    "estimated": "A paper marks them so, or with an E.",
}
_DECIMALS = frozenset({"amount", *(name for name, each in BILL.fields.items() if each.type is FieldType.DECIMAL)})
_NUMBER = re.compile(
    r"(-?)\s*(?:[€£$]\s*)?(-?)(\d{1,12})(?:[.,](\d{1,10}))?\s*(?:[€£$])?\s*(p|ct|c|cents?|rp)?", re.A | re.I
)


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that stand together on the paper; `is_folded` hides them until they are asked for."""

    title: str
    words: str
    inputs: Sequence[Input]
    is_folded: bool = False


_SECTIONS = (
    (
        "The bill",
        "This is all that it takes to check what you are asked to pay.",
        ("party", "supply", "at", "from", "until", "amount", "unit"),
    ),
    (
        "What it counts",
        "As far as the bill says it: the more you copy, the better it can be told what is wrong.",
        ("used", "volume", "register_before", "register_after", "estimated"),
    ),
    (
        "Its lines",
        "The amounts that make up the total.",
        ("unit_price", "units_charge", "standing_charge", "levies", "tax", "adjustments"),
    ),
)


def sections(inputs: Sequence[Input]) -> list[Section]:
    """The inputs as the form shows them; those that no section names are folded away, unless one of them is wrong."""
    by_name = {each.name: _worded(each) for each in inputs}
    found = [
        Section(title, words, [by_name.pop(name) for name in names if name in by_name])
        for title, words, names in _SECTIONS
    ]
    rest = list(by_name.values())
    return [*found, Section("Numbers, tariff and notes", "", rest, not any(each.problem for each in rest))]


def _worded(each: Input) -> Input:
    required = each.required or each.name in NEEDED
    title, said = TITLES.get(each.name, each.title), HELPS.get(each.name, each.help)
    kind = "date" if each.name == "at" and "T" not in each.value else each.type
    return replace(each, title=title, help=said, required=required, type=kind)


def read(said: Mapping[str, str]) -> dict[str, str]:
    """What was typed, numbers as the store takes them: € 12,50 is 12.50, and 27.34p is 0.2734."""
    return {name: _number(text) if name in _DECIMALS else text for name, text in said.items()}


def _number(text: str) -> str:
    """A number in plain digits; what may mean two numbers, such as 1,234, is left for the store to refuse."""
    found = _NUMBER.fullmatch(text.strip())
    if not found or ("," in text and len(found[4] or "") == 3):
        return text
    minus, other, whole, decimals, coin = found.groups()
    digits = whole + (decimals or "")
    places = len(decimals or "") + (2 if coin else 0)
    digits = digits.rjust(places + 1, "0")
    value = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return ("-" if minus or other else "") + value


def refuse(said: Mapping[str, str]) -> None:
    """FieldsError where a bill cannot be checked for want of its days."""
    wrong = {name: reason for name, reason in NEEDED.items() if not said.get(name, "").strip()}
    if not wrong and (days := _days(said["from"], said["until"])) and days > LONGEST.days:
        wrong["until"] = f"it would be for {days:,} days; correct its first or its last day"
    if wrong:
        raise FieldsError(wrong, [MARKED])


def _days(first: str, last: str) -> int:
    """0 where one of them is no day, which the store refuses by itself."""
    try:
        return (date.fromisoformat(last.strip()) - date.fromisoformat(first.strip())).days + 1
    except ValueError:
        return 0
