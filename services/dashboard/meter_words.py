"""How it is said what happens to a meter: its signs, its gaps, what its registers did, how far a count drifted."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from appliance.derive import registers
from appliance.devices.happened import Step
from appliance.devices.ledger import Closing, Missing, State
from appliance.devices.typed import Drift
from services.dashboard.wording import count, role_title, when, zone

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
QUARTER_MS = 15 * MINUTE_MS

WHY = {
    "link": "The way to the meter was down",
    "meter": "The meter was silent",
    "stopped": "The collector was not running",
    "off": "The box was off",
    "power": "The meter had no power, as it says itself",
}
ERRORS = {
    "crc_errors": "damaged: the check at its end did not fit",
    "partial": "broken off in the middle",
    "refused": "whole, but with a value that cannot be",
    "missed": "questions that were not answered",
}
MISSED_PULSES = "pulses that passed unheard, and were counted all the same"
EXCEPTIONS = {
    "1": "it knows no such question",
    "2": "it has no such register",
    "3": "it does not give so many registers at once",
    "4": "it failed while answering",
    "5": "it needs more time",
    "6": "it was busy",
    "8": "its memory is damaged",
    "10": "the gateway knows no way to it",
    "11": "the gateway had no answer from it",
}
"""Why a Modbus device refused (Application protocol 1.1b3, section 7)."""

STATUS = (
    (0x03, 0x01, "it was busy, and did not answer in full"),
    (0x03, 0x02, "it has an error in its program"),
    (0x03, 0x03, "something is not as it should be, such as a burst pipe or an opened case"),
    (0x04, 0x04, "its battery is low"),
    (0x08, 0x08, "it has a fault that stays: it must be repaired or exchanged"),
    (0x10, 0x10, "it has a fault that may pass"),
)
"""Of the status of an M-Bus meter (EN 13757-3, the status byte): which bits, what they are, and what that means."""

MAKERS_STATUS = 0xE0
EVENTS = {
    registers.SWAP: "Another meter",
    registers.RESET: "It began at zero again",
    registers.ROLLOVER: "It passed its last digit",
    registers.MOVE: "We moved house",
    registers.MULTIPLIER: "It counted too much or too little",
    registers.NOTHING: "Nothing: it was used",
}
UNITS = {"m3": "m³"}
CHOICES = (registers.SWAP, registers.RESET, registers.ROLLOVER, registers.MOVE, registers.NOTHING)
WITH_REGISTERS = frozenset({registers.SWAP, registers.MOVE})
"""What is proposed with the register before and after. A reset counts from zero, and a rollover to the last digit."""


@dataclass(frozen=True, slots=True)
class Sign:
    """How it goes with a meter: a sign, a word, the chip that it is shown as, a sentence, and the next step."""

    sign: str
    word: str
    look: str
    words: str
    next: str = ""


def moment(at_ms: int) -> str:
    """As in 12 Mar 2025, 14:03."""
    return when(datetime.fromtimestamp(at_ms // 1000, UTC).isoformat())


def length(ms: int) -> str:
    """As in 40 s, 12 min, 3 h 20 min or 4 days 2 h."""
    if ms < 100_000:
        return f"{round(ms / 1000)} s"
    if ms < HOUR_MS:
        return f"{round(ms / MINUTE_MS)} min"
    large, small, unit = (HOUR_MS, MINUTE_MS, "min") if ms < 2 * DAY_MS else (DAY_MS, HOUR_MS, "h")
    whole, rest = ms // large, ms % large // small
    words = f"{whole} h" if large == HOUR_MS else count(whole, "day")
    return f"{words} {rest} {unit}" if rest else words


def ago(at_ms: int | None, now_ms: int) -> str:
    """As in just now, 40 s ago, or never."""
    if at_ms is None:
        return "never"
    passed = max(0, now_ms - at_ms)
    return "just now" if passed < 4000 else f"{length(passed)} ago"


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


def sign_of(health: dict[str, Any] | None, now_ms: int) -> Sign:
    """How a configured meter is; None where the collector does not run."""
    if health is None:
        words = "Nothing is read while the collector is not running."
        return Sign("■", "Not being read", "wrong", words)
    byte_ms, frame_ms = health["byte_ms"], health["frame_ms"]
    said_ms = health.get("said_ms")
    if health["state"] == "reading" and said_ms and frame_ms and abs(said_ms - frame_ms) > DAY_MS:
        words = f"Its own clock says {moment(said_ms)}: what it reads is kept under that date."
        return Sign("▲", "Its clock is off", "wait", words, "Have the meter’s clock set; its maker or network can.")
    if health["state"] == "reading":
        return Sign("●", "Reading", "good", f"Last heard {ago(frame_ms, now_ms)}.")
    if health["state"] == "wrong":
        return Sign("■", "Not read", "wrong", _sentence(health["trouble"]), "Once it is put right, it is read at once.")
    if health["state"] == "down":
        return Sign("■", "Link down", "wrong", _sentence(health["trouble"]), "It is tried again every few seconds.")
    if health.get("note"):
        return Sign("▲", "Not understood", "wait", _sentence(health["note"]))
    if health["state"] == "silent":
        return _silent(byte_ms, frame_ms or health["opened_ms"], now_ms)
    return Sign("○", "Waiting", "", _waiting(health, now_ms))


def _silent(byte_ms: int | None, since_ms: int | None, now_ms: int) -> Sign:
    since = f" since {moment(since_ms)}" if since_ms else ""
    if byte_ms is not None and (since_ms is None or byte_ms > since_ms) and now_ms - byte_ms < MINUTE_MS:
        words = f"Bytes come, and nothing in them was understood{since}."
        return Sign("▲", "Not understood", "wait", words, "The speed, or the kind of meter, may be another one.")
    step = "Look whether its cable sits well, and whether the meter has power."
    return Sign("▲", "Silent", "wait", f"The link is open, and nothing came{since}.", step)


def _waiting(health: dict[str, Any], now_ms: int) -> str:
    if health["opened_ms"] is None:
        return "The link is about to be opened."
    return f"The link was opened {ago(health['opened_ms'], now_ms)}, and no reading came yet."


def gone(last_ms: int | None) -> Sign:
    """A source that no meter is configured for."""
    if last_ms is None:
        return Sign("○", "From files", "", "Its readings come from files alone.")
    return Sign("○", "No longer read", "", f"It was read until {moment(last_ms)}.")


def _sentence(words: str) -> str:
    said = words.strip()
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith(('.', '!', '?')) else '.'}" if said else ""


def errors(health: dict[str, Any]) -> list[tuple[str, int]]:
    """What went wrong since the collector started, in words, the most frequent first."""
    words = ERRORS | ({"missed": MISSED_PULSES} if health["meter"] == "pulses" else {})
    counted = [(words[name], number) for name, number in health["counters"].items() if name in words and number]
    refused = [(_refused(code), number) for code, number in health.get("exceptions", {}).items()]
    failed = [(why, number) for why, number in health["failures"].items() if number]
    return sorted(counted + refused + failed, key=lambda each: -each[1])


def _refused(code: str) -> str:
    why = EXCEPTIONS.get(code, "for a reason of its own")
    return f"refused by the device: {why} (Modbus exception {code})"


def status(health: dict[str, Any]) -> str:
    """What a meter says of itself, in a sentence; "" where all is well, or it says nothing."""
    said: int = health.get("status", 0)
    meant = [words for bits, value, words in STATUS if said & bits == value]
    if said & MAKERS_STATUS:
        meant.append(f"there is something that its maker’s manual explains (status {said:#04x})")
    return f"The meter says of itself that {'; that '.join(meant)}." if meant else ""


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


def known(missing: Missing, titles: dict[str, str]) -> list[str]:
    """What is known of a gap, in a sentence for all that the same is known of."""
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


def _known(closing: Closing, missing: Missing, titles: dict[str, str]) -> str:
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
        State.ASKED: "The register did what no rule explains: say what happened, above.",
        State.POWERLESS: "Without power nothing flowed.",
        State.MISSING: "Missing: nothing here tells it.",
    }[closing.state]


def drift(each: Drift, unit: str) -> str:
    """How far the box's count was from the meter's own."""
    begin, end = (day_of(at.at_ms) if at.day_only else moment(at.at_ms) for at in (each.first, each.last))
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


def day_of(at_ms: int) -> str:
    local = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone())
    return f"{local.day} {local:%b %Y}"


def advice(each: Drift, options: dict[str, Any] | None) -> str:
    """What may be wrong where a count of pulses is far off; `options` are those of a meter that counts pulses."""
    if options is None or each.per_cent is None or abs(each.per_cent) < Decimal("0.2") or not each.typed:
        return ""
    per_unit = Decimal(str(options.get("per_unit", 1000)))
    if abs(each.per_cent) < 5:
        return f"It is set to {number(per_unit)} pulses to the unit, which fits; a few pulses are lost or doubled."
    fits = round(per_unit * each.counted / each.typed, 3)
    return f"It is set to {number(per_unit)} pulses to the unit; {number(fits)} would fit. What does its plate say?"
