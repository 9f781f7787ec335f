"""Asking once more before what cannot be taken back: for words as they stand there, and for the person's password."""

from flask import g, request

from appliance import people
from appliance.errors import UserError
from services.dashboard.box import box


def need(words: str) -> None:
    """UserError where this is not what a person typed, or not their password; who guesses is slowed down."""
    if request.form.get("words", "").strip() != words:
        raise UserError(f"Type the words as they stand there: {words}. Nothing was deleted.")
    found, name = box(), g.person.name.casefold()
    with found.signing_in:
        if (wait_s := found.names.wait_s(name)) > 0:
            raise UserError(f"Too many wrong passwords. Wait {int(wait_s) + 1} seconds, then try again.")
        if people.is_password(found.stores.home, g.person, request.form.get("password", "")):
            found.names.right(name)
            return
        found.names.wrong(name)
    raise UserError("This is not your password. Nothing was deleted.")
