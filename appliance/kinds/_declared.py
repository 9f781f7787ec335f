"""Kinds that a person declares in a file, and kinds as a store and an export keep them."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from appliance.errors import UserError
from appliance.kinds._built_in import every
from appliance.kinds._fields import Field, FieldType
from appliance.kinds._kind import COLUMNS, AmountIs, Column, Kind

_NAME = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")
_LONGEST_NAME = 60
_DPV = re.compile(r"(?:pd|dpv):[A-Z][A-Za-z]+")
_SCHEMA_ORG_TYPE, _SCHEMA_ORG_PROPERTY = re.compile(r"[A-Z][A-Za-z]+"), re.compile(r"[a-z][A-Za-z0-9]+")

_SUCH_AS = "a property of schema.org, such as height"


def declared(text: str, place: str) -> list[Kind]:
    """The kinds that a TOML file declares; `UserError` with every problem, each naming `place`, the key and what to
    write. A file declares, for instance, plants:

        [kinds."hobby.plant"]           # lower-case words with dots between them, in quotes
        title = "Plant"                 # needed: what people call one
        plural = "Plants"               # else the title with an s
        dpv = "pd:Interest"             # its category of personal data (https://w3id.org/dpv/pd)
        schema_org = "Product"          # its type at schema.org, where there is one
        mine = true                     # offered first where a person says something of their own
        amount_is = "asked"             # its amounts are asked for, and paid out; "moved" is money that came, or went
                                        # with a minus; "stands" (the default) is no part of a sum over several kinds
        needs = ["at"]                  # common columns that must be said

        [kinds."hobby.plant".columns]   # common columns that its form asks for, and what it calls them:
        at = "Bought on"                # title, at, party, account, amount, unit, memo;
                                        # or { title = "Bought on", schema_org = "purchaseDate", help = "…" }

        [kinds."hobby.plant".fields.species]
        title = "Species"               # needed
        required = true

        [kinds."hobby.plant".fields.light]
        title = "Light"
        type = "choice"                 # text (the default), lines, whole, decimal, day, time, when, yes_no,
        choices = ["sun", "shade"]      # choice, web, email, phone, place, photo or file (a photo or a PDF)

        [kinds."hobby.plant".fields.height]
        title = "Height"
        type = "decimal"
        unit = "cm"
        help = "From the soil up."      # a sentence beside it on the form
        schema_org = "height"           # its property at schema.org
        dpv = "pd:Interest"             # a narrower category than the kind's
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{place}: {error}; mend that line") from None
    reader = _Reader(place)
    kinds = list(reader.document(document))
    if reader.problems:
        raise UserError(reader.problems)
    return kinds


def from_declaration(said: Mapping[str, Any], place: str = "the declaration") -> Kind:
    """The kind that `Kind.declaration` gave; `UserError` with every problem where it is none of ours."""
    reader = _Reader(place)
    name = said.get("name")
    kind = reader.kind(str(name), f"kinds.{name}", {key: value for key, value in said.items() if key != "name"})
    if kind is None or reader.problems:
        raise UserError(reader.problems)
    return kind


