"""What a bill states, lifted from its text by declared patterns: a table a language, in `patterns/*.toml`.

    language = "en"                 of the paper
    decimal = "."                   what stands before decimals
    dates = "day-first"             what 03/04/2026 means; "" where the language does not settle it
    when = ['electricity|gas', ...] each must be found, else the table is not of this paper
    months = ["january", ...]
    [supply]                        words for what is supplied
    [lift]                          of each field its patterns, the surest first

In a pattern `{date}`, `{money}`, `{coins}` (pounds or pence) and `{id}` are values (`{a_date}` one that is not taken),
and `{gap}` is what may stand between a label and its value. Patterns look at a line, or at a line and the one below it.
The first that finds anything decides; where it finds two different values, neither is taken. `charges` are what the
days of the bill cost, where that is another amount than what is to pay.
`suppliers.toml` has the names of suppliers, as they write them.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from appliance import parsing

TABLES = Path(__file__).parent / "patterns"
MOST_LINES = 4_000
LONGEST_LINE = 300  # characters that patterns look at
CURRENCIES = {"£": "GBP", "€": "EUR", "CHF": "CHF", "EUR": "EUR", "GBP": "GBP", "USD": "USD", "$": "USD"}

_DAYS = frozenset({"at", "from", "until", "due"})
_AMOUNTS = frozenset({"amount", "charges", "tax", "standing_charge"})
_MAY_BE_SEVERAL = frozenset({"unit_price", "charges"})  # as of day and night: then none is the bill's
_NUMBERS = frozenset({"used", "volume", "register_before", "register_after"})
_DATE = (
    r"[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{2,4}|[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{1,2}(?:st|nd|rd|th|er)?\.? [^\W\d_]{3,10}\.? [0-9]{4}"
    r"|[^\W\d_]{3,10}\.? [0-9]{1,2}(?:st|nd|rd|th)?,? [0-9]{4}"
)
_VALUES = {
    "gap": r"(?:[\s:=.…*|-]|\([^()\d]{0,30}\)){0,16}",
    "date": f"({_DATE})",
    "a_date": f"(?:{_DATE})",
    "money": r"((?:(?:£|€|\$|EUR|GBP|USD|CHF) ?-?[0-9][0-9.,'’ ]{0,15}|-?[0-9][0-9.,'’ ]{0,15}[.,][0-9]{2}\b)"
    r"(?: ?(?:€|EUR|£|\$|CHF))?)",
    "coins": r"(?:£ ?([0-9]{1,2}\.[0-9]{1,6})|([0-9]{1,3}(?:\.[0-9]{1,4})?) ?(?:p|pence))",
    "id": r"([A-Z0-9][A-Z0-9/ .-]{2,30}[A-Z0-9])",
}
_COMPANY = re.compile(
    r"^([A-Z][\w&.' -]{1,50} (?:Ltd|Limited|plc|PLC|LLP|Inc|LLC|B\.?V\.?|N\.?V\.?|GmbH|AG|SE|S\.?A\.?S?|SRL))\b\.?",
    re.M,
)
_NUMERIC = re.compile(r"([0-9]{1,2})[./-]([0-9]{1,2})[./-]([0-9]{4}|[0-9]{2})")
_NAMED = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th|er)?\.? ([^\W\d_]+)\.? ([0-9]{4})", re.I)
_MONTH_FIRST = re.compile(r"([^\W\d_]+)\.? ([0-9]{1,2})(?:st|nd|rd|th)?,? ([0-9]{4})", re.I)
_SIGN = re.compile("|".join(map(re.escape, CURRENCIES)))


@dataclass(frozen=True)
class Table:
    """A file of patterns; `when` and `lift` are compiled."""

    name: str
    language: str
    decimal: str
    dates: str
    months: Mapping[str, int]
    when: tuple[re.Pattern[str], ...]
    supply: Mapping[str, re.Pattern[str]]
    lift: Mapping[str, tuple[re.Pattern[str], ...]]
    estimated: re.Pattern[str]


@dataclass
class Lifted:
    """What was lifted, by the names of the kind's columns and fields. `by` names each pattern: `english amount 1`."""

    language: str
    texts: dict[str, str] = field(default_factory=dict)
    days: dict[str, date] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    currency: str = ""
    doubts: list[str] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)

    @property
    def by(self) -> str:
        return ", ".join(self.patterns)

    def __len__(self) -> int:
        return len(self.texts) + len(self.days) + len(self.amounts)


