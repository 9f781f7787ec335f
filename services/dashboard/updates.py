"""Updates: which version runs, how long it is supported, which one is at hand, and what the last update did."""

from datetime import UTC, date, datetime, time

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from appliance.updating import release
from appliance.updating.at_hand import look
from appliance.updating.places import BACK, GOOD, REFUSED, is_wanted, want
from services.dashboard.box import box
from services.dashboard.wording import zone

CHIPS = {GOOD: ("good", "put in"), BACK: ("wrong", "taken back"), REFUSED: ("wrong", "not put in")}

RESTART = time(3, 40, tzinfo=UTC)
"""When the system starts anew where its own updates want that: as etc/apt/apt.conf.d/52inglenook says on the image."""

pages = Blueprint("updates", __name__)


@pages.get("/update")
def page() -> str:
    return _page([])


@pages.post("/update/now")
def now() -> Response | tuple[str, int]:
    """Has the box put in what is at hand, which root does."""
    found, _ = look(box().now(), box().places)
    if found is None:
        return _page(["No update is at hand any more. Plug the stick in again."]), 422
    want(box().config.run)
    return redirect(url_for("updates.page"), 303)


def _page(problems: list[str]) -> str:
    config, places = box().now(), box().places
    installed = places.installed()
    found, wrong = look(config, places) if installed else (None, [])
    last = places.last()
    until = found.release.ends_support_of_others() if found else None
    return render_template(
        "updates/page.html",
        version=places.running(),
        installed=installed,
        found=found.release if found else None,
        until=until,
        is_over=until is not None and until < date.today(),
        problems=[*problems, *wrong],
        is_wanted=is_wanted(config.run),
        last=last,
        chip=CHIPS[last.state] if last else None,
        last_at=last.at.strftime("%Y-%m-%dT%H:%M:%SZ") if last else "",
        address=config.update_url,
        restart=datetime.combine(datetime.now(UTC), RESTART).astimezone(zone()).strftime("%H:%M"),
        files=(release.statement_name(release.this_machine()), f"inglenook-VERSION-{release.this_machine()}.tar"),
    )
