"""The dashboard's process: the app under gunicorn, plain on this machine alone, or by HTTPS for the whole home."""

import argparse
import http.client
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from appliance import config as configuration
from appliance.config import Config
from appliance.doors import Doors
from appliance.errors import UserError
from services.dashboard import watched
from services.manager import Manager
from services.process import end_on_user_error

if TYPE_CHECKING:
    from flask import Flask

    from services.dashboard.box import Box
    from services.dashboard.certified import Certified

PORT = 8000

SETTINGS = {
    "workers": 1,  # what is in memory (codes, throttles, progress) exists once
    "worker_class": "services.dashboard.serving.PatientWorker",
    "threads": 8,
    "worker_connections": 128,
    "timeout": 120,
    "graceful_timeout": 1,
    "keepalive": 15,
    "worker_tmp_dir": "/dev/shm",  # noqa: S108 -- the heartbeat's file: on the card it would be a write a second
    "loglevel": "warning",
    "control_socket_disable": True,
    "limit_request_line": 4094,
}

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    """Gunicorn with its settings given here; the app is loaded by the worker alone, so that the master stays small."""

    def __init__(self, config: Config, port: int | None) -> None:
        self.data, self.doors = config.data, config.doors
        self.port = port or (self.doors.port if self.doors.https else PORT)
        self.certified: Certified | None = None
        self.stays = _is_started_by_doors()
        self.manager = Manager.of()
        super().__init__()

    def load_config(self) -> None:
        bind = [f"127.0.0.1:{self.port}"]
        if self.doors.https:
            everywhere = "[::]" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104 - the whole home is to reach it
            bind = [f"{everywhere}:{port}" for port in (self.port, self.doors.plain_port)]
        for name, value in {**SETTINGS, "bind": bind}.items():
            self.cfg.set(name, value)
        self.cfg.set("post_worker_init", lambda _worker: watched.begin(self.manager, self._connection))

    def run(self) -> None:
        if "LISTEN_FDS" in os.environ:  # systemd names the process as it is known outside its namespace
            os.environ["LISTEN_PID"] = str(os.getpid())
        super().run()

    def load(self) -> Wsgi:
        try:
            app, wsgi = self._https() if self.doors.https else self._plain()
        except UserError as error:
            _say(error)
            if not self.stays:
                sys.exit(Arbiter.WORKER_BOOT_ERROR)
            return self._in_trouble(error)
        from services.dashboard.box import box

        box(app).begin_again = lambda: os.kill(os.getpid(), signal.SIGTERM)  # another worker is started in its place
        self.cfg.set("worker_exit", lambda _arbiter, _worker: _close(box(app)))
        return wsgi

    def tls(self, at: Any) -> ssl.SSLContext | None:
        """How to speak with whoever connected to this address and port of the box; None for plainly."""
        if self.certified is None or at[1] == self.doors.plain_port:
            return None
        return self.certified.context(at[0].removeprefix("::ffff:"))

    def _connection(self) -> http.client.HTTPConnection:
        """To this dashboard itself, as a device makes one that trusts it."""
        if self.certified is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=watched.PATIENCE_S)
        trusting = self.certified.authority.trusting()
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=watched.PATIENCE_S, context=trusting)

    def _plain(self) -> "tuple[Flask, Wsgi]":
        from services.dashboard.app import make_app

        app = make_app(configuration.load(self.data), f"http://127.0.0.1:{self.port}/")
        return app, app

    def _https(self) -> "tuple[Flask, Wsgi]":
        from appliance.certificates import authority
        from services.dashboard.app import make_app
        from services.dashboard.box import box
        from services.dashboard.certified import Certified, own_addresses
        from services.dashboard.doorstep import make_doorstep

        self.certified = Certified(authority(self.data, self.doors.name), own_addresses, port=self.port)
        app = make_app(configuration.load(self.data), f"{self.certified.at(self.doors.name)}/", self.certified)
        box(app).shown.begin()
        doorstep = make_doorstep(self.certified, app.static_url_path or "")

        def by_door(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            if not isinstance(environ["gunicorn.socket"], ssl.SSLSocket):
                return doorstep(environ, start_response)
            environ["wsgi.url_scheme"] = "https"
            return app(environ, start_response)

        return app, by_door

    def _in_trouble(self, error: UserError) -> Wsgi:
        from appliance.certificates import authority
        from services.dashboard import trouble
        from services.dashboard.certified import Certified, own_addresses
        from services.dashboard.shown import Shown

        shown = Shown(Config(self.data).run, f"https://{self.doors.name}/")
        with suppress(UserError):  # where its key is broken too, the plain door is left
            self.certified = Certified(authority(self.data, self.doors.name), own_addresses, port=self.port)
            shown = Shown(Config(self.data).run, f"{self.certified.at(self.doors.name)}/", self.certified.numbers)
        self.cfg.set("post_worker_init", lambda _worker: trouble.begin(self.manager, self.data))
        app = trouble.make_trouble(self.data, error.problems, shown)
        shown.begin()
        return app


def _is_started_by_doors() -> bool:
    """Whether systemd has opened the doors, so that somebody may stand before them."""
    return "LISTEN_FDS" in os.environ


def _close(found: "Box") -> None:
    found.looking.stop()
    found.bringing.stop()
    found.stores.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.dashboard", description=__doc__)
    parser.add_argument("--data", type=Path, default=configuration.default_folder(), help="where the data lies")
    parser.add_argument("--port", type=int, help=f"where to listen; {PORT}, or what [dashboard] says")
    said = parser.parse_args()
    try:
        config = configuration.load(said.data)
    except UserError:  # is said before a worker starts; or by that one, on a page
        if not _is_started_by_doors():
            raise
        config = Config(said.data.expanduser().absolute(), doors=Doors(https=True))
    Server(config, said.port).run()


def _say(error: UserError) -> None:
    for problem in error.problems:
        print(f"inglenook: {problem}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    end_on_user_error(main)
