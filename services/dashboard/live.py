"""The live view of this dashboard: what flows now and today's curve, ready for JSON."""

import time
from dataclasses import asdict
from typing import Any, cast

from flask import Flask

from appliance.ingest.tail import Tail
from appliance.live import EXPORT, IMPORT, Live
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
    if _EXTENSION not in app.extensions:
        found = box(app)
        home = found.stores.home
        tail = Tail(found.config.spool, home.key.private, frozenset((IMPORT, EXPORT)))
        app.extensions[_EXTENSION] = Live(home, tail)
    return cast(Live, app.extensions[_EXTENSION])
