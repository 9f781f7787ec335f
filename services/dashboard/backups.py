"""Backup: where copies of the box go, how the last ones went, and what a drill found in them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import backup, outward
from appliance.backup import ssh, targets
from appliance.backup.targets import Target
from appliance.errors import UserError
from appliance.store.database import HOME
from appliance.store.keys import KeyRing
from services.dashboard import disks
from services.dashboard.box import box

LONGEST = 500

pages = Blueprint("backups", __name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """A place as the page shows it; `look` and `words` are its chip's."""

    target: Target
    look: str
    words: str

    @property
    def good_at(self) -> str:
        return _at(self.target.good)

    @property
    def drilled_at(self) -> str:
        return _at(self.target.drilled)


@pages.get("/backup")
def page() -> str:
    return _page({}, [])


@pages.post("/backup")
def add() -> Response | tuple[str, int]:
    said = {name: request.form.get(name, "").strip()[:LONGEST] for name in ("name", "where", "user", "password")}
    try:
        if said["where"].startswith("/") and not disks.holds(said["where"]):
            raise UserError(disks.ELSEWHERE)
        backup.add(box().config, said["name"], said["where"], said["user"], said["password"])
    except UserError as error:
        return _page(said, list(error.problems)), 422
    return redirect(url_for("backups.page"), 303)


@pages.post("/backup/<name>/now")
def now(name: str) -> Response | tuple[str, int]:
    return _asked(lambda: targets.want(box().config, name))


@pages.post("/backup/<name>/drill")
def drill(name: str) -> Response | tuple[str, int]:
    return _asked(lambda: targets.want(box().config, name, drill=True))


@pages.post("/backup/<name>/remove")
def remove(name: str) -> Response | tuple[str, int]:
    return _asked(lambda: targets.remove(box().config, name))


def _asked(act: Callable[[], None]) -> Response | tuple[str, int]:
    try:
        act()
    except UserError as error:
        return _page({}, list(error.problems)), 422
    return redirect(url_for("backups.page"), 303)


def _page(said: dict[str, str], problems: list[str]) -> str:
    config = box().config
    try:
        found = [_shown(each) for each in targets.every(config)]
    except UserError as error:
        found, problems = [], [*problems, *error.problems]
    return render_template(
        "backups/page.html",
        said=said,
        problems=problems,
        places=found,
        kit=KeyRing(config.data).facts(HOME),
        is_hosted=config.database_url is not None,
        disks=disks.plugged_in(),
        ssh_line=ssh.own_line(config),
        is_guarded=outward.is_guarded(),
    )


def _shown(target: Target) -> Shown:
    if target.wanted:
        return Shown(target, "wait", "soon")
    if target.problem:
        return Shown(target, "wrong", "needs you")
    if target.drill_problem:
        return Shown(target, "wrong", "drill failed")
    return Shown(target, "good", "backed up")


def _at(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""
