"""Quality: how good the data of each source is, in traffic lights that say why, and what to do."""

from contextlib import suppress
from datetime import datetime
from itertools import groupby

from flask import Blueprint, g, render_template

from appliance.derive import quality
from appliance.derive.quality import Colour, Quality
from appliance.errors import UserError
from services.dashboard import chosen
from services.dashboard.wording import role_title, zone

pages = Blueprint("quality", __name__)

# A sign, a word and the chip that it is shown as: colour is never the only sign.
WORDS = {
    Colour.GREEN: ("●", "Good", "good"),
    Colour.AMBER: ("▲", "Look at it", "wait"),
    Colour.RED: ("■", "Something to do", "wrong"),
    Colour.GREY: ("○", "Cannot be told", ""),
}
QUESTIONS = {
    "present": "Is it here?",
    "complete": "Is it complete?",
    "recent": "Is it recent?",
    "valid": "Could it be read?",
    "agreeing": "Does it agree?",
}
URGENT = (Colour.RED, Colour.AMBER, Colour.GREEN, Colour.GREY)


@pages.get("/quality")
def page() -> str:
    store = chosen.store()
    with suppress(UserError):  # while an import holds the store, it is told as it was before
        quality.refresh(store, g.household.currency)
    with store.read() as connection:
        found = quality.told(connection, datetime.now(zone()))
    return render_template(
        "quality/page.html", sources=_by_source(found), words=WORDS, questions=QUESTIONS, to_do=_to_do(found)
    )


def _by_source(found: list[Quality]) -> list[tuple[str, list[tuple[str, Quality]]]]:
    """Each source's title, and what it has by title; where there is most to do, first."""
    ordered = sorted(found, key=lambda each: each.source)
    grouped = [list(own) for _, own in groupby(ordered, key=lambda each: each.source)]
    grouped = [sorted(own, key=_urgency) for own in grouped]
    grouped.sort(key=lambda own: (_urgency(own[0]), own[0].source_title.casefold()))
    return [(own[0].source_title, [(_title(each), each) for each in own]) for own in grouped]


def _urgency(found: Quality) -> int:
    return URGENT.index(found.colour)


def _title(found: Quality) -> str:
    return role_title(found.what) if found.is_series else found.title


def _to_do(found: list[Quality]) -> int:
    """How many lights ask for a look."""
    return sum(light.colour in (Colour.RED, Colour.AMBER) for each in found for light in each.lights)
