"""History: any span of any series, drawn and as a table: the household's, and the signed-in person's own."""

from collections import Counter
from dataclasses import dataclass

from flask import Blueprint, g, render_template, request

from appliance import energy
from appliance.energy import SeriesInfo
from appliance.store.database import HOME, Store
from services.dashboard import chosen
from services.dashboard.box import box
from services.dashboard.spans import PRESETS
from services.dashboard.wording import role_title

FIRST_CHOICE = ("electricity.import", "electricity.power", "gas")

pages = Blueprint("history", __name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """A series that this person may see, and the store that it lies in."""

    store: Store
    series: SeriesInfo

    @property
    def key(self) -> str:
        """What names it in an address."""
        return f"{self.series.role}@{'' if self.store.name == HOME else 'mine:'}{self.series.source}"


@pages.get("/history")
def page() -> str:
    known = choices()
    return render_template(
        "history/page.html",
        choices=titled(known),
        chosen=request.args.get("series") or (first_choice(known).key if known else ""),
        presets=PRESETS,
        problems=chosen.problems(g.person.store),
    )


def choices() -> list[Choice]:
    """Every series of the household's store and, unless it is shut, of the person's own; of nobody else's."""
    stores = [box().stores.home, box().stores.unless_shut(g.person.store)]
    return [Choice(store, each) for store in stores if store for each in energy.series(store)]


def titled(known: list[Choice]) -> list[tuple[str, str]]:
    """Keys and what a person reads, with the source where several have the same to say."""
    times = Counter(each.series.role for each in known)
    return [(each.key, _title(each.series, several=times[each.series.role] > 1)) for each in known]


def _title(series: SeriesInfo, *, several: bool) -> str:
    return role_title(series.role) + (f", {series.title}" if several else "")


def first_choice(known: list[Choice]) -> Choice:
    """What a person most likely wants to see first."""
    by_role = {each.series.role: each for each in reversed(known)}
    return next((by_role[role] for role in FIRST_CHOICE if role in by_role), known[0])
