"""A text to send to the supplier of a bill that is not right: what it asks, what we reckon, and why."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from appliance.billing.causes import Cause
from appliance.billing.checks import Check
from appliance.devices.words import number, quantity_of


def letter(check: Check, name: str) -> str:
    """The text, signed with a name; "" where the bill is right."""
    if check.is_right:
        return ""
    bill, unit = check.bill, check.currency
    said = (("Bill", bill.number), ("customer number", bill.account), ("meter point", bill.point))
    which = ", ".join(f"{what} {value}" for what, value in said if value) or "Bill"
    first, last = map(_day, bill.period)
    more = "less" if check.difference > 0 else "more"
    reckoned = f"it comes to {check.total:.2f} {unit}, which is {abs(check.difference):.2f} {unit} {more}"
    paragraphs = [
        f"Dear {bill.supplier or 'Sir or Madam'},",
        f"{which}, for {first} to {last}, charges {bill.charged:.2f} {unit} for these days. By my meter and my tariff "
        f"({' and '.join(check.tariffs)}) {reckoned}.",
        "\n".join(f"- {each}" for each in _points(check)),
        "Please check this, and send me a corrected bill, or tell me line by line how the amount comes about.",
        f"Kind regards,\n{name}",
    ]
    return "\n\n".join(filter(None, paragraphs)) + "\n"


def _points(check: Check) -> Iterator[str]:
    for cause in check.causes:
        if cause.kind == "use":
            yield _of_use(check, cause)
        elif cause.kind != "rounding":
            yield f"{cause.text} ({cause.amount:+.2f} {check.currency})"
    if check.unexplained:
        yield f"I cannot explain {abs(check.unexplained):.2f} {check.currency} of the difference."


def _of_use(check: Check, cause: Cause) -> str:
    """What the meter counted, and what it showed where we know that."""
    [used] = [each for each in check.compared if each.what == "Used"]
    [register] = [each.ours for each in check.compared if each.what == "Register after"] or [None]
    billed, ours = (quantity_of(round(each or Decimal(0), 3), used.unit) for each in (used.billed, used.ours))
    text = f"It counts {billed}, and my meter {ours} ({cause.amount:+.2f} {check.currency})."
    if check.bill.is_estimated:
        text += " Its readings are estimated."
    if register is not None:
        text += f" At the end of {_day(check.bill.period[1])} the meter showed {number(register)}; please bill by that."
    return text


def _day(said: date) -> str:
    return f"{said.day} {said:%B %Y}"
