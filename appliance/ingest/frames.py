"""What one frame of the spool says: a telegram's readings with their lineage, as JSON.

    {"source": "house", "link": "serial", "meter": "dsmr", "device": "E0043...", "boot": "...",
     "readings": [["electricity.import.t1", 1553436319000, "3432.827", "kWh"], ...]}

and, where there is something to say of it:

    "clock": [1764032871123, 123456, 1]    the box's time, that since the machine started, whether the former was set
    "gap": [1764032871123, "link"]         nothing was heard since then, and why; null where this run has just begun
    "outages": [[1764032871123, 1764032891123]]    when the meter says that it had no power itself

A reading that is more than a value at a time has a fifth part: {"seconds": 1, "quality": "estimated", "ours": 1}; the
last of these is one that was stamped here. Text compresses to almost nothing beside the telegram before it, and a
person can read it in an emergency.
"""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from appliance.ingest.clock import Instant
from appliance.records import Frame, MeterReading, Outage

LINK, METER, START = "link", "meter", "start"
"""Why nothing was heard: the way to the meter was down; the meter was silent; the collector had not run."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which configured source a frame came from, over which link and meter, in which run of the machine."""

    source: str
    link: str
    meter: str
    boot: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing was heard since `since_ms`, before this frame; None where the collector had just started."""

    since_ms: int | None
    why: str


@dataclass(frozen=True, slots=True)
class SpooledFrame:
    """A frame as it comes out of the spool. `clock` is there where the box stamped any of its readings, and where
    nobody had set the box's clock: a meter's own time beside it tells what the time was.
    """

    origin: Origin
    device: str
    readings: tuple[MeterReading, ...]
    clock: Instant | None = None
    gap: Gap | None = None
    outages: tuple[Outage, ...] = ()

    @property
    def at_ms(self) -> int:
        """When it was said: the newest instant among its readings."""
        return newest_ms(self.readings)


def newest_ms(readings: tuple[MeterReading, ...]) -> int:
    """The newest instant that any of these readings is of; the end of its interval, where it has one."""
    return max((each.at_ms + 1000 * each.seconds for each in readings), default=0)


def to_bytes(origin: Origin, frame: Frame, clock: Instant | None = None, gap: Gap | None = None) -> bytes:
    """A frame as the spool keeps it."""
    document: dict[str, Any] = {
        "source": origin.source,
        "link": origin.link,
        "meter": origin.meter,
        "device": frame.device,
        "boot": origin.boot,
        "readings": [_written(each) for each in frame.readings],
    }
    if clock and not (clock.synced and all(each.stated for each in frame.readings)):
        document["clock"] = (clock.at_ms, clock.mono_ms, int(clock.synced))
    if gap:
        document["gap"] = (gap.since_ms, gap.why)
    if frame.outages:
        document["outages"] = [(each.first_ms, each.last_ms) for each in frame.outages]
    return json.dumps(document, separators=(",", ":")).encode()


def from_bytes(payload: bytes) -> SpooledFrame:
    """A frame from the spool."""
    document = json.loads(payload)
    clock, gap = document.get("clock"), document.get("gap")
    return SpooledFrame(
        Origin(document["source"], document["link"], document["meter"], document["boot"]),
        document["device"],
        tuple(_read(*each) for each in document["readings"]),
        Instant(clock[0], clock[1], bool(clock[2])) if clock else None,
        Gap(*gap) if gap else None,
        tuple(Outage(*each) for each in document.get("outages", ())),
    )


def _written(each: MeterReading) -> tuple[Any, ...]:
    plain = (each.role, each.at_ms, str(each.value), each.unit)
    more = {"seconds": each.seconds, "quality": each.quality, "ours": int(not each.stated)}
    said = {name: value for name, value in more.items() if value}
    return (*plain, said) if said else plain


def _read(role: str, at_ms: int, value: str, unit: str, more: dict[str, Any] | None = None) -> MeterReading:
    said = more or {}
    return MeterReading(
        role, at_ms, Decimal(value), unit, said.get("seconds", 0), not said.get("ours"), said.get("quality", "")
    )
