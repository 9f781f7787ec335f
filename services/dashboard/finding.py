"""Find my meter: the box listens and says what it heard, a person gives it a name; and the meters added so.

What cannot be read before a person says a key, a login or a pin has a form of its own; a secret is in no page.
"""

from typing import Any

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import config as configuration
from appliance import finding, meters
from appliance.config import Config
from appliance.errors import UserError
from appliance.finding import PURPOSES, Needs, Offer, broker, words
from appliance.finding.needs import KEY, LOGIN, PIN, SECRET
from appliance.finding.offers import ABSENT, TAKEN
from appliance.naming import METER_NAME_LETTERS, name_problems
from services.dashboard.box import box

LONGEST_FIELD = 200
UNKNOWN_OFFER = "This meter was found too long ago, or was added already. Look again."
SHOWN = 12

ACTS = {
    KEY: ("Type the key", "Try the key"),
    LOGIN: ("Say who this box is", "Listen to it"),
    PIN: ("Choose a pin", "Watch this pin"),
}
"""What leads to the form of what is needed, and what sends it."""

pages = Blueprint("finding", __name__)


@pages.get("/meters/find")
def page() -> str:
    return _page([])


@pages.post("/meters/find")
def begin() -> Response:
    asks, everywhere = bool(request.form.get("ask")), bool(request.form.get("everywhere"))
    box().looking.begin(box().config.data, asks=asks, everywhere=everywhere)
    return redirect(url_for("finding.page"), 303)


@pages.post("/meters/find/stop")
def stop() -> Response:
    box().looking.stop()
    return redirect(url_for("finding.page"), 303)


@pages.get("/meters/find/progress")
def progress() -> Response:
    """What the page asks for while the box looks; once it has done so, the whole page is drawn again."""
    response = make_response(render_template("finding/found.html", **_found()))
    if not box().looking.seen().running:
        response.headers["HX-Refresh"] = "true"
    return response


@pages.post("/meters/find/broker")
def name_broker() -> Response | tuple[str, int]:
    """A broker that tells nothing of itself, on to what it may want to know."""
    try:
        needs = broker.named(request.form.get("broker", "").strip()[:LONGEST_FIELD])
    except UserError as error:
        return _page(list(error.problems)), 422
    box().looking.hear(needs)
    return redirect(url_for("finding.more", needs_id=needs.id), 303)


@pages.get("/meters/find/more/<needs_id>")
def more(needs_id: str) -> str:
    needs = _needed(needs_id)
    return _more(needs, {each.name: each.default for each in finding.asks(needs)}, [])


@pages.post("/meters/find/more/<needs_id>")
def prove(needs_id: str) -> Response | tuple[str, int]:
    """Tries what a person said; what comes of it is on the page that finds meters."""
    needs = _needed(needs_id)
    said = {each.name: request.form.get(each.name, "")[:LONGEST_FIELD] for each in finding.asks(needs)}
    try:
        finding.answered(needs, said)
    except UserError as error:
        return _more(needs, said, list(error.problems)), 422
    box().looking.prove(box().config.data, needs, said)
    return redirect(url_for("finding.page"), 303)


@pages.get("/meters/find/<offer_id>")
def form(offer_id: str) -> str:
    offer = _offer(offer_id)
    names = [each.name for each in box().now().meters]
    return _form(offer, {"name": offer.name(names), "purpose": offer.purpose, "zone": g.household.zone}, [])


@pages.post("/meters/find/<offer_id>")
def accept(offer_id: str) -> Response | tuple[str, int]:
    """Keeps the meter; the collector begins to read it by itself."""
    offer = _offer(offer_id)
    said = {name: request.form.get(name, "").strip()[:LONGEST_FIELD] for name in ("name", "purpose", "zone")}
    try:
        with box().naming:
            _keep(box().config, offer, said)
    except UserError as error:
        return _form(offer, said, list(error.problems)), 422
    box().looking.taken(offer_id)
    return redirect(url_for("now.page"), 303)


@pages.post("/meters/remove")
def remove() -> Response | tuple[str, int]:
    """Reads a meter that was added here no more. What it has said stays."""
    data, name = box().config.data, request.form.get("name", "")
    with box().naming:
        found = configuration.found_meters(data)
        rest = [each for each in found if each.name != name]
        if len(rest) == len(found):
            return _page(["No meter of that name was added here. Load the page again."]), 422
        configuration.write_meters(data, rest)
    return redirect(url_for("finding.page"), 303)


def _keep(config: Config, offer: Offer, said: dict[str, str]) -> None:
    """Writes the meter beside those that were added before. UserError with every problem of what was said."""
    current = configuration.load(config.data)
    problems = name_problems(said["name"], [each.name for each in current.meters])
    if not configuration.is_zone(said["zone"]):
        problems.append(f"{said['zone']!r} is no time zone. Write one such as Europe/London.")
    if problems:
        raise UserError(problems)
    zone = said["zone"] if said["zone"] != (current.zone or "UTC") else None
    found = finding.config_of(offer, said["name"], said["purpose"], zone)
    configuration.write_meters(config.data, [*configuration.found_meters(config.data), found])


def _offer(offer_id: str) -> Offer:
    return box().looking.offer(offer_id) or abort(404, UNKNOWN_OFFER)


def _needed(needs_id: str) -> Needs:
    return box().looking.needed(needs_id) or abort(404, UNKNOWN_OFFER)


def _more(needs: Needs, said: dict[str, str], problems: list[str]) -> str:
    """The form of what is needed. What was typed stands in it again, but for secrets."""
    asks = finding.asks(needs)
    shown = {each.name: said[each.name] for each in asks if each.type != SECRET}
    return render_template(
        "finding/more.html", needs=needs, asks=asks, said=shown, problems=problems, act=ACTS[needs.kind][1]
    )


def _page(problems: list[str]) -> str:
    return render_template("finding/page.html", added=_added(), problems=problems, **_found())


def _found() -> dict[str, Any]:
    seen = box().looking.seen()
    quiet = [each for each in seen.nothing if each.kind in (TAKEN, ABSENT)]
    said = [each for each in seen.nothing if each.kind not in (TAKEN, ABSENT)]
    return {"seen": seen, "said": said, "quiet": quiet, "acts": ACTS}


def _added() -> list[dict[str, str]]:
    """The meters that were added here, with what they are."""
    return [
        {"name": each.name, "what": meters.called(each.meter) if each.meter in meters.names() else each.meter}
        for each in configuration.found_meters(box().config.data)
    ]


def _form(offer: Offer, said: dict[str, str], problems: list[str]) -> str:
    titles = [(each, PURPOSES[each]) for each in offer.purposes]
    return render_template(
        "finding/form.html",
        offer=offer,
        readings=[(each.role, words.value(each)) for each in offer.readings[:SHOWN]],
        said=said,
        purposes=titles,
        problems=problems,
        letters=METER_NAME_LETTERS,
    )
