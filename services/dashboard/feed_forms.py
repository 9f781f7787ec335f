"""The form of options, such as a connector's: how it is drawn, and what was said in it. Secrets are never filled in."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from flask import request

from services.dashboard.fields import Input

LONGEST = 10_000
KEPT = "Leave it empty to keep the one that is set."
RHYTHMS = {
    900: "every 15 minutes",
    3_600: "every hour",
    21_600: "every 6 hours",
    86_400: "every day",
    604_800: "every week",
}


def said() -> dict[str, str]:
    """All that was sent, a text cut to its first LONGEST characters."""
    return {name: value.replace("\r\n", "\n").strip()[:LONGEST] for name, value in request.form.items()}


def stated(options: type[Any], said: Mapping[str, str]) -> dict[str, str]:
    """What was said of the options; a secret that is left empty is not said."""
    found = {each.name: each for each in dataclasses.fields(options)}
    return {name: said[name] for name, field in found.items() if name in said and (said[name] or not _is_secret(field))}


def _is_secret(field: "dataclasses.Field[Any]") -> bool:
    return bool(field.metadata.get("secret"))


def rhythm(said: Mapping[str, str]) -> int | None:
    """Seconds from one fetch to the next, where they were said."""
    chosen_s = said.get("rhythm", "")
    return int(chosen_s) if chosen_s.isascii() and chosen_s.isdigit() and len(chosen_s) < 10 else None


def inputs(options: type[Any], values: Mapping[str, Any], *, is_new: bool) -> list[Input]:
    """The fields of a form for what is new, or set up already."""
    return [_input(each, values, is_new=is_new) for each in dataclasses.fields(options)]


def _input(field: "dataclasses.Field[Any]", values: Mapping[str, Any], *, is_new: bool) -> Input:
    said, secret = field.metadata, _is_secret(field)
    value = "" if secret else str(values.get(field.name, "" if field.default is dataclasses.MISSING else field.default))
    choices = tuple(str(each) for each in said.get("choices", ()))
    type_ = "password" if secret else "lines" if said.get("lines") else "choice" if choices else "text"
    help_ = said.get("help", "") if is_new or not secret else said.get("kept", KEPT)
    guide = said.get("guide", "")
    return Input(field.name, said.get("title", field.name), type_, value, choices, help=help_, guide=guide)


def rhythms(chosen_s: int) -> list[tuple[int, str, bool]]:
    """What can be chosen: seconds, words, and whether it is."""
    every = RHYTHMS if chosen_s in RHYTHMS else {chosen_s: f"every {chosen_s // 60} minutes", **RHYTHMS}
    return [(seconds, words, seconds == chosen_s) for seconds, words in every.items()]
