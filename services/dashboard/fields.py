"""The fields of a kind as a form draws them, and what a person typed into it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import g, request

from appliance.kinds import Field, FieldType, Kind
from appliance.store.records import Stored
from services.dashboard.wording import zone

LONGEST = 100_000
COLUMNS = ("title", "at", "party", "account", "amount", "unit", "memo")
TIME_OF_DAY = ":time"  # behind a field's name: the input of its time of day
_MINUTES = "%Y-%m-%dT%H:%M"
_DAY_AND_TIME = re.compile(r"([^T]*)T([0-9].*)")
_INPUTS = {
    FieldType.DECIMAL: "decimal",
    FieldType.WHOLE: "numeric",
    FieldType.DAY: "date",
    FieldType.TIME: "datetime-local",
    FieldType.WEB: "url",
    FieldType.EMAIL: "email",
    FieldType.PHONE: "tel",
    FieldType.PHOTO: "photo",
    FieldType.FILE: "file",
}
_PHOTOS = "image/*,.heic"  # a phone that photographs in HEIC sends what it says here as JPEG
_ACCEPT = {FieldType.PHOTO: _PHOTOS, FieldType.FILE: f"{_PHOTOS},application/pdf"}


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a form: `type` is an HTML input's (or lines, choice, when or photo), `value` what stands in it.

    A when is a day, and a time of the day where one is known: two inputs, whose value is said as in 2026-06-01T10:30.
    Of a file, `value` is the SHA-256 of the one that is kept, `accept` what may be chosen, and `chosen` says what was
    chosen for a form that came back. `guide` is a longer explanation than `help`, shown on demand.
    """

    name: str
    title: str
    type: str
    value: str
    choices: tuple[str, ...] = ()
    required: bool = False
    help: str = ""
    problem: str = ""
    accept: str = ""
    chosen: str = ""
    guide: str = ""

    @property
    def day(self) -> str:
        """Of a when."""
        found = _DAY_AND_TIME.fullmatch(self.value)
        return found[1] if found else self.value

    @property
    def time(self) -> str:
        """Of a when, "" where only the day is known."""
        found = _DAY_AND_TIME.fullmatch(self.value)
        return found[2] if found else ""


def empty(kind: Kind, said: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None) -> list[Input]:
    """The form of a new fact, with what was said already. Money is in the household's currency unless said."""
    usual = {"unit": g.household.currency} if kind.is_money else {}
    return [_input(name, field, (said or usual).get(name, ""), problems or {}) for name, field in kind.form.items()]


def filled(
    kind: Kind, record: Stored, said: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None
) -> list[Input]:
    """The form of a correction: what the kind asks for, and whatever else the fact holds."""
    holds = held(record)
    shown = {**kind.form, **{name: kind.fields.get(name, Field(name)) for name in record.fields}}
    shown |= {name: kind.column(name) for name in COLUMNS if holds[name] and name not in shown}
    values = {name: shown_as(field, holds.get(name, "")) for name, field in shown.items()}
    return [_input(name, field, (said or values).get(name, ""), problems or {}) for name, field in shown.items()]


def held(record: Stored) -> dict[str, str]:
    """A fact's columns and fields as texts."""
    amount = "" if record.amount is None else format(record.amount, "f")
    columns = {name: getattr(record, name) for name in ("title", "at", "party", "account", "unit", "memo")}
    return {**columns, "amount": amount, **record.fields}


def typed(inputs: list[Input]) -> dict[str, str]:
    """What a person typed for these fields; times are the household's."""
    said = posted()
    return {each.name: said.get(each.name, "") for each in inputs}


def changed(inputs: list[Input]) -> dict[str, str]:
    """What a person typed where it is another text than stood there."""
    said = {each.name: each.value for each in inputs} | posted()
    return {each.name: said[each.name] for each in inputs if said[each.name].strip() != each.value.strip()}


def posted() -> dict[str, str]:
    """What the form brought, each day with its time of the day."""
    said = {name: text[:LONGEST].replace("\r\n", "\n") for name, text in request.form.items()}
    times = {name.removesuffix(TIME_OF_DAY): said.pop(name) for name in list(said) if name.endswith(TIME_OF_DAY)}
    return said | {name: f"{said.get(name, '')}T{time}" for name, time in times.items() if time.strip()}


def shown_as(field: Field, value: str) -> str:
    """A value as its input takes it: a time in the household's zone, to the minute."""
    if "T" in value and field.type in (FieldType.TIME, FieldType.WHEN):
        at = datetime.fromisoformat(value)
        try:
            return at.astimezone(zone()).strftime(_MINUTES)
        except OverflowError:  # at the very ends of the calendar
            return at.astimezone(UTC).strftime(_MINUTES)
    return value


def _input(name: str, field: Field, value: str, problems: Mapping[str, str]) -> Input:
    kind = _INPUTS.get(field.type, "text")
    choices = field.choices
    if field.type is FieldType.LINES:
        kind = "lines"
    elif field.type is FieldType.YES_NO:
        kind, choices = "choice", ("yes", "no")
    elif field.type is FieldType.CHOICE:
        kind = "choice"
    elif field.type is FieldType.WHEN:
        kind = "when"
    title = f"{field.title} ({field.unit})" if field.unit else field.title
    problem, accept = problems.get(name, ""), _ACCEPT.get(field.type, "")
    return Input(name, title, kind, value, choices, field.required, field.help, problem, accept)
