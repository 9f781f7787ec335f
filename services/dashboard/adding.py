"""Saying something oneself: a form for each kind, drawn from its declaration."""

from flask import Blueprint, abort, g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from appliance.errors import UserError
from appliance.ingest import stating
from appliance.kinds import FieldsError, Kind
from services.dashboard import attached, chosen, doubted, fields, proposed
from services.dashboard.wording import zone

pages = Blueprint("adding", __name__)


@pages.get("/add")
def page() -> str:
    every = chosen.kinds().values()
    other = sorted((kind for kind in every if not kind.mine), key=lambda kind: kind.title)
    return render_template("adding/page.html", mine=[kind for kind in every if kind.mine], other=other)


@pages.get("/add/<name>")
def form(name: str) -> str:
    kind = _kind(name)
    return render_template("adding/form.html", kind=kind, inputs=fields.empty(kind, proposed.said(kind)), problems=[])


@pages.post("/add/<name>")
def submit(name: str) -> Response | tuple[str, int]:
    kind = _kind(name)
    inputs = fields.empty(kind, proposed.said(kind))
    said, files = fields.typed(inputs), attached.sent(inputs)
    if not said.get("amount", "").strip():
        said.pop("unit", None)  # the form proposes a currency; without an amount it says nothing
    try:
        content, sure = attached.contents(files), doubted.is_sure()
        record = stating.add(chosen.store(), name, said, g.person.name, zone=zone(), files=content, sure=sure)
    except UserError as error:
        wrong = error.of if isinstance(error, FieldsError) else {}
        again, held = attached.kept_back(fields.empty(kind, fields.posted(), wrong), files)
        shown = {"kind": kind, "inputs": again, "held": held, "problems": doubted.problems(error)}
        return render_template("adding/form.html", **shown, **doubted.offered(error, said)), 422
    attached.done()
    return redirect(url_for("facts.one", fact=record.id, **chosen.link()), 303)


def _kind(name: str) -> Kind:
    return chosen.kinds().get(name) or abort(404, "There is no such kind of fact. Choose one from the list.")
