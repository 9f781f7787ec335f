"""What a page offers where something that a person said is asked back: to say that it is so, or what happened first."""

from collections.abc import Mapping
from typing import Any

from flask import request, url_for

from appliance.errors import UserError
from appliance.ingest import meter_facts
from appliance.kinds import DoubtError
from services.dashboard import chosen

SURE = "sure"  # the form's field of a person who is


def is_sure() -> bool:
    return SURE in request.form


def problems(error: UserError) -> list[str]:
    """What stands above the form: what is asked back stands at its field alone."""
    return [] if isinstance(error, DoubtError) else list(error.problems)


def offered(error: UserError, said: Mapping[str, str]) -> dict[str, Any]:
    """For the template: whether it is asked back, and the form of a meter event with what was said of the meter."""
    if not isinstance(error, DoubtError):
        return {}
    known: dict[str, Any] = {name: said[name] for name in ("source", "role", "supply") if said.get(name)}
    return {"doubted": True, "happened": url_for("adding.form", name=meter_facts.EVENT, **known, **chosen.link())}
