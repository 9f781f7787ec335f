"""How a JSON answer is read that no importer knows: a mapping, which a person writes as TOML. See GUIDE."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.errors import UserError
from appliance.tables import DECIMALS, ORDERS, READINGS

_GUIDE = """
# The way to the list of items, with dots between the names: * for any name, nothing where the answer is the list.
items = "data.payments"
# What they are: a kind of fact, or "readings".
kind = "money.transaction"
# What it is called here.
source = "My bank"

# Where in an item each thing stands: of a fact at, title, party, account, amount, unit, memo and id; of a reading at,
# until, role, amount, unit, quality and account.
[columns]
at = "booked"
title = "merchant.name"
amount = "value.minor"
id = "id"

# What else is kept of a fact, by the names of its kind's fields.
[fields]
category = "labels.category"

# What no item says: party, account or unit; of readings role, unit, account or seconds, which is how long each lasts.
[constants]
unit = "EUR"

# Only what is not usual. times: "seconds" or "milliseconds" since 1970, or "day first", "month first" or "year first".
# decimal: "comma", in amounts that are texts. minor: so many decimals are not written, as in cents. sign: where a word
# says out or in (debit, af), or "turned round".
[values]
minor = 2
sign = "direction"

# How the next page is found. One of: next, the way to its address; page, the name of the parameter with its number, and
# first, the number of the first; cursor, the way to what the next page is asked with, and parameter, its name there.
[paging]
next = "links.next"

# How only what is new is asked for: parameter, its name; as, "day", "time" or "seconds"; days, how many of those before
# are asked for again.
[since]
parameter = "from"
as = "day"
days = 14
"""
GUIDE = re.sub(r"(#.*\n)+#.*", lambda found: found[0].replace("\n# ", " "), _GUIDE).strip()
"""A mapping that says everything once, and can be read, with what may stand there besides; each comment is one line."""

TURNED_ROUND = "turned round"
TIMES = ("iso", "seconds", "milliseconds", *ORDERS)
SINCE = ("day", "time", "seconds")
ANY = "*"
MOST_MINOR = 6
LATE_DAYS = 14
_KIND = re.compile(r"[a-z0-9_-]{1,40}(\.[a-z0-9_-]{1,40})?")
_FACT_COLUMNS = ("at", "title", "party", "account", "amount", "unit", "memo", "id")
_READING_COLUMNS = ("at", "until", "role", "amount", "unit", "quality", "account")
_FACT_CONSTANTS = ("party", "account", "unit")
_READING_CONSTANTS = ("role", "unit", "seconds", "account")
_VALUES = ("times", "decimal", "minor", "sign")
_PAGING = ("next", "page", "first", "cursor", "parameter")
_SINCE = ("parameter", "as", "days")
_MOST_DAYS, _LONGEST_S = 3_660, 10 * 366 * 86_400

Way = tuple[str, ...]
"""The names that lead to a value."""


@dataclass(frozen=True)
class JsonMapping:
    """A mapping that was read; see the module's docstring. Constants are texts."""

    items: Way = ()
    kind: str = ""
    source: str = ""
    columns: Mapping[str, Way] = field(default_factory=dict)
    fields: Mapping[str, Way] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    times: str = "iso"
    decimal: str = "point"
    minor: int = 0
    sign: Way = ()
    is_turned: bool = False
    next: Way = ()
    page: str = ""
    first: int = 1
    cursor: Way = ()
    parameter: str = ""
    since: str = ""
    since_as: str = "day"
    late_days: int = LATE_DAYS

    @property
    def is_readings(self) -> bool:
        return self.kind == READINGS


