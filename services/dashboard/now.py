"""Now: what flows between house and grid at this moment, and today's curve."""

from flask import Blueprint, current_app, g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from appliance.store import notices
from services.dashboard import conditions, live
from services.dashboard.box import box

pages = Blueprint("now", __name__)


@pages.get("/")
def home() -> Response:
    if box().stores.ring.is_anothers(g.person.store):  # it was brought back, and waits for this person's kit
        return redirect(url_for("keys.unlock_form"), 303)
    return redirect(url_for("now.page"), 303)


@pages.get("/now")
def page() -> str:
    with box().stores.home.read() as connection:
        told = notices.every(connection)
    shown = {"notices": told, "conditions": conditions.of_the_box()}
    return render_template("now/page.html", now=live.now(current_app), meters=box().now().meters, **shown)
