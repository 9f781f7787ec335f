"""What the appliance's dashboard shows while it cannot begin: what is wrong, and the way on. It begins by itself when
that is mended. Elsewhere whoever started it reads that in the window, and it ends.

    DIR/NAME.toml.set-aside    a file of the configuration that could not be read, put aside by a person
"""

import os
import shutil
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from flask import Flask, redirect, render_template, request
from werkzeug.wrappers import Response

from appliance import config as configuration
from appliance.config import DEFAULT, FILE, HOUSEHOLD_FILE, METERS_FILE
from appliance.errors import UserError
from appliance.store.database import HOME, open_store
from services.dashboard import access
from services.dashboard.desk import SHOWN, Desk, refusal
from services.dashboard.shown import Shown
from services.dashboard.throttle import Throttle
from services.manager import Manager

LOOK_S = 10.0


def make_trouble(data: Path, problems: Sequence[str], shown: Shown, static_path: str = "/static") -> Flask:
    """The app that every address of the box leads to meanwhile; `shown` says at the door what it asks for."""
    app = Flask("services.dashboard", static_url_path=static_path)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    broken = [path for path in _files(data) if any(str(path) in problem for problem in problems)]
    names = ", ".join(path.name for path in broken)
    desk = _desk(shown, names)
    throttle = Throttle(free=10)

    @app.get("/", defaults={"path": ""})
    @app.get("/<path:path>")
    def page(path: str) -> tuple[str, int]:
        return _page("")

    @app.post("/set-aside")
    def set_aside() -> Response | tuple[str, int]:
        if refused := refusal(desk, throttle, request.remote_addr or "", request.form.get("code", "")):
            return _page(refused)
        for path in broken:
            _set_aside(path)
        return redirect("/", 303)

    def _page(refused: str) -> tuple[str, int]:
        said = {"problems": problems, "names": names, "refused": refused, "code_help": f"{SHOWN}."}
        return render_template("trouble/page.html", form_token=lambda: "", **said), 503

    app.after_request(access.add_headers)
    return app


def _desk(shown: Shown, names: str) -> Desk | None:
    """Who has its code may set these files aside, where there are any."""
    if names:
        return Desk(lambda code: shown.say(code, aside=names), shown.code())
    shown.say()
    return None


def _files(data: Path) -> list[Path]:
    return [data / name for name in (FILE, HOUSEHOLD_FILE, METERS_FILE)]


def _set_aside(path: Path) -> None:
    """Puts a file out of the way, and the image's own in its place, where there is one of that name."""
    mode = path.stat().st_mode & 0o777
    path.replace(path.with_name(f"{path.name}.set-aside"))
    if path.name == FILE and DEFAULT.exists():
        shutil.copyfile(DEFAULT, path)
        path.chmod(mode)


def begin(manager: Manager, data: Path) -> None:
    """Looks, beside the pages, whether the trouble is over, and ends this dashboard then: it is started anew."""
    threading.Thread(target=_watch, args=(manager, data), name="trouble", daemon=True).start()


def _watch(manager: Manager, data: Path) -> None:
    manager.ready(LOOK_S)
    pause = threading.Event()
    while not pause.wait(LOOK_S):
        manager.alive()
        with suppress(UserError):
            open_store(configuration.load(data), HOME, make=True).close()
            os.kill(os.getppid(), signal.SIGTERM)
            return
