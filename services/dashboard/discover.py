"""Discover: what data about a person could be at home, what is here already and how fresh, and the way to the rest."""

from flask import Blueprint, abort, g, render_template, request

from appliance import discovering
from services.dashboard import chosen

LONGEST = 100
SHOWN_HERE, SHOWN_MET = 60, 40

pages = Blueprint("discover", __name__)


@pages.get("/discover")
def page() -> str:
    asked = request.args.get("q", "").strip()[:LONGEST]
    with chosen.store().read() as connection:
        here, met = discovering.here(connection), discovering.met(connection)
        fetched = discovering.fetched(connection)
    shown = {each.route.name for each in met if each.route}
    return render_template(
        "discover/page.html",
        at_home=here[:SHOWN_HERE],
        many_here=len(here),
        met=met[:SHOWN_MET],
        many_met=len(met),
        others=[each for each in discovering.routes() if each.name not in shown],
        fetched=fetched,
        asked=asked,
        found=discovering.find(asked) if asked else [],
        has_directory=bool(discovering.companies()),
    )


@pages.get("/discover/<slug>")
def company(slug: str) -> str:
    """One company: where to write, and the letter."""
    found = discovering.companies().get(slug) or abort(404, "There is no such company in the directory.")
    text = discovering.letter(found, g.person.name, {"Name": g.person.name})
    return render_template("discover/company.html", company=found, letter=text)
