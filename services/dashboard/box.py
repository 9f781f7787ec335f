"""What the dashboard holds while it runs: the configuration, its open stores, and who may try a code or a password."""

import threading
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app

from appliance.config import Config
from appliance.store.database import HOME, Store, open_store
from services.dashboard.desk import Desk
from services.dashboard.kits import Kits
from services.dashboard.progress import Progress
from services.dashboard.throttle import Throttle

EXTENSION = "inglenook"


class Stores:
    """Open stores by name: opening one derives keys and migrates, so each is opened once and kept."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._open: dict[str, Store] = {}
        self._lock = threading.Lock()

    @property
    def home(self) -> Store:
        """The household's own store, made where this box is new."""
        return self.named(HOME)

    def named(self, name: str) -> Store:
        with self._lock:
            if name not in self._open:
                self._open[name] = open_store(self._config, name, make=name == HOME)
            return self._open[name]

    def close(self) -> None:
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()


@dataclass
class Box:
    """Of one running dashboard. `desk` is there while nobody has claimed it."""

    config: Config
    address: str
    stores: Stores
    desk: Desk | None = None
    kits: Kits = field(default_factory=Kits)
    progress: Progress = field(default_factory=Progress)
    names: Throttle = field(default_factory=lambda: Throttle(free=5))
    addresses: Throttle = field(default_factory=lambda: Throttle(free=20))
    claims: Throttle = field(default_factory=lambda: Throttle(free=10))
    uploading: threading.Lock = field(default_factory=threading.Lock)
    signing_in: threading.Lock = field(default_factory=threading.Lock)


def box(app: Flask | None = None) -> Box:
    """The box of this app; of the running request's where none is given."""
    return cast(Box, (app or current_app).extensions[EXTENSION])
