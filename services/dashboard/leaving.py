"""This box: where it is, how worn its disk is, a last export, and the reset that its first person asks for."""

from pathlib import Path

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from appliance import people
from appliance.deleting import whole
from appliance.errors import UserError
from appliance.store.database import HOME
from appliance.store.locked import LockedError
from services import state
from services.dashboard import access, disks, sure, wear
from services.dashboard.backups import LONGEST
from services.dashboard.box import Box, box

WORDS = "reset this box"

pages = Blueprint("leaving", __name__)


@pages.get("/box")
def page() -> str:
    return _page([])


@pages.post("/box/export")
def export() -> str | tuple[str, int]:
    """Writes the household's store and the person's own onto a disk, in clear."""
    where = request.form.get("where", "").strip()[:LONGEST]
    try:
        return _page([], exported=_exported(box(), where))
    except LockedError:
        raise
    except UserError as error:
        return _page(list(error.problems), where=where), 422


@pages.post("/box/reset")
def reset() -> Response | tuple[str, int]:
    """Deletes everything, the keys first; the box is new then, and shows another code."""
    found = box()
    try:
        if g.person.id != people.first(found.stores.home).id:
            raise UserError("Only the box’s first person may reset it. Nothing was deleted.")
        sure.need(WORDS)
    except UserError as error:
        return _page(list(error.problems)), 422
    left = found.stores.replace(found.config.store_names(), lambda: _reset(found))
    g.person = None
    answer = Response(render_template("leaving/gone.html", left=left), mimetype="text/html")
    answer.call_on_close(found.begin_again)
    return access.end_session(answer)


def _reset(found: Box) -> list[str]:
    from services import setup

    left = whole.reset(found.config)
    setup.make(found.config.data)
    return left


def _exported(found: Box, where: str) -> list[str]:
    """The folders, one a store."""
    from appliance import exporting  # which a dashboard does not keep in memory for a day that may never come

    folder = Path(where)
    if not disks.holds(where):
        raise UserError(disks.ELSEWHERE)
    if not folder.parent.is_dir():
        raise UserError(f"{folder.parent} is not there. Plug the disk in, or name a folder on one that is.")
    stores = [found.stores.named(name) for name in (HOME, g.person.store)]
    for store in stores:
        exporting.export(store, found.config.stores / store.name, folder / store.name)
    return [str(folder / store.name) for store in stores]


def _page(problems: list[str], where: str = "", exported: list[str] | None = None) -> str:
    first, certified = people.first(box().stores.home), box().certified
    told = state.ask(box().config.run)
    return render_template(
        "leaving/page.html",
        problems=problems,
        where=where,
        exported=exported,
        first=first.name,
        may_reset=g.person.id == first.id,
        words=WORDS,
        disks=disks.plugged_in(),
        address=box().shown.address,
        disk=wear.of(box().config.data, wear.SYSFS),
        written=told["disk_written_today_bytes"] if told else None,
        numbers=certified.numbers() if certified else [],
        is_hosted=box().config.database_url is not None,
    )
