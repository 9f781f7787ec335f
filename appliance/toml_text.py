"""TOML as it is written: tables of texts, numbers, yes and no, and inline tables of them."""

import json
from collections.abc import Mapping
from decimal import Decimal


def table(path: tuple[str, str], entries: Mapping[str, object]) -> str:
    """A table under its heading. What is None, or an empty table, is left out."""
    head, name = path
    lines = [f"{key} = {value(each)}" for key, each in entries.items() if each is not None and each != {}]
    return "\n".join([f"[{head}.{text(name)}]", *lines]) + "\n"


def value(said: object) -> str:
    """One value; of a table all in one line."""
    if isinstance(said, Mapping):
        return f"{{ {', '.join(f'{key} = {value(each)}' for key, each in said.items())} }}"
    return text(said) if isinstance(said, str) else str(said) if isinstance(said, Decimal) else json.dumps(said)


def text(said: str) -> str:
    """As TOML has it: JSON's, but that no letter may be written as two surrogates, and none is a bare DEL."""
    return json.dumps(said, ensure_ascii=False).replace("\x7f", "\\u007f")
