"""The kinds of fields of a tariff's file: each reads a value of JSON, writes one, and describes it for the schema.

Reading never stops at the first problem: each is added to a list, with the place where it is ("charges[2].from: ...").
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Protocol

Problems = list[str]
Schema = dict[str, Any]

_SHOWN = 40  # characters of a wrong value
_INSTANT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z"


class Kind(Protocol):
    def read(self, value: object, where: str, problems: Problems) -> Any:
        """The value as the model holds it; what is wrong with it is added to `problems`, and what is given is void."""

    def write(self, value: Any) -> object: ...

    def schema(self, shared: Schema) -> Schema:
        """What the schema says of it; what it says once of several places is put into `shared`, by a name."""


def stated(kind: Kind, about: str, name: str = "") -> dict[str, Any]:
    """The metadata of a dataclass's field that a file states; `name` is its name there where it is another."""
    return {"kind": kind, "about": about, "name": name}


@cache
def by_name(model: type) -> Mapping[str, "Field[Any]"]:
    """The fields of a model by their names in a file."""
    return {each.metadata["name"] or each.name: each for each in fields(model)}


def is_required(field: "Field[Any]") -> bool:
    return field.default is MISSING


def shown(value: object) -> str:
    """A wrong value for a person's eyes, cut short."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


class Text:
    """A line of text, at most so long, that matches a pattern; `such_as` is an example of it."""

    def __init__(self, most: int, pattern: str = "", such_as: str = "") -> None:
        self._most, self._pattern, self._such_as = most, pattern, such_as

    def read(self, value: object, where: str, problems: Problems) -> str:
        if not isinstance(value, str):
            problems.append(f"{where}: {shown(value)} is not a text; put it in double quotes")
        elif len(value) > self._most:
            problems.append(f"{where}: it has {len(value)} characters; shorten it to {self._most}")
        elif self._pattern and not re.fullmatch(self._pattern, value):
            problems.append(
                f"{where}: {shown(value)} is not written as it must be; write one such as {self._such_as!r}"
            )
        elif value and not value.isprintable():
            problems.append(f"{where}: it has a line end or a control character in it; take it out")
        else:
            return value
        return ""

    def write(self, value: str) -> object:
        return value

    def schema(self, shared: Schema) -> Schema:
        found: Schema = {"type": "string", "maxLength": self._most}
        return {**found, "pattern": f"^(?:{self._pattern})$"} if self._pattern else found


class Choice:
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def read(self, value: object, where: str, problems: Problems) -> str:
        if not isinstance(value, str) or value not in self._words:
            problems.append(f"{where}: {shown(value)} is none of {', '.join(self._words)}; write one of them")
            return ""
        return value

    def write(self, value: str) -> object:
        return value

    def schema(self, shared: Schema) -> Schema:
        return {"enum": list(self._words)}


class Number:
    """An exact number, written as text: so many digits before the point and so many decimals at most."""

    def __init__(self, digits: int, decimals: int, *, negative: bool = False) -> None:
        self._pattern = ("-?" if negative else "") + rf"[0-9]{{1,{digits}}}(\.[0-9]{{1,{decimals}}})?"
        self._reason = f"{'' if negative else 'not below nought, '}at most {digits} digits and {decimals} decimals"

    def read(self, value: object, where: str, problems: Problems) -> Decimal:
        if isinstance(value, int | float) and not isinstance(value, bool):
            problems.append(f'{where}: write the number in double quotes, "{value}", so that it stays exact')
        elif not isinstance(value, str) or not re.fullmatch(self._pattern, value):
            problems.append(f'{where}: {shown(value)} is not such a number as "12.345": {self._reason}')
        else:
            return Decimal(value) or Decimal(0)
        return Decimal(0)

    def write(self, value: Decimal) -> object:
        if not isinstance(value, Decimal):
            raise TypeError(f"{value!r} is a {type(value).__name__}, not a Decimal")
        return f"{value:f}"

    def schema(self, shared: Schema) -> Schema:
        return {"type": "string", "pattern": f"^{self._pattern}$"}


class Whole:
    """A whole number, from the first to the last."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def read(self, value: object, where: str, problems: Problems) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not self._least <= value <= self._most:
            problems.append(f"{where}: {shown(value)} is not a whole number from {self._least} to {self._most}")
            return self._least
        return value

    def write(self, value: int) -> object:
        return value

    def schema(self, shared: Schema) -> Schema:
        return {"type": "integer", "minimum": self._least, "maximum": self._most}


class Day:
    """A day of the calendar."""

    _FIRST, _LAST = date(1970, 1, 2), date(2199, 12, 31)
    _pattern = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def read(self, value: object, where: str, problems: Problems) -> date | None:
        try:
            day = date.fromisoformat(value) if isinstance(value, str) and re.fullmatch(self._pattern, value) else None
        except ValueError:
            day = None
        if day is None:
            problems.append(f'{where}: {shown(value)} is not a day of the calendar; write it such as "2024-07-01"')
        elif not self._FIRST <= day <= self._LAST:
            problems.append(f"{where}: {day} is not a day from {self._FIRST} to {self._LAST}; mend its year")
        return day

    def write(self, value: date) -> object:
        return value.isoformat()

    def schema(self, shared: Schema) -> Schema:
        shared["day"] = {"type": "string", "format": "date", "pattern": f"^{self._pattern}$"}
        return {"$ref": "#/$defs/day"}


