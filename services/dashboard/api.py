"""The figures behind the charts and the live view, as JSON. Inputs are bounded; an error is `{"error": ...}`."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

from flask import Blueprint, abort, current_app, jsonify, request
from werkzeug.wrappers import Response

from appliance import energy
from services.dashboard import live, spans
from services.dashboard.history import Choice, choices
from services.dashboard.wording import role_title, zone

STEPS = ("auto", "raw", "quarter-hour", "hour", "day", "month")

RAW_MS = 32 * 86_400_000

pages = Blueprint("api", __name__, url_prefix="/api")


@pages.get("/now")
def now() -> Response:
    """What flows at this moment. Its tag leaves out the age, so that nothing is sent until the meter speaks again."""
    found = live.now(current_app)
    return _tagged(found, {name: value for name, value in found.items() if name != "age_s"})


@pages.get("/today")
def today() -> Response:
    found = live.today(current_app)
    return _tagged({**found, "zone": zone().key}, found)


@pages.get("/history")
def history() -> Response:
    """One series in one span: what `energy.Chart` holds, the span's own words, and the spans beside it."""
    choice, step = _choice(), request.args.get("step", "auto")
    series = choice.series
    if step not in STEPS:
        abort(400, f"“{step[:20]}” is not a step; there are {', '.join(STEPS)}")
    local = zone()
    newest = spans.local_day(series.last_ms, local)
    span = spans.asked(request.args, newest, (series.first_ms, series.last_ms), local)
    if step == "raw" and span.to_ms - span.from_ms > RAW_MS:
        abort(400, "Raw readings are shown for a month at most. Choose a shorter span, or leave out the step.")
    chart = energy.chart(choice.store, series.source, series.role, span.from_ms, span.to_ms, local, step)
    beside = {name: span.beside(direction, local) for name, direction in (("earlier", -1), ("later", 1))}
    return jsonify(
        asdict(chart)
        | {"title": role_title(series.role), "zone": local.key, "label": span.title, "span": span.name}
        | {"from_ms": span.from_ms, "to_ms": span.to_ms, "at": span.first_day.isoformat()}
        | {"from": span.first_day.isoformat(), "to": span.last_day.isoformat()}
        | {
            "earlier": _arguments(beside["earlier"] if span.from_ms > series.first_ms else None),
            "later": _arguments(beside["later"] if span.to_ms <= series.last_ms else None),
        }
    )


def _arguments(span: spans.Span | None) -> dict[str, str] | None:
    return span.arguments() if span else None


def _choice() -> Choice:
    said = request.args.get("series", "")
    for each in choices():
        if each.key == said:
            return each
    return abort(404, "There is no such series. Load the page again to see those that there are.")


def _tagged(body: dict[str, Any], tagged: dict[str, Any]) -> Response:
    response = jsonify(body)
    response.set_etag(hashlib.sha256(json.dumps(tagged, sort_keys=True, default=str).encode()).hexdigest()[:32])
    return response.make_conditional(request)
