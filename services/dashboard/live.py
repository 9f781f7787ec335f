"""The live view of this dashboard: what flows now and today's curve, ready for JSON."""

import time
from dataclasses import asdict
from typing import Any, cast

from flask import Flask

from appliance.ingest.tail import Tail
from appliance.live import EXPORT, IMPORT, Live
from appliance.store.database import Store
from services.dashboard.box import box
from services.dashboard.wording import zone

_EXTENSION = "inglenook live"


def now(app: Flask) -> dict[str, Any]:
    """The newest power and today's totals; {} where no meter has spoken yet."""
    found = _live(app).now(zone())
    if found is None:
        return {}
    today = {name: None if value is None else format(value, ".3f") for name, value in found.today.items()}
    age_s = max(0.0, round(time.time() - found.at_ms / 1000, 1))
    return {**asdict(found), "today": today, "age_s": age_s}


def today(app: Flask) -> dict[str, Any]:
    """Today's curve by the minute."""
    return asdict(_live(app).today(zone()))


def _live(app: Flask) -> Live:
    """The live view of the home store as it is open now: one that was opened again with another key gets another."""
    found = box(app)
    home = found.stores.home
    opened, live = cast(tuple[Store | None, Live | None], app.extensions.get(_EXTENSION, (None, None)))
    if live is None or opened is not home:
        live = Live(home, Tail(found.config.spool, home.key.privates, frozenset((IMPORT, EXPORT))))
        app.extensions[_EXTENSION] = home, live
    return live
