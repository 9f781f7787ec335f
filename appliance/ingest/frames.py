"""What one frame of the spool says: a telegram's readings with their lineage, as JSON.

    {"source": "house", "link": "serial", "meter": "dsmr", "device": "E0043...", "boot": "...",
     "readings": [["electricity.import.t1", 1553436319000, "3432.827", "kWh"], ...]}

Text compresses to almost nothing beside the telegram before it, and a person can read it in an emergency.
"""

import json
from dataclasses import dataclass
from decimal import Decimal

from appliance.records import Frame, MeterReading


@dataclass(frozen=True, slots=True)
class Origin:
    """Which configured source a frame came from, over which link and meter, in which run of the machine."""

    source: str
    link: str
    meter: str
    boot: str


@dataclass(frozen=True, slots=True)
class SpooledFrame:
    """A frame as it comes out of the spool."""

    origin: Origin
    device: str
    readings: tuple[MeterReading, ...]


def to_bytes(origin: Origin, frame: Frame) -> bytes:
    """A frame as the spool keeps it."""
    document = {
        "source": origin.source,
        "link": origin.link,
        "meter": origin.meter,
        "device": frame.device,
        "boot": origin.boot,
        "readings": [(each.role, each.at_ms, str(each.value), each.unit) for each in frame.readings],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def from_bytes(payload: bytes) -> SpooledFrame:
    """A frame from the spool."""
    document = json.loads(payload)
    return SpooledFrame(
        Origin(document["source"], document["link"], document["meter"], document["boot"]),
        document["device"],
        tuple(MeterReading(role, at_ms, Decimal(value), unit) for role, at_ms, value, unit in document["readings"]),
    )
