"""Feeds: what comes home by itself, from where and how often; set up, watched, mended and ended here."""

import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import connectors
from appliance.config import options_from
from appliance.connectors import Connector, Consenting
from appliance.errors import SourceError, UserError
from appliance.ingest import fetching, planning, trying
from appliance.ingest.trying import Tried
from appliance.store import feeds
from appliance.store.database import HOME
from appliance.store.feeds import Feed, Fetch, Sealed
from services.dashboard import chosen, disks, feed_forms
from services.dashboard.box import box

SHOWN = 20
ELSEWHERE = f"Name a folder in one of {', '.join(disks.FOLDERS)}: others are set up by command, by who runs the box."
NOT_SAID = "The answer does not belong to what you asked for. Begin again with Allow."
REFUSED = "The service says that it was not allowed. Begin again with Allow when you want to."
NOT_ALLOWED = "It is not allowed at the service yet: choose Allow."
NOT_TRIED = "Nothing is fetched yet: see what comes of it first."
CONSENT, VERIFIER = "consent", "verifier"  # among what a feed keeps, until the answer comes
STATES = {
    feeds.DONE: ("good", "up to date"),
    feeds.RUNNING: ("wait", "fetching"),
    feeds.WAITING: ("wait", "tried again later"),
    feeds.STOPPED: ("wrong", "needs you"),
    feeds.CANCELLED: ("", "ended by you"),
}

