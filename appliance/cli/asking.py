"""Secrets that a command needs: typed on a terminal, unseen, or read from a file that a script names."""

import dataclasses
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from appliance.cli.context import pairs
from appliance.errors import UserError
from appliance.store import kits


def from_file(path: Path) -> str:
    """The first line of a file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UserError(f"{path}: {why}; name a file whose first line is the secret") from None
    return lines[0] if lines else ""


def told(options: Any, said: Iterable[str]) -> dict[str, str]:
    """`--set NAME=VALUE` for the options of a module; a secret, or a text of several lines, may be read: NAME=@FILE."""
    given = pairs(said)
    for each in dataclasses.fields(options):
        named = given.get(each.name, "")
        if named.startswith("@") and each.metadata.get("secret"):
            given[each.name] = from_file(Path(named[1:]))
        elif named.startswith("@") and each.metadata.get("lines"):
            given[each.name] = _text(Path(named[1:]))
    return given


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UserError(f"{path}: {why}; name a file with the text") from None


def new(what: str, path: Path | None, option: str) -> str:
    """A new secret, asked for twice, or read from the file that the option names."""
    if path is not None:
        return from_file(path)
    if not sys.stdin.isatty():
        raise UserError(f"there is no terminal to ask for {what}; name a file that holds it: {option} FILE")
    said: str = click.prompt(
        f"{what[:1].upper()}{what[1:]}", hide_input=True, confirmation_prompt="Once more", err=True
    )
    return said


def words() -> list[str]:
    """The words of a recovery kit: typed unseen, or piped in."""
    if sys.stdin.isatty():
        said: str = click.prompt("The 24 words", hide_input=True, err=True)
        return kits.typed(said)
    return kits.typed(sys.stdin.read(4096))
