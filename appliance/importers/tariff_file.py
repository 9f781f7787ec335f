"""Tariffs in our own format: one tariff as a JSON object, or a list of them.

    {"inglenook_tariff": 1, "supplier": "...", "name": "...", "supply": "electricity", ..., "charges": [...]}

Each is one fact, whose definition is the tariff as the format writes it. One that is brought again and says otherwise
is another version of the same, unless it was learnt earlier than what is here.

Source: `tariff.schema.json` in appliance/tariffs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from appliance import parsing
from appliance.content import Data
from appliance.errors import UserError
from appliance.json_cursor import BrokenError, Cursor, to_its_end
from appliance.records import Item, Provenance, Record, Rejected, Source, Span, Warned

if TYPE_CHECKING:
    from appliance.tariffs import Tariff

TITLE = "Tariffs (Inglenook’s own JSON)"

_MARK = re.compile(rb'"inglenook_tariff"\s*:')
_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{")
_MEND = "mend the JSON there, and import the file again"


@dataclass(frozen=True)
class Options:
    """Nothing: a tariff says all of itself."""


def identify(head: bytes, name: str) -> bool:
    """Whether it is a JSON object, or a list of them, that says which edition of our format it is in."""
    return bool(_BEGIN.match(head) and _MARK.search(head))


def extract(data: Data, options: Options) -> Iterator[Item]:
    """A fact of each tariff, and a `Rejected` with all that is wrong of each that is none."""
    del options
    cursor = Cursor(data)
    yield from to_its_end(cursor, _tariffs(cursor, parsing.Lines(data)), _MEND)


def _tariffs(cursor: Cursor, lines: parsing.Lines) -> Iterator[Item]:
    from appliance.tariffs import read  # with its engine, which is loaded only for tariffs

    source: Source | None = None
    count = 0
    for first in iter([cursor.at]) if cursor.begins() == "{" else cursor.elements():
        count += 1
        line = lines.at(first)
        try:
            cursor.skip()
            span = Span(first, cursor.at - first)
            tariff = read(bytes(cursor.data[first : cursor.at]), f"tariff {count}")
        except BrokenError as error:
            yield Rejected(Span(first, cursor.recover() - first), line, f"tariff {count}", f"{error.reason}; {_MEND}")
        except UserError as error:
            yield Rejected(span, line, f"tariff {count}", _reason(error, f"tariff {count}: "))
        else:
            if source != (of := _source(tariff)):
                source = of
                yield of
            yield fact(tariff, span)
    if not count:
        yield Warned("The file holds no tariff.")


def _source(tariff: "Tariff") -> Source:
    return Source(f"tariffs {tariff.supplier}", f"Tariffs of {tariff.supplier}")


def fact(tariff: "Tariff", span: Span) -> Record:
    """A tariff as the fact that a store keeps."""
    from appliance.tariffs import write

    definition = write(tariff)
    fields = {
        "supply": tariff.supply,
        "direction": tariff.direction if tariff.supply == "electricity" else "",
        "until": (tariff.until_day - timedelta(days=1)).isoformat() if tariff.until_day else "",
        "definition": definition,
        "revised": tariff.learnt.isoformat().replace("+00:00", "Z") if tariff.learnt else "",
    }
    return Record(
        kind="energy.tariff",
        at=tariff.from_day,
        title=tariff.name,
        span=span,
        party=tariff.supplier,
        account=tariff.code,
        provenance=Provenance.EVERYBODY,
        supplier_id=" ".join(filter(None, (tariff.supply, tariff.direction, tariff.code or tariff.name))),
        fields={name: value for name, value in fields.items() if value},
        detail=sha256(definition.encode()).hexdigest(),
    )


def _reason(error: UserError, before: str) -> str:
    return "; ".join(problem.removeprefix(before) for problem in error.problems)