class Instant:
    """A moment, in UTC."""

    def read(self, value: object, where: str, problems: Problems) -> datetime | None:
        try:
            if isinstance(value, str) and re.fullmatch(_INSTANT, value):
                return datetime.fromisoformat(value)
        except ValueError:
            pass
        problems.append(f'{where}: {shown(value)} is not a moment in UTC; write it such as "2024-07-01T12:00:00Z"')
        return None

    def write(self, value: datetime) -> object:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def schema(self, shared: Schema) -> Schema:
        return {"type": "string", "format": "date-time", "pattern": f"^{_INSTANT}$"}


class Minute:
    """A time of day on the quarter-hour, "07:00" or "24:00"; the model holds the minutes since midnight."""

    _pattern = r"(?:[01][0-9]|2[0-3]):(?:00|15|30|45)|24:00"

    def read(self, value: object, where: str, problems: Problems) -> int:
        if not isinstance(value, str) or not re.fullmatch(self._pattern, value):
            problems.append(f'{where}: {shown(value)} is not a time on the quarter-hour; write it such as "07:00"')
            return 0
        return int(value[:2]) * 60 + int(value[3:])

    def write(self, value: int) -> object:
        return f"{value // 60:02}:{value % 60:02}"

    def schema(self, shared: Schema) -> Schema:
        return {"type": "string", "pattern": f"^(?:{self._pattern})$"}


class ListOf:
    """A list of one kind, at least and at most so many."""

    def __init__(self, kind: Kind, least: int, most: int) -> None:
        self._kind, self._least, self._most = kind, least, most

    def read(self, value: object, where: str, problems: Problems) -> tuple[Any, ...]:
        if not isinstance(value, list):
            problems.append(f"{where}: {shown(value)} is not a list; put it in square brackets")
        elif not self._least <= len(value) <= self._most:
            problems.append(f"{where}: it has {len(value)} entries; make it {self._least} to {self._most}")
        else:
            return tuple(self._kind.read(each, f"{where}[{index}]", problems) for index, each in enumerate(value))
        return ()

    def write(self, value: tuple[Any, ...]) -> object:
        return [self._kind.write(each) for each in value]

    def schema(self, shared: Schema) -> Schema:
        return {"type": "array", "items": self._kind.schema(shared), "minItems": self._least, "maxItems": self._most}


class Object:
    """A JSON object whose fields are those of a dataclass. `always` are fields beside, each with its only value."""

    def __init__(self, model: type, always: Mapping[str, object] | None = None) -> None:
        self.model, self._always = model, dict(always or {})

    def read(self, value: object, where: str, problems: Problems) -> Any:
        if not isinstance(value, dict):
            problems.append(f"{where or 'the file'}: {shown(value)} is not an object; put it in curly brackets")
            return None
        before, every = len(problems), by_name(self.model)
        self._names(value, where, problems)
        given = {
            field.name: field.metadata["kind"].read(value[name], _within(where, name), problems)
            for name, field in every.items()
            if name in value
        }
        return self.model(**given) if len(problems) == before else None

    def _names(self, value: dict[str, object], where: str, problems: Problems) -> None:
        every, at = by_name(self.model), f"{where}: " if where else ""
        known = [*self._always, *every]
        for name in value.keys() - set(known):
            problems.append(f"{at}{shown(name)} is no field here; remove it, or write one of {', '.join(known)}")
        for name in [*self._always, *(name for name, field in every.items() if is_required(field))]:
            if name not in value:
                problems.append(f'{at}"{name}" is missing; add it')

    def write(self, value: Any) -> dict[str, object]:
        found = dict(self._always)
        for name, field in by_name(self.model).items():
            held = getattr(value, field.name)
            if is_required(field) or held != field.default:
                found[name] = field.metadata["kind"].write(held)
        return found

    def schema(self, shared: Schema) -> Schema:
        name = str(self._always.get("kind", self.model.__name__.lower()))
        shared[name] = self.described(shared)
        return {"$ref": f"#/$defs/{name}"}

    def described(self, shared: Schema) -> Schema:
        """The object with all its fields."""
        every = by_name(self.model)
        return {
            "type": "object",
            "description": " ".join((self.model.__doc__ or "").split()),
            "properties": {
                **{name: {"const": each} for name, each in self._always.items()},
                **{
                    name: {"description": field.metadata["about"], **field.metadata["kind"].schema(shared)}
                    for name, field in every.items()
                },
            },
            "required": [*self._always, *(name for name, field in every.items() if is_required(field))],
            "additionalProperties": False,
        }


class OneOf:
    """One of several objects, told apart by their field "kind"."""

    def __init__(self, models: Mapping[str, type]) -> None:
        self._objects = {name: Object(model, {"kind": name}) for name, model in models.items()}

    def read(self, value: object, where: str, problems: Problems) -> Any:
        kind = value.get("kind") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in self._objects:
            problems.append(f'{where}: its "kind" is {shown(kind)}; make it one of {", ".join(self._objects)}')
            return None
        return self._objects[kind].read(value, where, problems)

    def write(self, value: Any) -> object:
        return next(each for each in self._objects.values() if each.model is type(value)).write(value)

    def schema(self, shared: Schema) -> Schema:
        return {"oneOf": [each.schema(shared) for each in self._objects.values()]}


def _within(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
