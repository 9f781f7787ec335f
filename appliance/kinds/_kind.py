"""What a kind is, and how what a person says of one becomes a fact."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any

from appliance.errors import UserError
from appliance.kinds._fields import LONGEST_TEXT, Field, FieldType, with_offset

CURRENCY = "Currency"  # what a kind calls the unit of its amount, where that is money
CURRENCY_HELP = "A currency, such as GBP."
SIGNS = {"€": "EUR", "£": "GBP"}  # of others several currencies have the same
_CURRENCY = re.compile("[A-Z]{3}")
AMOUNT_DECIMALS = 6  # amounts are kept in 10^-6 of their unit, in 64 bits
_LARGEST_AMOUNT = Decimal(2**63 - 1).scaleb(-AMOUNT_DECIMALS)
FIRST_YEAR, LAST_YEAR = 1900, 2199  # the days that every page can show in every zone
PERSONAL_DATA = "dpv:PersonalData"  # the broadest category, for a kind that names none


class AmountIs(StrEnum):
    """What the amount of a kind says, and so how sums over several kinds take it."""

    MOVED = "moved"  # money that came or, with a minus, went
    ASKED = "asked"  # what somebody asks for, such as a bill's total: it is paid out
    STANDS = "stands"  # a balance, a value, a budget or a measured size: nothing was paid or received


COLUMNS: Mapping[str, Field] = {
    "title": Field("What"),
    "at": Field("When", FieldType.WHEN),
    "party": Field("With whom"),
    "account": Field("Account"),
    "amount": Field("Amount", FieldType.DECIMAL),
    "unit": Field("Unit", help="A currency, such as GBP, or another unit, such as kg."),
    "memo": Field("Notes", FieldType.LINES),
}
"""What every record has, whatever its kind, so that one timeline, one search and one sum work over all kinds."""


class FieldsError(UserError):
    """What a person said of a kind cannot be kept as it is; `of` holds what is wrong by the name of its field."""

    def __init__(self, of: Mapping[str, str], problems: Iterable[str]) -> None:
        self.of = dict(of)
        super().__init__(problems)


class DoubtError(FieldsError):
    """What a person said may be right, and is more likely a slip: it is kept once they say that they are sure."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What a person said of one fact, in normal form.

    `given` names the columns and fields that were said, those cleared by an empty text included; a column that is not
    in it holds its empty value, except the title, which is then made from the rest. `fields` holds no empty text.
    """

    at: date | datetime | None
    title: str
    party: str
    account: str
    amount: Decimal | None
    unit: str
    memo: str
    fields: dict[str, str]
    given: frozenset[str]


@dataclass(frozen=True, slots=True)
class Column:
    """What a kind calls a common column, the property of schema.org that says the same ("" where none does), and a
    sentence beside it on a form, where the kind has one of its own.
    """

    title: str
    schema_org: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """One declaration a kind.

    `dpv` is its category of personal data in the W3C Data Privacy Vocabulary (https://w3id.org/dpv/pd), `schema_org`
    its type at schema.org ("" where there is none). `fields` are what the kind adds to the common columns. `columns`
    says what its forms call those common columns that they ask for, and `needs` which of them must be said.
    `plural` heads a list of them; "" is the title with an s. `mine` kinds are offered first to a person who says
    something of their own. What is not `counted` stands beside a statement's rows, such as a balance, and is not part
    of what an import says it read and stored. `amount_is` says what an amount of it is; what does not say so is no part
    of a sum over several kinds.
    """

    name: str
    title: str
    dpv: str = PERSONAL_DATA
    schema_org: str = ""
    fields: Mapping[str, Field] = field(default_factory=dict)
    columns: Mapping[str, Column] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    plural: str = ""
    mine: bool = False
    counted: bool = True
    amount_is: AmountIs = AmountIs.STANDS

    @property
    def many(self) -> str:
        """The title of a list of them."""
        return self.plural or f"{self.title}s"

    @property
    def form(self) -> dict[str, Field]:
        """What a form asks for, by name and in order: the common columns that `columns` names, the kind's own fields,
        and notes last. It asks for a title, too, where nothing else that it asks for could stand for one."""
        nameless = not self._naming and "party" not in self.columns
        asked = {name: self.column(name) for name in COLUMNS if name in self.columns or (name == "title" and nameless)}
        notes = {name: asked.pop(name) for name in ("memo",) if name in asked}
        return {**asked, **{name: said for name, said in self.fields.items() if said.asked}, **notes}

    @property
    def files(self) -> dict[str, Field]:
        """The fields whose values name files that the store keeps."""
        return {name: said for name, said in self.fields.items() if said.type.media}

    def column(self, name: str) -> Field:
        """A common column as this kind calls it."""
        usual = COLUMNS[name]
        said = self.columns.get(name, Column(usual.title))
        help_text = said.help or (CURRENCY_HELP if name == "unit" and self.is_money else usual.help)
        needed = name in self.needs
        return replace(usual, title=said.title, schema_org=said.schema_org, required=needed, help=help_text)

    @property
    def is_money(self) -> bool:
        """Whether its amount is in a currency."""
        return "unit" in self.columns and self.columns["unit"].title == CURRENCY

    def stated(self, values: Mapping[str, str], *, zone: tzinfo | None = None) -> Stated:
        """What a person typed, checked and in normal form; `FieldsError` with all that is wrong.

        `values` are texts by the names of the common columns (`COLUMNS`, whether or not the kind's forms ask for them)
        and of the kind's fields. An empty text says nothing. A time without an offset is one of `zone`; it is refused
        where none is given.
        """
        known = self._known
        said = {name: text for name, text in values.items() if text.strip() or name not in known}
        read, wrong = self._read(said, zone)
        missing = [name for name, said in known.items() if said.required and name not in read | wrong]
        wrong |= {name: _missing(known[name]) for name in missing}
        self._refuse(wrong | self._contradictions(read, wrong))
        return self._made(read | {"title": read.get("title", "") or self.title_from(read)}, frozenset(read))

    def corrected(self, values: Mapping[str, str], held: Mapping[str, str], *, zone: tzinfo | None = None) -> Stated:
        """What a person typed to correct a fact that holds other values; as `stated`, but only what changes is said, so
        nothing is missed, and an empty text clears what may be empty.
        """
        read, wrong = self._read(values, zone)
        self._refuse(wrong | self._contradictions(read, wrong, held))
        return self._made(read, frozenset(read))

    @property
    def _known(self) -> dict[str, Field]:
        return {**{name: self.column(name) for name in COLUMNS}, **self.fields}

    def _read(self, values: Mapping[str, str], zone: tzinfo | None) -> tuple[dict[str, str], dict[str, str]]:
        """Each text in normal form, and what is wrong with the others."""
        known, read, wrong = self._known, dict[str, str](), dict[str, str]()
        for name, text in values.items():
            try:
                if name not in known:
                    raise ValueError(f"is not part of {self.name}; there are {', '.join(self.form | known)}")
                read[name] = _read(name, known[name], text, zone)
            except ValueError as error:
                wrong[name] = str(error)
        return read, wrong

    def _refuse(self, wrong: Mapping[str, str]) -> None:
        if wrong:
            raise FieldsError(wrong, self.told(wrong))

    def told(self, wrong: Mapping[str, str]) -> list[str]:
        """What is wrong, by the names of columns and fields, as a person reads it: each with what a form calls it."""
        known = self._known
        return [f"{_called(name, known.get(name))}: {reason}" for name, reason in wrong.items()]

    def _contradictions(
        self, read: dict[str, str], wrong: Mapping[str, str], held: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """What is wrong with values that are right by themselves, beside what the fact holds already; a currency is
        brought into its normal form. Of a field that is wrong anyway nothing more is said.
        """
        more = {}
        if self.is_money and read.get("unit"):
            read["unit"] = SIGNS.get(read["unit"], read["unit"].upper())
            if not _CURRENCY.fullmatch(read["unit"]):
                more["unit"] = f"{read['unit']!r} is no currency; write its three letters, such as EUR"
        begin = "from" if "from" in self.fields else "at"
        begun, ended = ({**(held or {}), **read}.get(name, "") for name in (begin, "until"))
        if (begin in read or "until" in read) and begun and ended and _is_before(ended, begun):
            more["until" if "until" in read else begin] = (
                f"it would end {ended}, which is before {begun}, when it began; correct one of them"
            )
        return {name: reason for name, reason in more.items() if name not in wrong}

    def title_from(self, values: Mapping[str, str]) -> str:
        """The title of a fact to which nobody gave one, from its columns and fields by their names."""
        said = (values[name] for name in (*self._naming, "party", "memo") if values.get(name))
        return next(said, self.title).partition("\n")[0][:LONGEST_TEXT]

    def declaration(self) -> dict[str, Any]:
        """What makes this kind again with `from_declaration`: texts, booleans, lists and mappings, as JSON has them."""
        said = _unusual(self)
        if self.fields:
            said["fields"] = {name: _unusual(each) for name, each in self.fields.items()}
        if self.columns:
            said["columns"] = {name: _column(each) for name, each in self.columns.items()}
        return said

    @property
    def _naming(self) -> list[str]:
        """The fields that can stand for a title."""
        return [name for name, said in self.fields.items() if said.required and said.type is FieldType.TEXT]

    def _made(self, read: dict[str, str], given: frozenset[str]) -> Stated:
        columns = {name: read.get(name, "") for name in COLUMNS}
        fields = {name: value for name, value in read.items() if name not in COLUMNS and value}
        at, amount = columns.pop("at"), Decimal(columns["amount"]) if columns["amount"] else None
        del columns["amount"]
        return Stated(at=_at(at), amount=amount, fields=fields, given=given, **columns)


def _is_before(ended: str, begun: str) -> bool:
    """Whether an end lies before a begin: two times as instants, else by the days that were said.

    The day of a time that is kept in UTC may be another where it was said, so it has a day's grace.
    """
    if "T" in ended and "T" in begun:
        return datetime.fromisoformat(ended) < datetime.fromisoformat(begun)
    grace = timedelta(days=1 if ended.endswith("Z") or begun.endswith("Z") else 0)
    return date.fromisoformat(begun[:10]) - date.fromisoformat(ended[:10]) > grace


def _read(name: str, said: Field, text: str, zone: tzinfo | None) -> str:
    """The normal form of a column's or a field's text, "" to clear it; ValueError says what is wrong with it."""
    if zone and said.type in (FieldType.TIME, FieldType.WHEN):
        text = with_offset(text, zone)
    value = said.read(text) if text.strip() else ""
    if not value and (said.required or name == "title"):
        raise ValueError("cannot be empty; write what it should be")
    if value and name == "amount":
        _check_amount(Decimal(value))
    if value and name == "at" and not FIRST_YEAR <= int(value[:4]) <= LAST_YEAR:
        raise ValueError(f"{value!r} is too far away; write a day of the years {FIRST_YEAR} to {LAST_YEAR}")
    return value


def _check_amount(amount: Decimal) -> None:
    if amount != round(amount, AMOUNT_DECIMALS):
        raise ValueError(f"{str(amount)!r} has more than {AMOUNT_DECIMALS} decimals; round it")
    if abs(amount) > _LARGEST_AMOUNT:
        raise ValueError(f"{str(amount)!r} is too large; write at most {int(_LARGEST_AMOUNT)}")


def _missing(said: Field) -> str:
    return f"is needed; write one of {', '.join(said.choices)}" if said.choices else "is needed; write it"


def _called(name: str, said: Field | None) -> str:
    """A field by what a form calls it, and by its name in the command where that is another."""
    if said is None:
        return name
    bare = said.title.partition(" (")[0]  # as in Amount (− if paid out)
    return said.title if bare.casefold() == name else f"{said.title} ({name})"


def _at(text: str) -> date | datetime | None:
    if not text:
        return None
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _unusual(said: Kind | Field) -> dict[str, Any]:
    """What differs from what would be taken for granted, without a kind's fields, as JSON has it."""
    names = [each.name for each in dataclasses.fields(said) if each.name not in ("fields", "columns")]
    stated = {name: getattr(said, name) for name in names}
    usual = Kind("", "") if isinstance(said, Kind) else Field("")
    return {name: _plain(value) for name, value in stated.items() if value != getattr(usual, name)}


def _column(said: Column) -> str | dict[str, str]:
    more = {name: value for name in ("schema_org", "help") if (value := getattr(said, name))}
    return {"title": said.title, **more} if more else said.title


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, str) else value
