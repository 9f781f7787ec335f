"""People: who lives here, inviting somebody, and joining with the code that they were given."""

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import people
from appliance.errors import UserError
from services.dashboard import access
from services.dashboard.box import box

WRONG_CODE = "This code lets nobody in: look at it again, or ask for a new one. A code works once, and for a day."
EVERYBODY = "everybody"
LARGEST_ID = 1 << 62

pages = Blueprint("people", __name__)


@pages.get("/people")
def page() -> str:
    return _page()


@pages.post("/people")
def invite() -> str | tuple[str, int]:
    """Shows the code, once."""
    try:
        name = request.form.get("name", "")
        return _page(name=name.strip(), code=people.invite(box().stores.home, name))
    except UserError as error:
        return _page(problems=list(error.problems)), 422


@pages.post("/people/<int:invitation_id>/withdraw")
def withdraw(invitation_id: int) -> Response:
    if invitation_id < LARGEST_ID:
        people.withdraw_invitation(box().stores.home, invitation_id)
    return redirect(url_for("people.page"), 303)


def _page(name: str = "", code: str = "", problems: list[str] | None = None) -> str:
    home = box().stores.home
    leaving = people.leaving(box().config, home)
    return render_template(
        "people/page.html",
        people=[each for each in people.people(home) if each not in leaving],
        leaving=leaving,
        invited=people.invited(home),
        name=name,
        code=code,
        address=f"{request.host_url}join",
        problems=problems or [],
    )


@pages.get("/join")
def join_form() -> str | Response:
    return redirect(url_for("people.page"), 303) if g.person else _join_page({}, [])


@pages.post("/join")
def join() -> Response | tuple[str, int]:
    if g.person:
        return redirect(url_for("people.page"), 303)
    found = box()
    said = {name: request.form.get(name, "").strip()[:100] for name in ("code", "name")}
    with found.signing_in:  # one at a time: hashing a password is made to cost memory
        try:
            person = _joined(said, request.form.get("password", ""))
        except UserError as error:
            return _join_page(said, list(error.problems)), 422
        found.kits.make(person, found.stores.ring, [person.store])
    token = people.begin_session(found.stores.home, person.id)
    return access.open_session(redirect(url_for("keys.kit"), 303), token)


def _joined(said: dict[str, str], password: str) -> people.Person:
    """The rest is not looked at before the code is right."""
    found = box()
    _need_code(said["code"])
    if password != request.form.get("again", ""):
        raise UserError("The two passwords differ. Type them once more.")
    return people.join(found.config, found.stores.home, said["code"], said["name"], password)


def _need_code(code: str) -> None:
    """UserError where it is wrong; who guesses is slowed down, from one address and from all of them."""
    found, guessing = box(), (request.remote_addr or "", EVERYBODY)
    if (wait_s := max(map(found.joins.wait_s, guessing))) > 0:
        raise UserError(f"Too many wrong codes. Wait {int(wait_s) + 1} seconds, then try again.")
    if people.may_join(found.stores.home, code):
        return
    for each in guessing:
        found.joins.wrong(each)
    raise UserError(WRONG_CODE)


def _join_page(said: dict[str, str], problems: list[str]) -> str:
    return render_template("people/join.html", said=said, problems=problems, letters=people.PASSWORD_LETTERS)
