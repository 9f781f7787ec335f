"""Keys: how a store opens, unlocking a locked one, and its recovery kit: made, printed, proved."""

from flask import Blueprint, abort, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.errors import UserError
from appliance.store import kits, passphrases
from appliance.store.database import NewerStoreError
from appliance.store.keys import KeyRing, LockedError
from appliance.store.tries import TooSoonError, WrongPassphraseError
from services.dashboard import access, chosen
from services.dashboard.box import box

TWICE = "The two passphrases differ. Type them once more."
WRONG = "This is not the passphrase of your store. Type it once more; if it is lost, your recovery kit opens the store."
LOCKED = "Your store is locked. Unlock it on its page first."

pages = Blueprint("keys", __name__)


@pages.app_errorhandler(LockedError)
def locked(_error: LockedError) -> Response | tuple[Response, int]:
    """To a person the page that unlocks, to a script a bare status."""
    if access.wants_data():
        return jsonify({"error": LOCKED}), 423
    said = access.own_path(request.full_path) if request.method == "GET" else "/"
    return redirect(url_for("keys.unlock_form", next=said), 303)


@pages.app_context_processor
def own_store() -> dict[str, object]:
    """What the menu must know: whether there is a store to be locked again."""
    person = g.get("person")
    return {"own_is_unlocked": person is not None and box().stores.is_unlocked(person.store)}


@pages.get("/keys")
def page() -> str:
    try:
        chosen.store()
    except NewerStoreError as error:  # its keys are as they are
        return _page(_said(error))
    return _page([])


def _page(problems: list[str]) -> str:
    name = chosen.name()
    return render_template(
        "keys/page.html", name=name, facts=_ring().facts(name), problems=problems, letters=passphrases.LETTERS
    )


@pages.post("/keys/lock")
def lock() -> Response | tuple[str, int]:
    """The person's own store opens by a passphrase from now on; also another passphrase than before."""
    store, ring = chosen.store(), _ring()
    passphrase = request.form.get("new", "")
    try:
        if passphrase != request.form.get("again", ""):
            raise UserError(TWICE)
        _need_passphrase(store.name)
        with box().signing_in:
            ring.lock(store.name, store.key, passphrase)
    except UserError as error:
        return _page(_said(error)), _status(error)
    box().stores.watch()
    return redirect(url_for("keys.page"), 303)


def _need_passphrase(name: str) -> None:
    """Of a locked store: who found a browser open must not change how it opens."""
    if _ring().facts(name).is_locked:
        with box().signing_in:
            _ring().open(name, request.form.get("passphrase", "")[: passphrases.LONGEST])


@pages.post("/keys/unattended")
def unattended() -> Response | tuple[str, int]:
    """The box's key opens the store from now on."""
    store = chosen.store()
    try:
        _need_passphrase(store.name)
    except UserError as error:
        return _page(_said(error)), _status(error)
    _ring().unlock(store.name, store.key)
    box().stores.take_waiting(store.name)
    return redirect(url_for("keys.page"), 303)


@pages.post("/keys/shut")
def shut() -> Response:
    """Lock now: the dashboard forgets the key, and a kit that would open it again."""
    box().stores.shut(g.person.store)
    box().kits.forget(g.person)
    return redirect(url_for("now.page"), 303)


@pages.post("/keys/change")
def change() -> Response | tuple[str, int]:
    """Another key; its new kit is shown next."""
    name, said = chosen.name(), request.form.get("passphrase", "")[: passphrases.LONGEST]
    chosen.store()
    try:
        _need_passphrase(name)  # before the store is shut for it: a wrong one leaves it open
        words = box().stores.change_key(name, said if _ring().facts(name).is_locked else None)
    except LockedError:
        raise
    except UserError as error:
        return _page(_said(error)), _status(error)
    box().kits.keep(g.person, name, words)
    return redirect(url_for("keys.kit"), 303)


# ---- unlocking ----


@pages.get("/unlock")
def unlock_form() -> str | Response:
    following = access.own_path(request.args.get("next", "/"))
    ring, own = _ring(), g.person.store
    if not (ring.facts(own).is_locked or ring.is_anothers(own)) or box().stores.is_unlocked(g.person.store):
        return redirect(following, 303)
    return _unlock_page([])


@pages.post("/unlock")
def unlock() -> Response | tuple[str, int]:
    found, passphrase = box(), request.form.get("passphrase", "")[: passphrases.LONGEST]
    try:
        with found.signing_in:  # one at a time, as with passwords
            found.stores.unlock(g.person.store, passphrase)
        found.stores.take_waiting(g.person.store)
    except UserError as error:
        return _unlock_page(_said(error)), _status(error)
    return redirect(access.own_path(request.form.get("next", "/")), 303)


@pages.post("/unlock/kit")
def unlock_by_kit() -> Response | tuple[str, int]:
    """Whose passphrase is lost has the kit; the store is unattended from then on."""
    try:
        _ring().use_kit(g.person.store, _words())
        box().stores.take_waiting(g.person.store)
    except UserError as error:
        return _unlock_page(_said(error)), 422
    return redirect(url_for("keys.page"), 303)


def _unlock_page(problems: list[str]) -> str:
    is_anothers = _ring().is_anothers(g.person.store)
    return render_template(
        "keys/unlock.html",
        problems=problems,
        is_anothers=is_anothers,
        next=access.own_path(request.values.get("next", "/")),
    )


# ---- the recovery kit ----


@pages.get("/kit")
def kit() -> str:
    """The recovery kits, as long as they are not written down."""
    return render_template("keys/kit.html", kits=box().kits.of(g.person), own=g.person.store)


@pages.post("/kit")
def written_down() -> Response:
    box().kits.forget(g.person)
    return redirect(url_for("now.page"), 303)


@pages.post("/keys/kit")
def make_kit() -> Response | tuple[str, int]:
    store = chosen.store()
    try:
        _need_passphrase(store.name)
    except UserError as error:
        return _page(_said(error)), _status(error)
    box().kits.keep(g.person, store.name, _ring().make_kit(store.name, store.key))
    return redirect(url_for("keys.kit"), 303)


@pages.get("/keys/prove")
def prove_form() -> str:
    name = chosen.name()
    if not _ring().facts(name).has_kit:
        abort(404, "This store has no recovery kit yet. Make one on the page Keys.")
    return render_template("keys/prove.html", name=name, problems=[], proved=False, said="")


@pages.post("/keys/prove")
def prove() -> str | tuple[str, int]:
    name = chosen.name()
    try:
        _ring().prove_kit(name, _words())
    except UserError as error:
        typed, problems = request.form.get("words", ""), _said(error)
        return render_template("keys/prove.html", name=name, problems=problems, proved=False, said=typed), 422
    return render_template("keys/prove.html", name=name, problems=[], proved=True, said="")


def _words() -> list[str]:
    return kits.typed(request.form.get("words", "")[:4096])


def _ring() -> KeyRing:
    return box().stores.ring


def _said(error: UserError) -> list[str]:
    """As a page says it: in sentences, and without what to type on a command line."""
    if isinstance(error, WrongPassphraseError):
        return [WRONG]
    return [f"{problem[:1].upper()}{problem[1:]}" for problem in error.problems]


def _status(error: UserError) -> int:
    return 429 if isinstance(error, TooSoonError) else 422
