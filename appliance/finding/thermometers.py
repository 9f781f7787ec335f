"""Thermometers on the 1-wire bus, as the kernel lists them: each is read once, and offered by itself."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

from appliance.config import ONE_WIRE, MeterConfig
from appliance.errors import SourceError
from appliance.finding import words
from appliance.finding.offers import ABSENT, REFUSED, SILENT, TAKEN, Found, Nothing, Offer, Step
from appliance.ingest.collecting import link_of, meter_of
from appliance.links import w1
from appliance.records import Frame

LINK, METER = "w1", "ds18b20"
WHERE = "on the 1-wire bus"
MOST_SENSORS = 50
ATTEMPTS = 3
READ_S = 2.0

_THERMOMETER = re.compile("(10|22|28|3b|42)-[0-9a-f]{12}")
"""The families of which the kernel's w1_therm makes a temperature: DS18S20, DS1822, DS18B20, DS1825, DS28EA00."""


def look(
    folder: str, configured: Iterable[MeterConfig], zone: ZoneInfo, say: Callable[[Found], None], stop: Event
) -> None:
    """Says every thermometer in the kernel's folder of the bus, or why none is there."""
    say(Step(WHERE, "reading the thermometers"))
    sensors = sorted(each.name for each in _entries(folder) if _THERMOMETER.fullmatch(each.name))[:MOST_SENSORS]
    if not sensors:
        say(_none(folder))
    taken = [each for each in configured if each.link == LINK]
    for sensor in sensors:
        if not stop.is_set():
            say(_found(sensor, folder, taken, zone))


def _entries(folder: str) -> Iterator[Path]:
    try:
        yield from Path(folder).iterdir()
    except OSError:
        return


def _none(folder: str) -> Nothing:
    """Why there is none, as the link itself says it, which would be opened in vain."""
    try:
        w1.Link(w1.Options(folder=folder)).open()
    except SourceError as error:
        return Nothing(WHERE, SILENT if Path(folder).is_dir() else ABSENT, f"{error}.")
    return Nothing(WHERE, SILENT, "there is no thermometer.")


def _found(sensor: str, folder: str, taken: Iterable[MeterConfig], zone: ZoneInfo) -> Offer | Nothing:
    where = f"{WHERE}, number {sensor}"
    if name := next((each.name for each in taken if _reads(each, sensor, folder)), ""):
        return Nothing(where, TAKEN, f"is read already, as {name}.")
    own: dict[str, Any] = {} if folder == ONE_WIRE else {"folder": folder}
    link_options = {"pattern": sensor, **own}
    meter_options = {"roles": f"{sensor}=temperature"}
    frame = _read(MeterConfig("found", LINK, METER, None, {**link_options, "interval_s": 0.1}, meter_options), zone)
    if frame is None:
        return Nothing(where, REFUSED, "is there, but says no temperature: check its wires and its resistor.")
    return Offer(
        title=words.title(METER, WHERE, sensor, frame.readings),
        where=where,
        link=LINK,
        meter=METER,
        link_options=link_options,
        meter_options=meter_options,
        device=sensor,
        readings=frame.readings,
    )


def _reads(meter: MeterConfig, sensor: str, folder: str) -> bool:
    """Whether a configured meter reads that thermometer."""
    usual = w1.Options()
    pattern = str(meter.link_options.get("pattern", usual.pattern))
    return fnmatchcase(sensor, pattern) and meter.link_options.get("folder", usual.folder) == folder


def _read(config: MeterConfig, zone: ZoneInfo) -> Frame | None:
    """What a thermometer says; the first values after its power came on are none."""
    link, meter = link_of(config), meter_of(config, zone)
    try:
        link.open()
        for _ in range(ATTEMPTS):
            if frames := meter.feed(link.read(READ_S), time.time_ns() // 1_000_000):
                return frames[0]
    except SourceError:  # it was pulled out meanwhile
        return None
    finally:
        link.close()
    return None
