"""Same event: what else tells of a fact's event, a person's word on it, and what rules made of the fact.

A fact's own page shows it, with `same/event.html` and `same/attributes.html`.
"""

from contextlib import suppress
from typing import Any

from flask import Blueprint, g, redirect, request, url_for
from werkzeug.wrappers import Response

from appliance.derive import attributes, events, sums
from appliance.derive.events import Event
from appliance.errors import UserError
from appliance.store.database import Store
from services.dashboard import chosen
from services.dashboard.wording import BY_COMMAND

LONGEST_WHY = 500
LARGEST_ID = 1 << 62

pages = Blueprint("same", __name__)


def shown(store: Store, fact: int) -> dict[str, Any]:
    """What those templates need: the fact's event (None where the fact does not stand), and its attributes.

    While an import holds the store, they are shown as they were before it.
    """
    with suppress(UserError):
        events.refresh(store)
        attributes.refresh(store, g.household.currency)
    with store.read() as connection:
        event = events.of(connection, fact)
        return {
            "event": event,
            "counting": sums.counting(connection, [event]) if event else set(),
            "event_why": _why(event, fact) if event else {},
            "attributes": attributes.of(connection, [fact]).get(fact, {}),
        }


def _why(event: Event, fact: int) -> dict[int, str]:
    """For each other fact of an event, why it is one: a person's word before a rule's."""
    why: dict[int, str] = {}
    for each in sorted(event.said, key=lambda each: each.by_person):
        if each.joined:
            said = f"{_speaks(each.who)}{f': {each.reason}' if each.reason else ''}" if each.by_person else each.reason
            why |= {number: said for number in (each.one, each.other) if number != fact}
    return why


def _speaks(who: str) -> str:
    return who if who.endswith(BY_COMMAND) else f"{who} said so"


@pages.post("/records/<int:fact>/same")
def join(fact: int) -> Response:
    events.join(chosen.store(), fact, _other(), g.person.name, _said())
    return _back(fact)


@pages.post("/records/<int:fact>/other")
def split(fact: int) -> Response:
    events.split(chosen.store(), fact, _other(), g.person.name, _said())
    return _back(fact)


def _other() -> int:
    said = request.form.get("other", "").strip().lstrip("#")
    if not said.isdecimal() or int(said) >= LARGEST_ID:
        raise UserError(f"{said[:40]!r} is no number of a record; it stands on the record’s own page, such as 12")
    return int(said)


def _said() -> str:
    return request.form.get("why", "").strip()[:LONGEST_WHY]


def _back(fact: int) -> Response:
    return redirect(url_for("facts.one", fact=fact, **chosen.link()), 303)
