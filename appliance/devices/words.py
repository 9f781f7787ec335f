"""How a page and a command say what happens to a meter: its gaps, its registers, how far a count drifted."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from appliance.derive import registers
from appliance.derive.counted import QUARTER_MS
from appliance.devices.happened import Step
from appliance.devices.ledger import Closing, Missing, State
from appliance.devices.typed import Drift, Typed

WHY = {
    "link": "The way to the meter was down",
    "meter": "The meter was silent",
    "stopped": "The collector was not running",
    "off": "The box was off",
    "power": "The meter had no power, as it says itself",
}
EVENTS = {
    registers.SWAP: "Another meter",
    registers.RESET: "It began at zero again",
    registers.ROLLOVER: "It passed its last digit",
    registers.MOVE: "We moved house",
    registers.MULTIPLIER: "It counted too much or too little",
    registers.NOTHING: "Nothing: it was used",
}
CHOICES = (registers.SWAP, registers.RESET, registers.ROLLOVER, registers.MOVE, registers.NOTHING)
"""What a person may say of what no rule explains."""

UNITS = {"m3": "m³"}


def number(value: Decimal) -> str:
    """As in 4,339.75, without the zeros that say nothing."""
    return _short(f"{value:,f}")


def plain(value: Decimal) -> str:
    """The same as a form takes it: 4339.75."""
    return _short(f"{value:f}")


def _short(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity_of(value: Decimal, unit: str) -> str:
    """As in 4,339.75 kWh or 12 m³."""
    return f"{number(value)} {UNITS.get(unit, unit)}"


def found(step: Step) -> str:
    """What a rule found, and what it counts."""
    before, after, used = (quantity_of(each, step.unit) for each in (step.before, step.after, step.used))
    return {
        registers.SWAP: f"Another meter was put in: the old one showed {before} when it was heard last, the new one "
        f"{after} when it was heard first. What flowed in between is not known.",
        registers.RESET: f"The register began at zero again: from {before} to {after}. {used} are counted.",
        registers.ROLLOVER: f"The register passed its last digit: from {before} to {after}. {used} are counted.",
        registers.SPIKE: f"One value cannot be: {after}, after {before}. It is left out.",
        registers.BACK: f"The register went back, from {before} to {after}. Nothing is counted for that.",
        registers.JUMP: f"The register leapt from {before} to {after}, more than a household uses in that time. "
        "Nothing is counted for that.",
    }.get(step.what, f"{step.what}: from {before} to {after}.")


def from_to(step: Step) -> str:
    """As in 4,371.45 kWh, then 17 kWh."""
    return f"{quantity_of(step.before, step.unit)}, then {quantity_of(step.after, step.unit)}"


def said(fields: dict[str, str]) -> str:
    """What a person said happened."""
    words = EVENTS.get(fields["event"], fields["event"].capitalize())
    more = []
    if fields.get("old_register"):
        more.append(f"it showed {fields['old_register']} before")
    if fields.get("new_register"):
        more.append(f"{fields['new_register']} after")
    if fields.get("factor"):
        until = f" until {fields['until']}" if fields.get("until") else ""
        more.append(f"times {fields['factor']}{until}")
    return f"{words}: {', '.join(more)}." if more else f"{words}."


def why(missing: Missing) -> str:
    """Why nothing was heard, and how often in a short time."""
    times = f", {missing.times:,} times" if missing.times > 1 else ""
    return f"{WHY.get(missing.why, missing.why)}{times}."


def known(missing: Missing, titles: Mapping[str, str], role_title: Callable[[str], str] = str) -> list[str]:
    """What is known of a gap, in a sentence for all that the same is known of.

    `titles` are those of sources, `role_title` gives that of a role.
    """
    if not missing.closed:
        return ["Not measured, and nothing tells it afterwards."]
    groups: dict[tuple[State, tuple[str, ...], bool], list[str]] = {}
    for each in missing.closed:
        groups.setdefault((each.state, each.by, each.estimated), []).append(role_title(each.quantity))
    of_all = len(groups) == 1
    return [
        ("" if of_all else f"{', '.join(names)}: ") + _known(Closing("", *closing), missing, titles)
        for closing, names in groups.items()
    ]


def _known(closing: Closing, missing: Missing, titles: Mapping[str, str]) -> str:
    by = " and ".join(
        "the meter’s own history" if each == missing.source else titles.get(each, each) for each in closing.by
    )
    guess = ", with estimates" if closing.estimated else ""
    is_short = missing.last_ms - missing.first_ms < QUARTER_MS
    hours = "" if is_short else ", and its hours are estimated"
    return {
        State.MEASURED: f"Closed by {by}{guess}.",
        State.PARTLY: f"Closed in part by {by}{guess}.",
        State.COUNTED: f"The meter counted on: the sum is right{hours}.",
        State.EXCHANGED: "Another register went on, and what the one before counted is not known: say what it showed.",
        State.ASKED: "The register did what no rule explains: say what happened.",
        State.POWERLESS: "Without power nothing flowed.",
        State.MISSING: "Missing: nothing here tells it.",
    }[closing.state]


def drift(each: Drift, unit: str, moment: Callable[[Typed], str]) -> str:
    """How far the box's count was from the meter's own. `moment` tells when a typed reading was."""
    begin, end = moment(each.first), moment(each.last)
    counted = quantity_of(round(each.counted, 3), unit)
    if each.typed is None or each.off is None:
        return (
            f"From {begin} to {end} something happened at the meter: its difference cannot be held against {counted}."
        )
    head = f"From {begin} to {end} the meter counted {quantity_of(each.typed, unit)}, the box {counted}"
    off = round(abs(each.off), 3)
    if not off:
        return f"{head}: the same."
    share = f", {number(abs(each.per_cent))} %" if each.per_cent is not None else ""
    return f"{head}: {quantity_of(off, unit)}{share} too {'much' if each.off > 0 else 'little'}."


def advice(each: Drift, options: Mapping[str, Any] | None) -> str:
    """What may be wrong where a count of pulses is far off; `options` are those of a meter that counts pulses."""
    if options is None or each.per_cent is None or abs(each.per_cent) < Decimal("0.2") or not each.typed:
        return ""
    per_unit = Decimal(str(options.get("per_unit", 1000)))
    if abs(each.per_cent) < 5:
        return f"It is set to {number(per_unit)} pulses to the unit, which fits; a few pulses are lost or doubled."
    fits = round(per_unit * each.counted / each.typed, 3)
    return f"It is set to {number(per_unit)} pulses to the unit; {number(fits)} would fit. What does its plate say?"
