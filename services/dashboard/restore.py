"""On a box that nobody has claimed: "I have a backup", and how far it is back."""

from pathlib import Path

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance import outward
from appliance.backup import ssh
from appliance.backup.targets import where_problems
from appliance.errors import UserError
from appliance.store import kits
from services.dashboard import claim, disks
from services.dashboard.backups import LONGEST
from services.dashboard.box import Box, box
from services.dashboard.bringing import Said
from services.dashboard.wording import capitalised

LONGEST_WORDS = 4096
REPOSITORY = ("config", "keys", "snapshots")
"""What a folder has that restic keeps backups in ("Repository Format", in its documentation)."""

pages = Blueprint("restore", __name__)


@pages.get("/claim/restore")
def page() -> str | Response:
    if g.household is not None:
        return redirect(url_for("now.home"), 303)
    seen = box().bringing.seen()
    found = [] if seen.running else _found()
    return _page({"where": found[0] if len(found) == 1 else ""}, [], found)


@pages.post("/claim/restore")
def begin() -> Response | tuple[str, int]:
    if g.household is not None:
        return redirect(url_for("now.home"), 303)
    said = {name: request.form.get(name, "").strip()[:LONGEST] for name in ("code", "where", "user", "password")}
    said["words"] = request.form.get("words", "")[:LONGEST_WORDS]
    words = kits.typed(said["words"])
    if problems := claim.code_problems(said["code"]) or _problems(said["where"], words):
        return _page(said, problems, _found()), 422
    found = box()
    brought = Said(said["where"], said["user"], said["password"], tuple(words))
    found.bringing.begin(found.config.data, brought, g.browser, found.take_over)
    return redirect(url_for("restore.page"), 303)


@pages.post("/claim/restore/again")
def again() -> Response:
    found = _mine()
    found.bringing.again(found.config.data, found.take_over)
    return redirect(url_for("restore.page"), 303)


@pages.post("/claim/restore/stop")
def stop() -> Response:
    _mine().bringing.stop()
    return redirect(url_for("restore.page"), 303)


@pages.get("/claim/restore/progress")
def progress() -> Response:
    """What the page asks for while it runs; once it has ended, the whole page is drawn again, or the box is there."""
    bringing = box().bringing
    if not bringing.seen().running:
        return Response(headers={"HX-Refresh": "true"})
    return make_response(render_template("restore/progress.html", seen=bringing.seen(), mine=bringing.is_of(g.browser)))


def _mine() -> Box:
    found = box()
    if g.household is not None or not found.bringing.is_of(g.browser):
        abort(403, "Only the browser that began it does that.")
    return found


def _problems(where: str, words: list[str]) -> list[str]:
    """What can be known before anything is asked of the backup."""
    problems = list(where_problems(where))
    if not problems and where.startswith("/") and not disks.holds(where):
        problems.append(disks.ELSEWHERE)
    try:
        kits.secret_of(words)
    except UserError as error:
        problems += error.problems
    return problems


def _found() -> list[str]:
    """Backups on the disks that are plugged in, by their form: whose they are is seen with the words."""
    found = []
    for folder in disks.FOLDERS:
        for pattern in ("*", "*/*", "*/*/*"):
            found += [str(path) for path in Path(folder).glob(pattern) if _is_repository(path)]
    return found


def _is_repository(folder: Path) -> bool:
    try:
        return all((folder / name).exists() for name in REPOSITORY)
    except OSError:  # of another user, or a disk that is failing
        return False


def _page(said: dict[str, str], problems: list[str], found: list[str]) -> str:
    bringing = box().bringing
    return render_template(
        "restore/page.html",
        said=said,
        problems=[capitalised(each) for each in problems],
        ssh_line=ssh.own_line(box().config),
        is_guarded=outward.is_guarded(),
        code_help=claim.CODE_HELP,
        found=found,
        wants_form="other" in request.args,
        seen=bringing.seen(),
        mine=bringing.is_of(g.browser),
    )