pages = Blueprint("feeds", __name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """A feed as its page and the list show it. `look` and `words` are a chip's; `files` is how far a fetch is."""

    feed: Feed
    title: str
    look: str
    words: str
    last: Fetch | None
    is_running: bool
    files: int | None

    @property
    def next_at(self) -> str:
        return _at(self.feed.next_us)

    @property
    def last_at(self) -> str:
        return _at(self.last.begun_us) if self.last else ""


@pages.get("/feeds")
def page() -> str:
    with chosen.store().read() as connection:
        found = [_shown(each, feeds.fetches(connection, each.id, 1)) for each in feeds.every(connection)]
    modules = {name: connectors.named(name) for name in connectors.names()}
    return render_template("feeds/page.html", feeds=found, connectors=modules, is_locked=_is_locked())


@pages.get("/feeds/add/<connector>")
def form(connector: str) -> str:
    return _form(_module(connector), connector, {"name": _free_name(_module(connector).TITLE)}, [])


@pages.post("/feeds/add/<connector>")
def add(connector: str) -> Response | tuple[str, int]:
    module, said = _module(connector), feed_forms.said()
    try:
        _need_allowed(connector, said)
        feed = fetching.add(
            chosen.store(),
            said.pop("name", ""),
            connector,
            feed_forms.stated(module.Options, said),
            feed_forms.rhythm(said),
        )
    except UserError as error:
        return _form(module, connector, feed_forms.said(), list(error.problems)), 422
    held = NOT_ALLOWED if connectors.asks_consent(module) else NOT_TRIED if connectors.is_tried_first(module) else ""
    if held:
        _hold(feed, held)
    _plan()
    return redirect(url_for("feeds.one", feed_id=feed.id, **chosen.link()), 303)


@pages.get("/feeds/<int:feed_id>")
def one(feed_id: int) -> str:
    return _one(_feed(feed_id), [])


@pages.get("/feeds/<int:feed_id>/progress")
def progress(feed_id: int) -> Response:
    """What the page asks for while a fetch runs or is due; once it has ended, the whole page is drawn again."""
    shown = _with_fetches(_feed(feed_id))[0]
    response = make_response(render_template("feeds/state.html", shown=shown))
    if not _is_moving(shown):
        response.headers["HX-Refresh"] = "true"
    return response


@pages.post("/feeds/<int:feed_id>")
def change(feed_id: int) -> Response | tuple[str, int]:
    """Keeps what is said anew; a secret that is left empty stays as it was."""
    feed, said = _feed(feed_id), feed_forms.said()
    module = _module(feed.connector)
    try:
        _need_allowed(feed.connector, said)
        fetching.change(chosen.store(), feed, feed_forms.stated(module.Options, said), feed_forms.rhythm(said))
    except UserError as error:
        return _one(feed, list(error.problems)), 422
    if feed.stopped == NOT_TRIED:
        _hold(feed, NOT_TRIED)
    return _planned(feed_id)


@pages.post("/feeds/<int:feed_id>/trial")
def trial(feed_id: int) -> str | tuple[str, int]:
    """Shows what comes of the first file, and stores nothing."""
    feed = _feed(feed_id)
    if not connectors.is_tried_first(_module(feed.connector)):
        abort(404)
    try:
        module, options, _ = fetching.stated(chosen.store(), feed)
        tried = trying.feed(module, options, zone=g.household.zone)
    except UserError as error:
        return _one(feed, list(error.problems)), 422
    except SourceError as error:
        return _one(feed, [str(error)]), 422
    return _one(feed, [], tried, is_tried=True)


@pages.post("/feeds/<int:feed_id>/run")
def run(feed_id: int) -> Response:
    with chosen.store().write() as connection:
        feeds.change(connection, _feed(feed_id).id, stopped="", next_us=time.time_ns() // 1000)
    return _planned(feed_id)


@pages.post("/feeds/<int:feed_id>/cancel")
def cancel(feed_id: int) -> Response:
    planning.cancel(box().config, chosen.name(), _feed(feed_id).id)
    return redirect(url_for("feeds.one", feed_id=feed_id, **chosen.link()), 303)


@pages.post("/feeds/<int:feed_id>/stop")
def stop(feed_id: int) -> Response:
    with chosen.store().write() as connection:
        feeds.change(connection, _feed(feed_id).id, stopped=feeds.BY_PERSON)
    return _planned(feed_id)


@pages.post("/feeds/<int:feed_id>/remove")
def remove(feed_id: int) -> Response:
    with chosen.store().write() as connection:
        feeds.remove(connection, _feed(feed_id).id)
    _plan()
    return redirect(url_for("feeds.page", **chosen.link()), 303)


# ---- consent on the service's own page (OAuth 2) ----


@pages.post("/feeds/<int:feed_id>/allow")
def allow(feed_id: int) -> str | tuple[str, int]:
    """Leads to the service's page, with a token by which its answer is known. Not by a redirect: browsers let the forms
    of this box lead to no other host.
    """
    store, feed = chosen.store(), _feed(feed_id)
    module = _module(feed.connector)
    if not connectors.asks_consent(module):
        abort(404)
    token, verifier = f"{feed_id}.{chosen.name()}.{secrets.token_urlsafe(32)}", secrets.token_urlsafe(48)
    with store.write() as connection:
        sealed = feeds.sealed(connection, store.key, feed)
        kept = {**sealed.kept, CONSENT: token, VERIFIER: verifier}
        feeds.seal(connection, store.key, feed, Sealed(sealed.secrets, kept))
    try:
        options = options_from(module.Options, {**feed.options, **sealed.secrets}, feed.connector)
        address = cast(Consenting, module).consent(options, _answer_to(), token, verifier)
        from appliance import web as asking  # large, and not needed all day

        return _onward(address, f"On the way to {asking.host(address)}.")
    except (UserError, SourceError) as error:
        return _one(feed, [str(error)]), 422


@pages.get("/feeds/answer")
def answer() -> str:
    """Where the service leads back to. A browser that comes from elsewhere does not say who it is, and shows this page,
    which leads on within the house.
    """
    said: dict[str, Any] = {name: request.args.get(name, "")[: feed_forms.LONGEST] for name in ("state", "code")}
    return _onward(url_for("feeds.answered", **said), "Back from the service.")


@pages.get("/feeds/answered")
def answered() -> Response | tuple[str, int]:
    """Takes the service's answer in."""
    from appliance.web import Web  # large, and not needed all day

    token = request.args.get("state", "")[: feed_forms.LONGEST]
    feed_id, _, rest = token.partition(".")
    whose = rest.partition(".")[0]
    if not feed_id.isdigit() or whose not in (g.person.store, HOME):
        abort(422, NOT_SAID)
    store = box().stores.named(whose)
    link: dict[str, Any] = {"store": HOME} if whose == HOME else {}
    with store.read() as connection:
        feed = feeds.one(connection, int(feed_id[:18])) or abort(422, NOT_SAID)
        sealed = feeds.sealed(connection, store.key, feed)
    if not hmac.compare_digest(str(sealed.kept.get(CONSENT, "")).encode(), token.encode()):
        abort(422, NOT_SAID)
    code = request.args.get("code", "")[: feed_forms.LONGEST]
    if not code:
        abort(422, REFUSED)
    module = _module(feed.connector)
    try:
        options = options_from(module.Options, {**feed.options, **sealed.secrets}, feed.connector)
        verifier = str(sealed.kept.get(VERIFIER, ""))
        kept = cast(Consenting, module).consented(options, _answer_to(), code, verifier, Web())
    except (UserError, SourceError) as error:
        abort(422, str(error))
    with store.write() as connection:
        feeds.seal(connection, store.key, feed, Sealed(sealed.secrets, dict(kept)))
        feeds.change(connection, feed.id, stopped="", failures=0, next_us=time.time_ns() // 1000)
    planning.write(box().config, store)
    return redirect(url_for("feeds.one", feed_id=feed.id, **link), 303)


def _onward(address: str, words: str) -> str:
    """A page that leads on at once."""
    return render_template("feeds/onward.html", onward=address, words=words)


def _answer_to() -> str:
    return url_for("feeds.answer", _external=True)


def _hold(feed: Feed, why: str) -> None:
    """Has nothing fetched before a person did what is said."""
    with chosen.store().write() as connection:
        feeds.change(connection, feed.id, stopped=why)


# ---- what forms say, and what pages show ----


def _module(connector: str) -> Connector:
    return connectors.named(connector) if connector in connectors.names() else abort(404)


def _feed(feed_id: int) -> Feed:
    with chosen.store().read() as connection:
        found = feeds.one(connection, feed_id) if feed_id < 1 << 62 else None
    return found or abort(404, "There is no such feed in this store.")


def _need_allowed(connector: str, said: Mapping[str, str]) -> None:
    """A person reads the box's own folders by no feed: another's inbox may be among them."""
    if connector == "folder" and said.get("path"):
        path = Path(said["path"]).resolve()
        if not any(path.is_relative_to(each) for each in disks.FOLDERS):
            raise UserError(ELSEWHERE)


def _free_name(title: str) -> str:
    with chosen.store().read() as connection:
        taken = {each.name for each in feeds.every(connection)}
    return next(
        name
        for number in range(1, len(taken) + 2)
        if (name := title if number == 1 else f"{title} {number}") not in taken
    )


def _form(module: Connector, connector: str, said: Mapping[str, str], problems: list[str]) -> str:
    return render_template(
        "feeds/add.html",
        module=module,
        connector=connector,
        name=said.get("name", ""),
        inputs=feed_forms.inputs(module.Options, said, is_new=True),
        rhythms=feed_forms.rhythms(feed_forms.rhythm(said) or module.RHYTHM_S),
        problems=problems,
    )


def _one(feed: Feed, problems: list[str], tried: Tried | None = None, *, is_tried: bool = False) -> str:
    shown, fetches = _with_fetches(feed)
    is_known = feed.connector in connectors.names()
    module = connectors.named(feed.connector) if is_known else None
    return render_template(
        "feeds/one.html",
        shown=shown,
        fetches=[(each, _at(each.begun_us), *STATES[each.state]) for each in fetches],
        inputs=feed_forms.inputs(module.Options, feed.options, is_new=False) if module else [],
        rhythms=feed_forms.rhythms(feed.rhythm_s),
        asks_consent=module is not None and connectors.asks_consent(module),
        is_tried_first=module is not None and connectors.is_tried_first(module),
        is_held=feed.stopped == NOT_TRIED,
        is_tried=is_tried,
        tried=tried,
        titles={name: kind.title for name, kind in chosen.kinds().items()} if tried else {},
        nothing_yet=trying.NOTHING_YET,
        is_moving=_is_moving(shown),
        is_locked=_is_locked(),
        problems=problems,
    )


def _with_fetches(feed: Feed) -> tuple[Shown, list[Fetch]]:
    with chosen.store().read() as connection:
        fetches = feeds.fetches(connection, feed.id, SHOWN)
    return _shown(feed, fetches), fetches


def _shown(feed: Feed, fetches: list[Fetch]) -> Shown:
    running = planning.said(box().config, chosen.name(), feed.id)
    last = fetches[0] if fetches else None
    title = connectors.named(feed.connector).TITLE if feed.connector in connectors.names() else feed.connector
    if running is not None:
        look, words = STATES[feeds.RUNNING]
    elif feed.stopped:
        look, words = ("", "stopped by you") if feed.stopped == feeds.BY_PERSON else STATES[feeds.STOPPED]
    else:
        look, words = STATES[last.state] if last and last.state != feeds.RUNNING else ("", "not yet fetched")
    return Shown(feed, title, look, words, last, running is not None, (running or {}).get("files"))


def _is_moving(shown: Shown) -> bool:
    """Whether it is fetched at the moment, or is about to be."""
    return shown.is_running or (
        not shown.feed.stopped and shown.feed.next_us <= time.time_ns() // 1000 and not _is_locked()
    )


def _is_locked() -> bool:
    """Whether nothing can be fetched for this store: only its person's passphrase opens it."""
    return box().stores.ring.facts(chosen.name()).is_locked


def _plan() -> None:
    if not _is_locked():
        planning.write(box().config, chosen.store())


def _planned(feed_id: int) -> Response:
    _plan()
    return redirect(url_for("feeds.one", feed_id=feed_id, **chosen.link()), 303)


def _at(at_us: int) -> str:
    return datetime.fromtimestamp(min(at_us, 253_402_300_799_000_000) // 1_000_000, UTC).isoformat()
