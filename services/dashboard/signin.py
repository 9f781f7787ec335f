"""Signing in and out."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import people
from services.dashboard import access
from services.dashboard.box import Box, box

WRONG = "This name and password do not belong together. Look at both, then try again."

pages = Blueprint("signin", __name__)


@pages.get("/sign-in")
def form() -> str | Response:
    if g.person is not None:
        return redirect(url_for("now.page"), 303)
    return _page("", [])


@pages.post("/sign-in")
def submit() -> Response | tuple[str, int]:
    name, password = request.form.get("name", "").strip()[:100], request.form.get("password", "")
    found = box()
    # One at a time: hashing a password is made to cost memory, and eight at once would cost it eight times.
    with found.signing_in:
        if (wait_s := _wait_s(found, name)) > 0:
            return _page(name, [f"Too many wrong tries. Wait {int(wait_s) + 1} seconds, then try again."]), 429
        token = people.sign_in(found.stores.home, name, password) if len(password) <= people.LONGEST_PASSWORD else None
        _remember(found, name, right=token is not None)
    if token is None:
        return _page(name, [WRONG]), 422
    return access.open_session(redirect(access.own_path(request.form.get("next", "/")), 303), token)


@pages.post("/sign-out")
def leave() -> Response:
    found = box()
    people.sign_out(found.stores.home, access.session_token())
    found.stores.shut(g.person.store)
    found.kits.forget(g.person)
    return access.end_session(redirect(url_for("signin.form"), 303))


def _wait_s(found: Box, name: str) -> float:
    return max(found.names.wait_s(name.casefold()), found.addresses.wait_s(request.remote_addr or ""))


def _remember(found: Box, name: str, *, right: bool) -> None:
    if right:
        found.names.right(name.casefold())
    else:
        found.names.wrong(name.casefold())
        found.addresses.wrong(request.remote_addr or "")


def _page(name: str, problems: list[str]) -> str:
    return render_template(
        "signin/form.html", name=name, problems=problems, next=access.own_path(request.values.get("next", "/"))
    )
