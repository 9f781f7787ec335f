"""An `Options` dataclass from a section of the configuration, from `--set` texts or from a form."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

from appliance.errors import UserError

Options = TypeVar("Options")


def options_from(kind: type[Options], section: Mapping[str, Any], place: str) -> Options:
    """An `Options` dataclass from a section of the configuration or from `--set` texts.

    Texts are read as the field's type, so that TOML and the command line say the same. UserError with every problem,
    in which no field's value stands that is a `secret` by its metadata.
    """
    fields = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    known = ", ".join(sorted(fields)) or "none"
    problems = [f"{place}: {name!r} is not an option; there are: {known}" for name in section if name not in fields]
    needed = [name for name, item in fields.items() if _is_needed(item)]
    problems += [f"{place}.{name}: is missing" for name in needed if name not in section]
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, value in section.items():
        if name in fields:
            try:
                values[name] = _as_type(value, hints[name])
            except ValueError as error:
                why = "is no text; put it in quotes" if name in secrets_of(kind) else error
                problems.append(f"{place}.{name}: {why}")
    if problems:
        raise UserError(problems)
    try:
        return kind(**values)
    except UserError as error:
        raise UserError(f"{place}: {problem}" for problem in error.problems) from None


def secrets_of(kind: type[Any]) -> frozenset[str]:
    """The names of the options whose values are shown to nobody."""
    return frozenset(item.name for item in dataclasses.fields(kind) if item.metadata.get("secret"))


def _is_needed(item: "dataclasses.Field[Any]") -> bool:
    return item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING


def _as_type(value: Any, wanted: Any) -> Any:
    if isinstance(wanted, types.UnionType):
        wanted = next(kind for kind in typing.get_args(wanted) if kind is not type(None))
    if wanted is bool and isinstance(value, str):
        if value.lower() not in ("true", "false"):
            raise ValueError(f"{value!r} is neither true nor false")
        return value.lower() == "true"
    if wanted in (int, float) and isinstance(value, str):
        try:
            return wanted(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a {'whole ' if wanted is int else ''}number") from None
    if wanted in (int, float) and isinstance(value, bool):
        raise ValueError(f"{value} is not a number")
    if wanted is Decimal and isinstance(value, str | int | float):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise ValueError(f"{value!r} is not a number") from None
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted is Path and isinstance(value, str):
        return Path(value)
    if isinstance(wanted, type) and not isinstance(value, wanted):
        raise ValueError(f"{value!r} is not of type {wanted.__name__}")
    return value
