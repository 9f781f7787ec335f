"""History: any span of any series, drawn and as a table."""

from collections import Counter

from flask import Blueprint, render_template, request

from appliance import energy
from appliance.energy import SeriesInfo
from services.dashboard.box import box
from services.dashboard.spans import PRESETS
from services.dashboard.wording import role_title

FIRST_CHOICE = ("electricity.import", "electricity.power", "gas")

pages = Blueprint("history", __name__)


@pages.get("/history")
def page() -> str:
    known = energy.series(box().stores.home)
    return render_template(
        "history/page.html",
        choices=titled(known),
        chosen=request.args.get("series") or (key(first_choice(known)) if known else ""),
        presets=PRESETS,
    )


def key(series: SeriesInfo) -> str:
    """What names a series in an address."""
    return f"{series.role}@{series.source}"


def titled(known: list[SeriesInfo]) -> list[tuple[str, str]]:
    """Keys and what a person reads, with the source where several have the same to say."""
    times = Counter(each.role for each in known)
    return [
        (key(each), role_title(each.role) + (f", {short(each.source)}" if times[each.role] > 1 else ""))
        for each in known
    ]


def short(source: str) -> str:
    """A source's name without the address that it may begin with."""
    return source.rpartition("/")[0].rpartition("/")[2] + " " + source.rpartition("/")[2] if "://" in source else source


def first_choice(known: list[SeriesInfo]) -> SeriesInfo:
    """What a person most likely wants to see first."""
    by_role = {each.role: each for each in reversed(known)}
    return next((by_role[role] for role in FIRST_CHOICE if role in by_role), known[0])
