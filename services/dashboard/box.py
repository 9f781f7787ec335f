"""What the dashboard holds while it runs: the configuration, its open stores, who may try a code or a password."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app

from appliance import config as configuration
from appliance.config import Config
from appliance.errors import UserError
from appliance.store.database import HOME
from appliance.updating.places import Places
from services.dashboard.bringing import Bringing
from services.dashboard.certified import Certified
from services.dashboard.desk import Desk
from services.dashboard.holding import Holding
from services.dashboard.kits import Kits
from services.dashboard.looking import Looking
from services.dashboard.progress import Progress
from services.dashboard.shown import Shown
from services.dashboard.stores import Stores as Stores
from services.dashboard.throttle import Throttle

EXTENSION = "inglenook"


@dataclass
class Box:
    """Of one running dashboard.

    `desk` is there while nobody has claimed it; `begin_again` starts the dashboard anew.
    """

    config: Config
    shown: Shown
    stores: Stores
    certified: Certified | None = None
    desk: Desk | None = None
    kits: Kits = field(default_factory=Kits)
    progress: Progress = field(default_factory=Progress)
    names: Throttle = field(default_factory=lambda: Throttle(free=5))
    addresses: Throttle = field(default_factory=lambda: Throttle(free=20))
    claims: Throttle = field(default_factory=lambda: Throttle(free=10))
    joins: Throttle = field(default_factory=lambda: Throttle(free=5))
    uploading: threading.Lock = field(default_factory=threading.Lock)
    attaching: threading.Lock = field(default_factory=threading.Lock)
    holding: Holding = field(default_factory=Holding)
    signing_in: threading.Lock = field(default_factory=threading.Lock)
    looking: Looking = field(default_factory=Looking)
    naming: threading.Lock = field(default_factory=threading.Lock)
    places: Places = field(default_factory=Places)
    bringing: Bringing = field(default_factory=Bringing)
    begin_again: Callable[[], None] = lambda: None

    def now(self) -> Config:
        """The configuration as it is now, since meters come and go; the old one where the file is broken."""
        try:
            return configuration.load(self.config.data)
        except UserError:
            return self.config

    def take_over(self) -> None:
        """Puts a backup that was brought back in the place of this box, which nobody has claimed."""
        from appliance.backup import restoring  # what a restore needs is not kept in memory by every dashboard

        self.stores.replace([HOME], lambda: restoring.take_over(self.config))
        self.desk = None
        self.begin_again()


def box(app: Flask | None = None) -> Box:
    """The box of this app; of the running request's where none is given."""
    return cast(Box, (app or current_app).extensions[EXTENSION])
