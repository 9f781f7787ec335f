"""A tariff's own file: JSON, version 1, as `tariff.schema.json` in this folder describes it.

{"inglenook_tariff": 1, "supplier": "...", "name": "...", "supply": "electricity", "zone": "Europe/London",
 "currency": "GBP", "charges": [{"kind": "rates", "rates": [{"band": "all day", "price": "0.2734"}]},
                                {"kind": "standing", "price": "0.5312", "period": "day"}]}
"""

import json
from typing import Any, cast

from appliance.errors import UserError
from appliance.tariffs.fields import Object, Schema
from appliance.tariffs.tariff import Tariff

VERSION = 1
SCHEMA = "tariff.schema.json"
LARGEST_FILE = 1_000_000  # bytes
MOST_PROBLEMS = 20  # that are told at once

_LINE = 140  # characters

_FILE = Object(Tariff, {"inglenook_tariff": VERSION})


def read(raw: bytes | str, name: str = "the tariff") -> Tariff:
    """The tariff that a file states. `UserError` with its problems, each with `name` and the place, where it cannot."""
    given = _parsed(raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw, name)
    found: list[str] = []
    try:
        tariff = _FILE.read(given, "", found)
    except UserError as error:
        found = list(error.problems)
    if found:
        raise UserError([f"{name}: {problem}" for problem in _first(found)])
    return cast(Tariff, tariff)


def write(tariff: Tariff) -> str:
    """The text of a tariff's file, which `read` takes back to an equal tariff."""
    return json.dumps(_FILE.write(tariff), ensure_ascii=False, indent=2) + "\n"


def schema_text() -> str:
    """The JSON Schema of a tariff's file: what `tariff.schema.json` holds."""
    shared: Schema = {}
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Inglenook tariff",
        **_FILE.described(shared),
        "$defs": shared,
    }
    return _folded(found, 0) + "\n"


def _parsed(raw: bytes, name: str) -> object:
    if len(raw) > LARGEST_FILE:
        raise UserError(f"{name}: it has {len(raw):,} bytes; a tariff has at most {LARGEST_FILE:,}: split it")
    try:
        given = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise UserError(f"{name}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise UserError(
            f"{name}: line {error.lineno}, column {error.colno}: {error.msg}; mend the JSON there"
        ) from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name}: it is no JSON of a tariff ({str(error)[:80]}); mend it") from None
    version = given.get("inglenook_tariff") if isinstance(given, dict) else None
    if type(version) is not int or version != VERSION:
        raise UserError(f'{name}: "inglenook_tariff" is {version!r:.40}; this box reads files in which it is {VERSION}')
    return given


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for key, _ in pairs if [each for each, _ in pairs].count(key) > 1)
        raise ValueError(f"{twice!r:.40} stands twice in one object")
    return found


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no number")


def _folded(value: Any, indent: int) -> str:
    """JSON in which what fits on a line stands on one."""
    text = json.dumps(value)
    if len(text) + indent <= _LINE or not isinstance(value, dict | list):
        return text
    if isinstance(value, dict):
        each = [f"{json.dumps(name)}: {_folded(held, indent + 2)}" for name, held in value.items()]
    else:
        each = [_folded(held, indent + 2) for held in value]
    within, after = "\n" + " " * (indent + 2), "\n" + " " * indent
    return text[0] + within + f",{within}".join(each) + after + text[-1]


def _first(found: list[str]) -> list[str]:
    more = len(found) - MOST_PROBLEMS
    return found if more <= 0 else [*found[:MOST_PROBLEMS], f"and {more} more; mend these first"]