class _Reader:
    """Reads one document's tables, and gathers what is wrong with them."""

    KIND: Mapping[str, type] = {
        "title": str,
        "plural": str,
        "dpv": str,
        "schema_org": str,
        "mine": bool,
        "counted": bool,
        "amount_is": str,
        "needs": list,
        "columns": dict,
        "fields": dict,
    }
    FIELD: Mapping[str, type] = {
        "title": str,
        "type": str,
        "unit": str,
        "choices": list,
        "required": bool,
        "schema_org": str,
        "dpv": str,
        "help": str,
        "asked": bool,
    }
    COLUMN: Mapping[str, type] = {"title": str, "schema_org": str, "help": str}
    WRITE: Mapping[type, str] = {
        str: "a text in quotes",
        bool: "true or false",
        list: 'texts in brackets, such as ["one", "other"]',
        dict: "a table of its own",
    }

    def __init__(self, place: str) -> None:
        self.place, self.problems = place, list[str]()

    def problem(self, key: str, text: str) -> None:
        self.problems.append(f"{self.place}: {key}: {text}")

    def document(self, document: Mapping[str, Any]) -> Iterator[Kind]:
        for key in [key for key in document if key != "kinds"]:
            self.problem(key, 'is not known here; a kind begins with a line such as [kinds."hobby.plant"]')
        tables = document.get("kinds", {})
        if not isinstance(tables, dict):
            self.problem("kinds", 'is no table; write [kinds."hobby.plant"] and what it is below')
            return
        for name, table in tables.items():
            key = f'kinds."{name}"' if "." in name else f"kinds.{name}"
            if name in every():
                self.problem(key, "is built in; give yours another name")
            elif kind := self.kind(name, key, table):
                yield kind

    def kind(self, name: str, key: str, table: Any) -> Kind | None:
        """None where what is wrong leaves nothing to make a kind of."""
        if not self._name(name, key, "hobby.plant"):
            return None
        if isinstance(table, dict) and any(isinstance(table[inner], dict) for inner in table.keys() - self.KIND.keys()):
            self.problem(key, f'a name with dots stands in quotes: write [kinds."{name}.…"], not [kinds.{name}.…]')
            return None
        if (said := self._table(key, table, self.KIND)) is None:
            return None
        self._match(key, said, "schema_org", _SCHEMA_ORG_TYPE, "a type of schema.org, such as Product")
        self._choose(key, said, "amount_is", AmountIs)
        said["columns"] = dict(self._columns(f"{key}.columns", said.get("columns", {})))
        said["fields"] = dict(self._fields(f"{key}.fields", said.get("fields", {})))
        for column in [each for each in said.get("needs", ()) if each not in COLUMNS]:
            self.problem(f"{key}.needs", f"{column!r} is no common column; there are {', '.join(COLUMNS)}")
        return Kind(name, **said)

    def _columns(self, key: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Column]]:
        for name, said in table.items():
            place = f"{key}.{name}"
            if name not in COLUMNS:
                self.problem(place, f"is no common column; there are {', '.join(COLUMNS)}")
            elif not isinstance(said, dict):
                if read := self._text(place, said):
                    yield name, Column(read)
            elif column := self._table(place, said, self.COLUMN):
                self._match(place, column, "schema_org", _SCHEMA_ORG_PROPERTY, _SUCH_AS)
                yield name, Column(**column)

    def _fields(self, key: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Field]]:
        for name, said in table.items():
            place = f'{key}."{name}"' if "." in name else f"{key}.{name}"
            if name in COLUMNS:
                self.problem(place, f"every record has {name}; say what it is called under columns instead")
            elif self._name(name, place, "watered") and (field := self._field(place, said)):
                yield name, field

    def _field(self, key: str, table: Any) -> Field | None:
        if (said := self._table(key, table, self.FIELD)) is None:
            return None
        type_ = said.get("type", "text")
        if type_ not in list(FieldType):
            self.problem(f"{key}.type", f"{type_!r} is not a type; write one of {', '.join(FieldType)}")
            return None
        said["type"], choices = FieldType(type_), said.get("choices", ())
        if type_ == FieldType.CHOICE and len({choice.casefold() for choice in choices}) < max(2, len(choices)):
            self.problem(f"{key}.choices", "says nothing to choose; write two or more, each once")
        if type_ != FieldType.CHOICE and choices:
            self.problem(f"{key}.choices", 'are for a choice alone; write type = "choice"')
        self._match(key, said, "schema_org", _SCHEMA_ORG_PROPERTY, _SUCH_AS)
        return Field(**said)

    def _table(self, key: str, table: Any, known: Mapping[str, type]) -> dict[str, Any] | None:
        """The values of a table that are as they should be, a title always among them; None where it is no table."""
        if not isinstance(table, dict):
            self.problem(key, f"is no table; write [{key}] and what it is below")
            return None
        said = {name: self._value(f"{key}.{name}", value, known.get(name)) for name, value in table.items()}
        for name in [name for name in table if name not in known]:
            self.problem(f"{key}.{name}", f"is not known; there are {', '.join(known)}")
        if "title" not in table:
            self.problem(key, 'says no title; write, say, title = "Plant"')
        self._match(key, said, "dpv", _DPV, "a category of https://w3id.org/dpv/pd, such as pd:Interest")
        return {"title": ""} | {name: value for name, value in said.items() if value is not None}

    def _value(self, key: str, value: Any, wanted: type | None) -> Any:
        """The value, texts in normal form; None where it is not of the wanted type."""
        if wanted is None:
            return None
        if not isinstance(value, wanted):
            self.problem(key, f"{value!r} is not {self.WRITE[wanted]}; write it so")
            return None
        if wanted is str:
            return self._text(key, value)
        if not isinstance(value, list):
            return value
        texts = [self._text(key, each) for each in value]
        return None if None in texts else tuple(texts)

    def _text(self, key: str, value: Any) -> str | None:
        if not isinstance(value, str) or not value.strip():
            self.problem(key, f"{value!r} is not a text; write one in quotes, or leave it out")
            return None
        try:
            return FieldType.TEXT.read(value)
        except ValueError as error:
            self.problem(key, str(error))
            return None

    def _name(self, name: str, key: str, example: str) -> bool:
        good = bool(_NAME.fullmatch(name)) and len(name) <= _LONGEST_NAME
        if not good:
            self.problem(
                key, f"is no name; write at most {_LONGEST_NAME} letters a to z, digits, _ and dots, such as {example}"
            )
        return good

    def _choose(self, key: str, said: dict[str, Any], name: str, choices: type[StrEnum]) -> None:
        """Makes a text the choice that it names."""
        if name in said and said[name] not in list(choices):
            self.problem(f"{key}.{name}", f"{said.pop(name)!r} is not known; write one of {', '.join(choices)}")
        elif name in said:
            said[name] = choices(said[name])

    def _match(self, key: str, said: dict[str, Any], name: str, pattern: re.Pattern[str], what: str) -> None:
        value = said.get(name)
        if value is not None and not pattern.fullmatch(value):
            self.problem(f"{key}.{name}", f"{value!r} is not {what}")
