"""Keeping: how long facts are kept, what was archived, and what goes for good."""

from typing import Any

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import archiving, deleting, people, retention
from appliance.archiving import summaries
from appliance.deleting import whole
from appliance.errors import UserError
from appliance.retention import Action
from appliance.store import sources
from appliance.store.database import HOME
from services.dashboard import access, chosen, doomed, sure
from services.dashboard.box import box
from services.dashboard.wording import zone

WHAT = {"fact": "fact", "import": "import_", "source": "source", "kind": "kind"}
MYSELF = "me"
LONGEST_WHY = 500
LARGEST_ID = 1 << 31
SHOWN = 20

pages = Blueprint("keeping", __name__)


@pages.get("/keeping")
def page() -> str:
    return _page()


@pages.post("/keeping/policy")
def policy() -> Response | tuple[str, int]:
    """Another policy for a kind."""
    action, months = request.form.get("action", ""), request.form.get("months", "")
    try:
        if action not in set(Action):
            raise UserError("Choose what becomes of old facts.")
        number = int(months) if months.isdecimal() and len(months) < 6 else 0
        retention.state(chosen.store(), request.form.get("kind", ""), Action(action), number)
    except UserError as error:
        return _page(error.problems), 422
    return redirect(url_for("keeping.page", **chosen.link()), 303)


@pages.post("/keeping/archives/<int:number>/attach")
def attach(number: int) -> Response | tuple[str, int]:
    """Puts an archive's facts back."""
    try:
        archiving.attach(chosen.store(), box().config.stores / chosen.name(), min(number, LARGEST_ID))
    except UserError as error:
        return _page(error.problems), 422
    return redirect(url_for("keeping.page", **chosen.link()), 303)


@pages.get("/keeping/delete/<what>")
def asked(what: str) -> str | tuple[str, int]:
    """Asks once more, for the words themselves."""
    try:
        return _asked(what, request.args.get("which", ""))
    except UserError as error:
        return _page(error.problems), 422


@pages.post("/keeping/delete/<what>")
def delete(what: str) -> str | tuple[str, int]:
    """Deletes for good, where the words and the password are right."""
    which = request.form.get("which", "")
    try:
        sure.need(_words(what, which))
        report = _deleted(what, which)
    except UserError as error:
        try:
            return _asked(what, which, error.problems), 422
        except UserError:
            return _page(error.problems), 422
    return render_template("keeping/report.html", report=report)


@pages.post("/keeping/delete/me")
def delete_me() -> Response | str | tuple[str, int]:
    """Deletes the person who is signed in, with their own store."""
    found, name = box(), g.person.name
    try:
        sure.need(_words(MYSELF, ""))
        report = found.stores.delete(
            g.person.store, lambda: whole.person(found.config, found.stores.home, name, "", _why())
        )
    except UserError as error:
        return _asked(MYSELF, "", error.problems), 422
    found.kits.forget(g.person)
    g.person = None
    return access.end_session(Response(render_template("keeping/gone.html", report=report), mimetype="text/html"))


def _deleted(what: str, which: str) -> deleting.Report:
    store = chosen.store()
    number: Any = int(which) if what in ("fact", "import") else which
    work = getattr(deleting, WHAT[what])
    report: deleting.Report = work(store, box().config.stores / store.name, number, g.person.name, _why(), zone())
    return report


def _words(what: str, which: str) -> str:
    """What a person must type; UserError where there is nothing of the kind to delete."""
    if what == MYSELF:
        return f"delete {g.person.name}"
    number = what in ("fact", "import")
    is_number = which.isdecimal() and len(which) <= len(str(LARGEST_ID)) and int(which) < LARGEST_ID
    if what not in WHAT or not which or (number and not is_number):
        raise UserError("Say what is to be deleted: the number of a fact or import, or the name of a source or kind.")
    return f"{what} {which}"


def _why() -> str:
    return request.form.get("why", "").strip()[:LONGEST_WHY]


def _asked(what: str, which: str, problems: Any = ()) -> str:
    said = {"what": what, "which": which, "words": _words(what, which), "why": _why()}
    said["doomed"] = doomed.named(chosen.store(), what, which)
    return render_template("keeping/asked.html", problems=problems, myself=what == MYSELF, **said)


def _page(problems: Any = ()) -> str:
    store = chosen.store()
    with store.read() as connection:
        months = summaries.every(connection)
        shown: dict[str, Any] = {
            "policies": retention.every(connection),
            "archives": archiving.every(connection),
            "months": {number: [each for each in months if each.archive == number] for number in _numbers(months)},
            "sources": [name for name, _, _ in sources.every(connection)],
            "said": summaries.said(connection),
        }
    shown["seen_to"] = {each.kind for each in shown["policies"] if each.months}
    shown |= {"deletions": deleting.every(store)[:SHOWN], "is_home": store.name == HOME}
    others = len(people.people(box().stores.home)) > 1
    return render_template("keeping/page.html", problems=problems, may_leave=others, **shown)


def _numbers(months: list[summaries.Summed]) -> list[int]:
    return sorted({each.archive for each in months})