def lift(text: str, dates: str = "") -> Lifted | None:
    """What a paper states by the table that lifts most of it; None where no table is of such a paper."""
    lines = [line.strip()[:LONGEST_LINE] for line in text.splitlines() if line.strip()][:MOST_LINES]
    whole = "\n".join(lines)
    every = [_Lifting(table, lines, dates).lifted(whole) for table in tables() if _is_of(table, whole)]
    return max(every, key=len, default=None)


def _is_of(table: Table, whole: str) -> bool:
    return all(pattern.search(whole) for pattern in table.when)


# ---- the tables ----


@cache
def tables() -> tuple[Table, ...]:
    """The package's tables, by their files' names."""
    return tuple(_table(path) for path in sorted(TABLES.glob("*.toml")) if path.stem != "suppliers")


@cache
def _suppliers() -> tuple[tuple[str, re.Pattern[str]], ...]:
    said = tomllib.loads((TABLES / "suppliers.toml").read_text(encoding="utf-8"))["suppliers"]
    return tuple((name, re.compile(pattern)) for name, pattern in said.items())


def _table(path: Path) -> Table:
    said: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return Table(
        name=path.stem,
        language=said["language"],
        decimal=said["decimal"],
        dates=said["dates"],
        months={name: number for number, names in enumerate(said["months"], 1) for name in names.split()},
        when=tuple(re.compile(pattern, re.I) for pattern in said["when"]),
        supply={name: re.compile(pattern, re.I) for name, pattern in said["supply"].items()},
        lift={name: tuple(map(_compiled, patterns)) for name, patterns in said["lift"].items()},
        estimated=re.compile(said["estimated"], re.I),
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    for name, value in _VALUES.items():
        pattern = pattern.replace(f"{{{name}}}", value)
    return re.compile(pattern, re.I)


# ---- one paper by one table ----


class _Lifting:
    def __init__(self, table: Table, lines: list[str], dates: str) -> None:
        self._table, self._lines = table, lines
        self._order = dates or table.dates or _settled(lines)
        self._found = Lifted(table.language)

    def lifted(self, whole: str) -> Lifted:
        for name in self._table.lift:
            self._lift(name)
        self._supplier(whole)
        self._supply(whole)
        return self._found

    def _lift(self, name: str) -> None:
        for number, pattern in enumerate(self._table.lift[name], 1):
            said = list(dict.fromkeys(self._matches(pattern)))
            if not said:
                continue
            values = {self._value(name, each) for each in said}
            values.discard(None)
            if len(values) == 1:
                self._take(name, values.pop(), said[0])
                self._found.patterns.append(f"{self._table.name} {name} {number}")
            elif name in _MAY_BE_SEVERAL:
                continue
            elif values or name in _DAYS | {"period"}:
                self._found.doubts.append(self._doubt(name, said, len(values) > 1))
            return

    def _doubt(self, name: str, said: list[tuple[str, ...]], differ: bool) -> str:
        shown = ", ".join(repr(" ".join(each).strip()) for each in said[:4])
        what = "two ways" if differ else "a way that is not certain"
        order = name in _DAYS | {"period"} and not (differ or self._order)
        mend = ". Where days or months come first, state dates=day-first or dates=month-first" if order else ""
        return f"It states its {_CALLED.get(name, name)} in {what}, so none was taken: {shown}{mend}."

    def _matches(self, pattern: re.Pattern[str]) -> Iterator[tuple[str, ...]]:
        """What a pattern finds in each line, else in the line with the one below it."""
        for line, below in zip(self._lines, [*self._lines[1:], ""], strict=True):
            found = pattern.search(line) or (pattern.search(f"{line}\n{below}") if below else None)
            if found and (found.start() < len(line) or not below):
                yield tuple(each or "" for each in found.groups())

    def _value(self, name: str, said: tuple[str, ...]) -> Any:
        """A value that can be compared; None where it is none."""
        try:
            if name == "period":
                first, last = self._day(said[0]), self._day(said[1])
                return (first, last) if first <= last else None
            if name in _DAYS:
                return self._day(said[0])
            if name in _AMOUNTS | _NUMBERS:
                return self._amount(said[0])
            if name == "unit_price":
                return Decimal(said[0]) if said[0] else Decimal(said[1]).scaleb(-2)
        except ValueError:
            return None
        return " ".join(said[0].split()).strip(" .-/") or None

    def _take(self, name: str, value: Any, said: tuple[str, ...]) -> None:
        found = self._found
        if name == "period":
            found.days["from"], found.days["until"] = value
        elif name in _DAYS:
            found.days[name] = value
        elif name in _AMOUNTS:
            found.amounts[name] = value
            sign = _SIGN.search(said[0])
            if name == "amount" and sign:
                found.currency = CURRENCIES[sign[0]]
        elif name == "unit_price":
            found.texts[name] = f"{value:f}"
        elif name in _NUMBERS:
            found.texts[name] = f"{value:f}"
            if name == "register_after" and len(said) > 1 and said[1]:
                found.texts["estimated"] = "yes" if self._table.estimated.search(said[1]) else "no"
        else:
            found.texts[name] = value

    def _amount(self, text: str) -> Decimal:
        digits = _SIGN.sub("", text).strip().rstrip(".,'’ ")
        other = "," if self._table.decimal == "." else "."
        whole, _, decimals = digits.replace(" ", "").partition(self._table.decimal)
        groups = re.split(f"[{other}'’]", whole.lstrip("-"))
        if any(len(group) != 3 for group in groups[1:]) or not (decimals or "0").isdigit():
            raise ValueError("its groups are not of three digits")
        return parsing.amount(
            ("-" if whole.startswith("-") else "") + "".join(groups) + ("." + decimals if decimals else "")
        )

    def _day(self, text: str) -> date:
        if len(text) == 10 and text[4] == "-":
            return date.fromisoformat(text)
        if numeric := _NUMERIC.fullmatch(text):
            one, two, year = int(numeric[1]), int(numeric[2]), int(numeric[3])
            day, month = (two, one) if self._order == "month-first" else (one, two)
            if not self._order and one <= 12 and two <= 12 and one != two:
                raise ValueError("it could be day first or month first")
            return date(year + 2000 if year < 100 else year, month, day)
        if named := _NAMED.fullmatch(text):
            return date(int(named[3]), self._month(named[2]), int(named[1]))
        if first := _MONTH_FIRST.fullmatch(text):
            return date(int(first[3]), self._month(first[1]), int(first[2]))
        raise ValueError("it is no date")

    def _month(self, name: str) -> int:
        try:
            return self._table.months[name.casefold()]
        except KeyError:
            raise ValueError(f"{name!r} is no month") from None

    def _supplier(self, whole: str) -> None:
        """The supplier that is named first; of others, the first company that heads a line."""
        named = ((found.start(), name) for name, pattern in _suppliers() if (found := pattern.search(whole)))
        first = min(named, default=None)
        if first is not None:
            self._found.texts["party"] = first[1]
            self._found.patterns.append(f"suppliers {first[1]}")
        elif company := _COMPANY.search(whole):
            self._found.texts["party"] = company[1].strip()
            self._found.patterns.append("company")

    def _supply(self, whole: str) -> None:
        """What is supplied, where the bill is of one thing only."""
        supplied = [name for name, pattern in self._table.supply.items() if pattern.search(whole)]
        if len(supplied) == 1:
            self._found.texts["supply"] = supplied[0]


_CALLED = {"at": "day", "due": "day to pay by", "number": "bill number", "account": "account", "used": "use"}


def _settled(lines: list[str]) -> str:
    """What comes first in dates, where one of the paper's own shows it; "" where none does, or they differ."""
    orders = set()
    for line in lines:
        for one, two in re.findall(r"\b([0-9]{1,2})[./-]([0-9]{1,2})[./-][0-9]{2,4}\b", line):
            if int(one) > 12 >= int(two):
                orders.add("day-first")
            elif int(two) > 12 >= int(one):
                orders.add("month-first")
    return orders.pop() if len(orders) == 1 else ""
