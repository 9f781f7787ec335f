"""Puts the dashboard together: its pages, the checks before them, and what is said when something goes wrong."""

import hashlib
from http import HTTPStatus
from pathlib import Path

from flask import Flask, Response, g, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from appliance.config import Config
from appliance.errors import UserError
from appliance.store.database import HOME
from services.dashboard import (
    access,
    adding,
    apart,
    api,
    backups,
    bills,
    budgets,
    claim,
    compare,
    conditions,
    discover,
    energy,
    facts,
    feeds,
    finding,
    history,
    imports,
    insight,
    keeping,
    keys,
    leaving,
    meters,
    metrics,
    notices,
    now,
    people,
    quality,
    records,
    restore,
    same,
    signin,
    tables,
    tariff,
    trust,
    updates,
    uploads,
    wording,
)
from services.dashboard.box import EXTENSION, Box, Stores, box
from services.dashboard.certified import Certified
from services.dashboard.shown import Shown

PAGES = (
    claim.pages,
    restore.pages,
    signin.pages,
    now.pages,
    notices.pages,
    energy.pages,
    apart.pages,
    tariff.pages,
    compare.pages,
    bills.pages,
    insight.pages,
    budgets.pages,
    history.pages,
    records.pages,
    facts.pages,
    feeds.pages,
    discover.pages,
    finding.pages,
    adding.pages,
    imports.pages,
    keeping.pages,
    keys.pages,
    leaving.pages,
    people.pages,
    backups.pages,
    quality.pages,
    meters.pages,
    metrics.pages,
    same.pages,
    tables.pages,
    trust.pages,
    updates.pages,
    api.pages,
)
FOLDER = Path(__file__).parent
TITLES = {
    400: "That did not make sense here",
    401: "Sign in first",
    403: "That is not allowed",
    404: "There is nothing here",
    413: "That is too large",
    422: "That cannot be done",
    423: "Your store is locked",
    429: "Too many tries",
    500: "Something broke",
    503: "Busy at the moment",
}
WORDS = {
    404: "The page may have moved, or its address has a typing error. Choose one of the pages instead.",
    405: "This page cannot be used that way. Choose one of the pages instead.",
    500: "That is a mistake of Inglenook’s and not yours; nothing that was stored is harmed. Try again in a moment.",
}


class Dashboard(Flask):
    """A Flask app whose requests keep their files in memory."""

    request_class = uploads.MemoryRequest


def make_app(config: Config, address: str = "http://127.0.0.1:8000/", certified: Certified | None = None) -> Flask:
    """The dashboard of a data folder; `address` is where a person opens it, `certified` what it is known by there."""
    app = Dashboard("services.dashboard", static_url_path=f"/static/{_fingerprint(FOLDER / 'static')}")
    app.config.update(MAX_CONTENT_LENGTH=uploads.FORM_BYTES, MAX_FORM_MEMORY_SIZE=uploads.FORM_BYTES)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.extensions[trust.EXTENSION] = certified
    shown = Shown(config.run, address, certified.numbers if certified else tuple)
    app.extensions[EXTENSION] = found = Box(config, shown, Stores(config), certified)
    access.install(app)
    wording.install(app)
    for pages in PAGES:
        app.register_blueprint(pages)
    app.register_error_handler(HTTPException, refused)
    app.register_error_handler(UserError, not_done)
    app.context_processor(everywhere)
    claim.announce(found)
    return app


def _fingerprint(folder: Path) -> str:
    """What the static files are, in their address: browsers keep them for good, and an upgrade is a new address."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    said = [f"{path.relative_to(folder)} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:12]


def everywhere() -> dict[str, object]:
    """What every template may use."""
    person, household = g.get("person"), g.get("household")
    shows_home = g.get("store", request.args.get("store")) == HOME
    return {
        "person": person,
        "household": household,
        "form_token": access.form_token,
        "is_certified": trust.certified() is not None,
        "shows_home": shows_home,
        "link": {"store": HOME} if shows_home else {},
    }


def refused(error: HTTPException) -> Response | tuple[str, int]:
    status = error.code or 500
    usual = error.description == type(error).description
    words = WORDS.get(status, "") if usual else error.description or ""
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        words = uploads.too_large()
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and conditions.is_read_only(box().config.data):
        words = conditions.READ_ONLY
    return _say(status, [words or error.description or ""])


def not_done(error: UserError) -> Response | tuple[str, int]:
    return _say(422, list(error.problems))


def _say(status: int, problems: list[str]) -> Response | tuple[str, int]:
    if access.wants_data():
        response = jsonify({"error": " ".join(problems)})
        response.status_code = status
        return response
    title = TITLES.get(status, HTTPStatus(status).phrase)
    return render_template("error.html", status=status, title=title, problems=problems), status
