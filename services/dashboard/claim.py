"""Claiming the box: a one-time code that it prints, and the household's first words."""

import zoneinfo
from functools import cache

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import people
from appliance.errors import UserError
from appliance.people import Household
from appliance.store.database import HOME
from appliance.store.keys import KeyRing
from services.dashboard import access, desk
from services.dashboard.box import Box, box
from services.dashboard.currencies import NAMES
from services.dashboard.desk import Desk

CLAIM_IT = "Claim this box: open"
CODE_HELP = f"{desk.SHOWN}; or in the window where it runs."

pages = Blueprint("claim", __name__)


def announce(found: Box) -> None:
    """Opens the desk, and shows the code, where nobody has claimed the box yet."""
    if people.household(found.stores.home) is not None:
        found.shown.say()
        return
    fingerprint = found.certified.authority.fingerprint if found.certified else ""
    if fingerprint:
        print(f"Its certificate's fingerprint (SHA-256): {fingerprint}", flush=True)

    def show(code: str) -> None:
        print(f"{CLAIM_IT} {found.shown.address} and enter the code {code}", flush=True)
        found.shown.say(code, fingerprint)

    found.desk = Desk(show, found.shown.code())


@pages.get("/claim")
def form() -> str | Response:
    return _elsewhere() or _page({}, [])


@pages.post("/claim")
def submit() -> str | Response | tuple[str, int]:
    if (elsewhere := _elsewhere()) is not None:
        return elsewhere
    said = {name: request.form.get(name, "").strip() for name in ("code", "household", "zone", "currency", "name")}
    problems = code_problems(said["code"]) or _problems(said, request.form.get("password", ""))
    if not problems:
        try:
            return _claim(said, request.form["password"])
        except UserError as error:
            problems = list(error.problems)
    return _page(said, problems), 422


def _elsewhere() -> Response | None:
    """Where a person goes on whose box is claimed, or about to be again what it was."""
    if g.household is not None:
        return redirect(url_for("now.page"), 303)
    return redirect(url_for("restore.page"), 303) if box().bringing.seen().running else None


def code_problems(code: str) -> list[str]:
    """What is wrong with the code; the rest is not looked at before it is right."""
    found = box()
    refused = desk.refusal(found.desk, found.claims, request.remote_addr or "", code)
    return [refused] if refused else []


def _problems(said: dict[str, str], password: str) -> list[str]:
    problems = [
        f"Say {what}."
        for name, what in (("household", "what your household is called"), ("name", "what you are called"))
        if not said[name]
    ]
    if said["zone"] not in _zones():
        problems.append("Choose your time zone from the list, such as Europe/London.")
    if said["currency"] not in NAMES:
        problems.append("Choose your currency from the list.")
    if len(password) < people.PASSWORD_LETTERS:
        problems.append(
            f"Choose a password of at least {people.PASSWORD_LETTERS} characters; a few words make a good one."
        )
    elif password != request.form.get("again", ""):
        problems.append("The two passwords differ. Type them once more.")
    return problems


def _claim(said: dict[str, str], password: str) -> Response:
    found = box()
    home = found.stores.home
    person = people.claim(
        found.config, home, Household(said["household"], said["zone"], said["currency"]), said["name"], password
    )
    found.desk = None
    found.shown.say()
    found.kits.make(person, KeyRing(found.config.data), [person.store, HOME])
    token = people.sign_in(home, person.name, password)
    answer = redirect(url_for("keys.kit"), 303)
    return access.open_session(answer, token) if token else answer


def _page(said: dict[str, str], problems: list[str]) -> str:
    shown = {"zones": _zones(), "currencies": NAMES, "code_help": CODE_HELP}
    return render_template("claim/form.html", said=said, problems=problems, **shown)


CONTINENTS = frozenset(
    ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific", "UTC")
)


@cache
def _zones() -> list[str]:
    """Zones named after places, and UTC: what is left of the list are old names and offsets."""
    return sorted(name for name in zoneinfo.available_timezones() if name.partition("/")[0] in CONTINENTS)