def read(text: str) -> JsonMapping:
    """The mapping that a text states; UserError with everything that is wrong with it."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"mapping: this is no TOML: {error}") from None
    reader = _Reader(said)
    found = reader.mapping()
    if reader.problems:
        raise UserError(f"mapping: {problem}" for problem in reader.problems)
    return found


def found(said: Any, way: Way) -> Any:
    """What stands at the end of a way; None where there is nothing. Of a list a number leads to one element."""
    for name in way:
        if isinstance(said, dict):
            said = said.get(name)
        elif isinstance(said, list) and name.isdigit() and len(name) < 6 and int(name) < len(said):
            said = said[int(name)]
        else:
            return None
    return said


def items(said: Any, way: Way) -> Iterator[list[Any]]:
    """The lists of items at the end of a way: several where a list or any name stands on it; null is an empty one."""
    if isinstance(said, list) and not way:
        yield said
    elif said is None and not way:
        yield []
    elif isinstance(said, list):
        for each in said:
            yield from items(each, way)
    elif isinstance(said, dict) and way and way[0] == ANY:
        if len(way) == 1:
            yield [each for each in said.values() if isinstance(each, dict)]
        for each in said.values():
            yield from items(each, way[1:])
    elif isinstance(said, dict) and way and way[0] in said:
        yield from items(said[way[0]], way[1:])


class _Reader:
    """Reads a mapping part by part, and gathers what is wrong with it."""

    def __init__(self, said: dict[str, Any]) -> None:
        self._said, self.problems = said, list[str]()

    def mapping(self) -> JsonMapping:
        self._known(
            "", self._said, ("items", "kind", "source", "columns", "fields", "constants", "values", "paging", "since")
        )
        kind = self._text("kind", self._said)
        is_readings = kind == READINGS
        if not _KIND.fullmatch(kind):
            self.problems.append(f'kind={kind!r}: write a kind such as "money.transaction", or "{READINGS}"')
        values, paging, since = (self._part(name, known) for name, known in
                                 (("values", _VALUES), ("paging", _PAGING), ("since", _SINCE)))  # fmt: skip
        sign = self._text("values.sign", values, "sign")
        made = JsonMapping(
            items=_way(self._text("items", self._said)),
            kind=kind,
            source=self._text("source", self._said)[:100],
            columns=self._ways("columns", _READING_COLUMNS if is_readings else _FACT_COLUMNS),
            fields={} if is_readings else self._ways("fields", None),
            constants=self._constants(_READING_CONSTANTS if is_readings else _FACT_CONSTANTS),
            times=self._choice("values.times", values, "times", TIMES),
            decimal=self._choice("values.decimal", values, "decimal", DECIMALS),
            minor=self._whole("values.minor", values, "minor", 0, 0, MOST_MINOR),
            sign=() if sign == TURNED_ROUND else _way(sign),
            is_turned=sign == TURNED_ROUND,
            next=_way(self._text("paging.next", paging, "next")),
            page=self._text("paging.page", paging, "page"),
            first=self._whole("paging.first", paging, "first", 1, 0, 1_000_000),
            cursor=_way(self._text("paging.cursor", paging, "cursor")),
            parameter=self._text("paging.parameter", paging, "parameter"),
            since=self._text("since.parameter", since, "parameter"),
            since_as=self._choice("since.as", since, "as", SINCE),
            late_days=self._whole("since.days", since, "days", LATE_DAYS, 0, _MOST_DAYS),
        )
        self._lacks(made)
        return made

    def _lacks(self, made: JsonMapping) -> None:
        """What a mapping must say, and what contradicts itself."""
        said = {*made.columns, *made.constants}
        if made.is_readings:
            wanted = {"at": {"at"}, "amount": {"amount"}, "role": {"role"}, "unit": {"unit"}}
            wanted["until, or the constant seconds,"] = {"until", "seconds"}
        else:
            wanted = {"at": {"at"}} if made.kind == "money.transaction" else {}
            wanted |= {"amount": {"amount"}} if made.kind == "money.transaction" else {}
        self.problems += [f"columns: say where {name} stands" for name, ways in wanted.items() if not ways & said]
        if not made.columns and not made.fields:
            self.problems.append("columns: say where at least one thing stands in an item")
        ways = [name for name in ("next", "page", "cursor") if getattr(made, name)]
        if len(ways) > 1:
            self.problems.append(f"paging: of {' and '.join(ways)} only one can be")
        if bool(made.cursor) != bool(made.parameter):
            self.problems.append("paging: cursor and parameter go together")
        seconds = made.constants.get("seconds", "0")
        if not seconds.isdigit() or int(seconds) > _LONGEST_S:
            self.problems.append(f"constants.seconds={seconds}: write a whole number of seconds")

    # ---- parts ----

    def _known(self, place: str, said: Mapping[str, Any], known: Sequence[str]) -> None:
        for name in said:
            if name not in known:
                self.problems.append(f"{place}{name} is not known; there are {', '.join(known)}")

    def _part(self, name: str, known: Sequence[str] | None) -> dict[str, Any]:
        part = self._said.get(name, {})
        if not isinstance(part, dict):
            self.problems.append(f"{name} is no table: write [{name}] on a line of its own")
            return {}
        if known is not None:
            self._known(f"{name}.", part, known)
        return part

    def _ways(self, name: str, known: Sequence[str] | None) -> dict[str, Way]:
        part = self._part(name, known)
        return {key: _way(said) for key in part if (said := self._text(f"{name}.{key}", part, key))}

    def _constants(self, known: Sequence[str]) -> dict[str, str]:
        part = self._part("constants", known)
        found = {
            key: str(said) for key, said in part.items() if isinstance(said, str | int) and not isinstance(said, bool)
        }
        self.problems += [f"constants.{key} is neither a text nor a number" for key in part if key not in found]
        return {key: said.strip() for key, said in found.items() if said.strip()}

    def _text(self, place: str, said: Mapping[str, Any], name: str = "") -> str:
        text = said.get(name or place, "")
        if not isinstance(text, str):
            self.problems.append(f"{place} is no text: write it in quotes")
            return ""
        return text.strip()

    def _choice(self, place: str, said: Mapping[str, Any], name: str, choices: Sequence[str]) -> str:
        text = self._text(place, said, name) or choices[0]
        if text not in choices:
            self.problems.append(f"{place}={text!r}: write one of {', '.join(choices)}")
        return text

    def _whole(self, place: str, said: Mapping[str, Any], name: str, usual: int, least: int, most: int) -> int:
        number = said.get(name, usual)
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            self.problems.append(f"{place}={number!r}: write a whole number from {least} to {most}")
            return usual
        return number


def _way(text: str) -> Way:
    return tuple(text.split(".")) if text else ()
