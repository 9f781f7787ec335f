"""The dashboard's process: the app under gunicorn, on this machine alone until it speaks HTTPS."""

import argparse
import http.client
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from appliance import config as configuration
from appliance.errors import UserError
from services.dashboard import watched
from services.manager import Manager
from services.process import end_on_user_error

if TYPE_CHECKING:
    from services.dashboard.box import Box

SETTINGS = {
    "workers": 1,  # what is in memory (codes, throttles, progress) exists once
    "worker_class": "gthread",
    "threads": 8,
    "timeout": 120,
    "graceful_timeout": 1,
    "keepalive": 15,
    "worker_tmp_dir": "/dev/shm",  # noqa: S108 -- the heartbeat's file: on the card it would be a write a second
    "loglevel": "warning",
    "control_socket_disable": True,
    "limit_request_line": 4094,
}


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    """Gunicorn with its settings given here; the app is loaded by the worker alone, so that the master stays small."""

    def __init__(self, data: Path, port: int) -> None:
        self.data, self.port, self.manager = data, port, Manager.of()
        super().__init__()

    def load_config(self) -> None:
        for name, value in {**SETTINGS, "bind": f"127.0.0.1:{self.port}"}.items():
            self.cfg.set(name, value)
        self.cfg.set("post_worker_init", lambda _worker: watched.begin(self.manager, self._connection))

    def load(self) -> Any:
        from services.dashboard.app import make_app
        from services.dashboard.box import box

        try:
            app = make_app(configuration.load(self.data), f"http://127.0.0.1:{self.port}/")
        except UserError as error:
            _say(error)
            sys.exit(Arbiter.WORKER_BOOT_ERROR)
        self.cfg.set("worker_exit", lambda _arbiter, _worker: _close(box(app)))
        return app

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=watched.PATIENCE_S)


def _close(found: "Box") -> None:
    found.looking.stop()
    found.stores.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.dashboard", description=__doc__)
    parser.add_argument("--data", type=Path, default=configuration.default_folder(), help="where the data lies")
    parser.add_argument("--port", type=int, default=8000, help="where to listen, on 127.0.0.1")
    said = parser.parse_args()
    configuration.load(said.data)  # what is wrong with it is said once, before a worker starts
    Server(said.data, said.port).run()


def _say(error: UserError) -> None:
    for problem in error.problems:
        print(f"inglenook: {problem}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    end_on_user_error(main)
