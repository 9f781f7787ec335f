"""Quality: how good the data of each source is, in traffic lights that say why, and what to do."""

from contextlib import suppress
from datetime import datetime
from itertools import groupby

from flask import Blueprint, g, render_template

from appliance.derive import quality
from appliance.derive.quality import Colour, Quality
from appliance.errors import UserError
from services.dashboard import chosen
from services.dashboard.wording import count, role_title, zone

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
        "quality/page.html", sources=_by_source(found), words=WORDS, questions=QUESTIONS, heading=_heading(found)
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


def _heading(found: list[Quality]) -> str:
    """How many lights ask for a look, and whether the rest may be called in order."""
    to_do = sum(light.colour in (Colour.RED, Colour.AMBER) for each in found for light in each.lights)
    untold = sum(each.colour is Colour.GREY for each in found)
    asks = f"{count(to_do, 'light asks', 'lights ask')} for a look" if to_do else "Nothing asks for a look"
    if not untold:
        return f"{asks}; all else that can be told is in order." if to_do else "All that can be told is in order."
    which = "all" if untold == len(found) else f"{untold:,} of the {len(found):,}"
    return f"{asks}. For {which} below, too little is known to tell."
