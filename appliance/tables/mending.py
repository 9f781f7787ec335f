"""A layout mended by words, as a command says it: `decimal=comma`, or `column Saldo=memo`."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from appliance import delimited
from appliance.errors import UserError
from appliance.tables.layout import MEANINGS, Layout

WAYS = ("order", "decimal", "sign", "kind", "unit", "account", "role", "seconds")
COLUMN = "column "
_TOLD = f"{', '.join(WAYS)}, zone, and column HEADING, which is one of {', '.join(filter(None, MEANINGS))}"


def mended(layout: Layout, header: Sequence[str], said: Mapping[str, str]) -> Layout:
    """The layout as a person says it is; UserError, with every problem, where that is none of a table.

    A column is named by its heading; it may be what `MEANINGS` has, and is left out where nothing is said of it.
    """
    problems, columns, ways = list[str](), list(layout.columns), dict[str, Any]()
    places = {delimited.plain(name): place for place, name in enumerate(header)}
    for name, value in said.items():
        if name.startswith(COLUMN):
            place = places.get(delimited.plain(name.removeprefix(COLUMN)), len(columns))
            if place < len(columns):
                columns[place] = value
            else:
                problems.append(f"{name}: there is no such column; there are {', '.join(filter(None, header))}")
        elif name == "seconds" and not (value.isascii() and value.isdigit() and len(value) < 8):
            problems.append(f"seconds={value!r}: write how many seconds a row is the use of, or 0 for moments")
        elif name in WAYS:
            ways[name] = int(value) if name == "seconds" else value
        else:
            problems.append(f"{name!r} is nothing that a table is told; there are {_TOLD}")
    if problems:
        raise UserError(problems)
    found = dataclasses.replace(layout, columns=tuple(columns), **ways)
    if found.lacks:
        raise UserError(found.lacks)
    return found
