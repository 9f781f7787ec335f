"""How a table is read: which column is what, and how days and amounts are written in it."""

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from appliance import delimited
from appliance.errors import UserError

ORDERS = ("day first", "month first", "year first")
DECIMALS = ("point", "comma")
SIGNS = ("as written", "turned round", "by a word")

# What a column may be. Of each meaning there is one column, but for `memo`, `field` and what is left out.
MEANINGS = {
    "at": "Date, or date and time",
    "time": "Time of day",
    "title": "What it is",
    "party": "Who was paid, or paid",
    "amount": "Amount",
    "out": "Amount paid out",
    "in": "Amount paid in",
    "sign": "Word for out or in",
    "unit": "Currency or unit",
    "account": "Account",
    "memo": "Reference, notes",
    "supplier_id": "Their own number of it",
    "until": "End date, or date and time",
    "until_time": "End time of day",
    "role": "What was measured",
    "quality": "How sure it is",
    "field": "Keep it beside",
    "": "Leave it out",
}
READINGS = "readings"
OUT_WORDS = frozenset({"af", "d", "dr", "debit", "out", "soll", "s", "debet", "-", "payment", "paid out"})
IN_WORDS = frozenset({"bij", "c", "cr", "credit", "in", "haben", "h", "+", "paid in"})


@dataclass(frozen=True)
class Layout:
    """How a table is read. `columns` says what each is, by place; `roles` what a word of the role's column measures.

    `kind` is a kind of fact, or "readings", whose `role` and `unit` hold where no column says them; `seconds` is the
    length of an interval without an end, 0 for an instant. `header` is the line of the heading, 0 where there is none.
    """

    delimiter: str = ","
    header: int = 1
    columns: tuple[str, ...] = ()
    kind: str = "money.transaction"
    order: str = ""
    decimal: str = ""
    sign: str = "as written"
    unit: str = ""
    account: str = ""
    role: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    seconds: int = 0

    def __post_init__(self) -> None:
        problems = [
            f"{name}={said!r}: write one of {', '.join(choices)}"
            for name, said, choices in (
                ("order", self.order, ("", *ORDERS)),
                ("decimal", self.decimal, ("", *DECIMALS)),
                ("sign", self.sign, SIGNS),
            )
            if said not in choices
        ]
        if unknown := sorted(set(self.columns) - MEANINGS.keys()):
            problems.append(f"columns: {', '.join(unknown)} is nothing that a column can be")
        counts = Counter(each for each in self.columns if each not in ("", "memo", "field"))
        if twice := sorted(name for name, count in counts.items() if count > 1):
            problems.append(f"columns: {', '.join(MEANINGS[each].lower() for each in twice)} is said of two columns")
        if len(self.delimiter) != 1:
            problems.append("delimiter: it is one character")
        if problems:
            raise UserError(problems)

    def text(self) -> str:
        """As it is kept, and stated to the importer."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, sort_keys=True)

    @property
    def is_readings(self) -> bool:
        return self.kind == READINGS

    def place(self, meaning: str) -> int:
        """Where the column of that meaning is, -1 where none has it."""
        return self.columns.index(meaning) if meaning in self.columns else -1

    @property
    def lacks(self) -> list[str]:
        """What nothing can be read without."""
        found = []
        if "at" not in self.columns:
            found.append("Say which column is the date.")
        if not {"amount", "out", "in"} & set(self.columns):
            found.append(
                "Say which column is the amount." if not self.is_readings else "Say which column is the value."
            )
        if self.sign == "by a word" and "sign" not in self.columns:
            found.append("Say which column has the word for out or in.")
        if self.is_readings and not (self.role or self.roles):
            found.append("Say what was measured.")
        if self.is_readings and not (self.unit or "unit" in self.columns):
            found.append("Say in which unit it was measured.")
        return found


def layout_from(text: str) -> Layout:
    """A layout as it is kept; UserError where it is none."""
    try:
        said = json.loads(text)
        known = {each.name for each in dataclasses.fields(Layout)}
        if not isinstance(said, dict) or not said.keys() <= known:
            raise ValueError
        said["columns"] = tuple(map(str, said.get("columns", ())))
        return Layout(**said)
    except (ValueError, TypeError, RecursionError):
        raise UserError("layout: this is not the layout of a table; say it on the page Import") from None


def shape(header: Sequence[str], delimiter: str) -> str:
    """What tables of one supplier have in common: a digest of the heading."""
    names = "\n".join(map(delimited.plain, header))
    return hashlib.sha256(f"{delimiter}\n{names}".encode()).hexdigest()[:32]
