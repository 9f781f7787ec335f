"""Health as Prometheus text, for a monitor on this machine: how each meter is heard, and nothing that it reads.

The text format is version 0.0.4 of Prometheus's exposition formats: of each metric a HELP and a TYPE line, then a line
a sample, `name{label="value"} number`, in which a label's backslash, quote and line end are escaped.
"""

import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Any

from flask import Blueprint, Response, abort, request
from sqlalchemy.exc import SQLAlchemyError

from appliance.devices import ledger
from appliance.errors import UserError
from services import state
from services.dashboard.box import box

pages = Blueprint("metrics", __name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
DAY_MS = 86_400_000
PROXIED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")
"""What a proxy adds: behind one, everybody's address is this machine's."""

NOT_HEARD = frozenset({"silent", "down"})
Sample = tuple[dict[str, str], float]
Labels = dict[str, str]


@pages.get("/metrics")
def text() -> Response:
    """For a client on this machine; for any other there is nothing here."""
    if not is_local(request.remote_addr or "") or any(name in request.headers for name in PROXIED):
        abort(404)
    told = state.ask(box().config.run)
    return Response("\n".join([*_lines(told), ""]), content_type=CONTENT_TYPE)


def is_local(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _lines(told: Mapping[str, Any] | None) -> Iterator[str]:
    yield from _metric("build_info", "gauge", "The version that runs.", [({"version": version("inglenook")}, 1)])
    yield from _metric("collector_up", "gauge", "Whether the collector runs.", [({}, told is not None)])
    if told is not None:
        for name, kind, what, value in BOX:
            if (number := value(told)) is not None:
                yield from _metric(name, kind, what, [({}, number)])
        for name, kind, what, samples in METERS:
            yield from _metric(name, kind, what, [each for meter in told["meters"] for each in samples(meter)])
    what = "For how long nothing was heard of a source in the last day."
    yield from _metric("gap_seconds_last_day", "gauge", what, _gaps(told))


def _metric(name: str, kind: str, what: str, samples: list[Sample]) -> Iterator[str]:
    """Nothing where there is no sample."""
    if not samples:
        return
    yield f"# HELP inglenook_{name} {what}"
    yield f"# TYPE inglenook_{name} {kind}"
    for labels, value in samples:
        said = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"inglenook_{name}{f'{{{said}}}' if said else ''} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n").replace("\r", " ")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else format(value, ".3f")


def _of(meter: Mapping[str, Any], **more: str) -> Labels:
    return {"source": meter["source"], "link": meter["link"], "meter": meter["meter"], **more}


def _up(meter: Mapping[str, Any]) -> list[Sample]:
    return [(_of(meter), meter["state"] == "reading")]


def _since(name: str) -> Callable[[Mapping[str, Any]], list[Sample]]:
    def samples(meter: Mapping[str, Any]) -> list[Sample]:
        return [] if meter[name] is None else [(_of(meter), meter[name] / 1000)]

    return samples


def _frames(meter: Mapping[str, Any]) -> list[Sample]:
    return [(_of(meter), meter["counters"]["telegrams"])]


def _bytes(meter: Mapping[str, Any]) -> list[Sample]:
    return [(_of(meter), meter["bytes"])]


def _errors(meter: Mapping[str, Any]) -> list[Sample]:
    counters = {name: number for name, number in meter["counters"].items() if name != "telegrams"}
    return [(_of(meter, kind=name), number) for name, number in counters.items()]


def _exceptions(meter: Mapping[str, Any]) -> list[Sample]:
    return [(_of(meter, code=code), number) for code, number in meter.get("exceptions", {}).items()]


def _failures(meter: Mapping[str, Any]) -> list[Sample]:
    return [(_of(meter), sum(meter["failures"].values()))]


BOX: tuple[tuple[str, str, str, Callable[[Mapping[str, Any]], float | None]], ...] = (
    ("clock_synced", "gauge", "Whether the clock of this machine was set.", lambda told: told["clock_is_set"]),
    ("readings_total", "counter", "Readings that were spooled since the start.", lambda told: told["readings"]),
    (
        "spool_dropped_frames_total",
        "counter",
        "Telegrams that found no room in the spool.",
        lambda told: told["dropped_frames"],
    ),
    (
        "disk_written_today_bytes",
        "gauge",
        "Written to the disk of the data folder since midnight UTC, or since the start.",
        lambda told: told["disk_written_today_bytes"],
    ),
)
METERS: tuple[tuple[str, str, str, Callable[[Mapping[str, Any]], list[Sample]]], ...] = (
    ("meter_up", "gauge", "Whether a meter is read as it should be.", _up),
    ("meter_last_byte_timestamp_seconds", "gauge", "When a byte came last.", _since("byte_ms")),
    ("meter_last_frame_timestamp_seconds", "gauge", "When a good telegram came last.", _since("frame_ms")),
    ("bytes_total", "counter", "Bytes that came.", _bytes),
    ("frames_total", "counter", "Good telegrams.", _frames),
    ("errors_total", "counter", "Telegrams that were no good, by kind.", _errors),
    ("exceptions_total", "counter", "Questions that a Modbus device refused, by its exception code.", _exceptions),
    ("link_failures_total", "counter", "How often a link could not be opened or was lost.", _failures),
)


def _gaps(told: Mapping[str, Any] | None) -> list[Sample]:
    """What the ledger has of the last day, and what lasts at this moment."""
    now_ms = int(time.time() * 1000)
    missing: dict[str, int] = {}
    with (
        suppress(UserError, SQLAlchemyError),
        box().stores.home.read() as connection,
    ):  # a store that is shut tells none
        missing = ledger.missing_ms(connection, now_ms - DAY_MS, now_ms)
    for meter in told["meters"] if told else ():
        missing.setdefault(meter["source"], 0)
        if meter["state"] in NOT_HEARD and meter["frame_ms"] is not None:
            missing[meter["source"]] += max(0, now_ms - max(meter["frame_ms"], now_ms - DAY_MS))
    return [({"source": name}, min(ms, DAY_MS) / 1000) for name, ms in sorted(missing.items())]
