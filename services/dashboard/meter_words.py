"""How a page says what happens to a meter: its signs and times, beside the words that commands have too."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from appliance.derive import registers
from appliance.devices import words
from appliance.devices.ledger import Missing
from appliance.devices.typed import Drift, Typed
from appliance.devices.words import CHOICES as CHOICES
from appliance.devices.words import EVENTS as EVENTS
from appliance.devices.words import WHY as WHY
from appliance.devices.words import advice as advice
from appliance.devices.words import found as found
from appliance.devices.words import from_to as from_to
from appliance.devices.words import plain as plain
from appliance.devices.words import quantity_of as quantity_of
from appliance.devices.words import said as said
from services.dashboard.wording import count, role_title, when, zone

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000

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


def known(missing: Missing, titles: dict[str, str]) -> list[str]:
    """What is known of a gap."""
    return words.known(missing, titles, role_title)


def drift(each: Drift, unit: str) -> str:
    """How far the box's count was from the meter's own."""
    return words.drift(each, unit, typed_at)


def typed_at(each: Typed) -> str:
    return day_of(each.at_ms) if each.day_only else moment(each.at_ms)


def day_of(at_ms: int) -> str:
    local = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone())
    return f"{local.day} {local:%b %Y}"
