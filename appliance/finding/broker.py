"""Listening to an MQTT broker: for a while to all of its topics, each message fed to every meter that speaks so."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

from appliance import meters
from appliance.config import BROKER, MeterConfig
from appliance.errors import SourceError, UserError
from appliance.finding import words
from appliance.finding.offers import ABSENT, REFUSED, SILENT, UNKNOWN, Found, Nothing, Offer, Step
from appliance.ingest.collecting import link_of
from appliance.messages import Lines, Message, to_line
from appliance.meters import Meter
from appliance.records import Frame, MeterReading

LISTEN_S = 15.0
READ_S = 0.25
EVERYTHING = "#"
MOST_DEVICES = 100
MOST_READINGS, MOST_TOPICS, NAME_LETTERS = 60, 20, 100
"""More than any house has, and any device says: who may publish under any name does not fill this."""

METERS = ("glow", "shelly", "tasmota", "zigbee2mqtt")
"""Those whose topics say what they are; `mqtt` itself must be told what to read."""


@dataclass(slots=True)
class Device:
    """What one device has said: under which topics, and the newest of each role."""

    topics: list[str] = field(default_factory=list)
    readings: dict[str, MeterReading] = field(default_factory=dict)

    def said(self, topic: str, frame: Frame) -> None:
        if topic not in self.topics and len(self.topics) < MOST_TOPICS:
            self.topics.append(topic)
        for each in frame.readings:
            if each.role in self.readings or len(self.readings) < MOST_READINGS:
                self.readings[each.role] = each


class Devices:
    """The devices that are heard in a stream of messages."""

    def __init__(self, zone: ZoneInfo) -> None:
        names = [name for name in METERS if name in meters.names()]
        self._meters: dict[str, Meter] = {
            name: meters.named(name).Meter(meters.named(name).Options(), zone) for name in names
        }
        self._lines = Lines()
        self.found: dict[tuple[str, str], Device] = {}
        self.messages = 0

    def feed(self, data: bytes, now_ms: int) -> None:
        for message in self._lines.feed(data):
            self.messages += 1
            line = to_line(message.topic, message.payload.encode(), retained=message.retained)
            for name, meter in self._meters.items():
                for frame in meter.feed(line, now_ms):
                    self._take(name, message, frame)

    def _take(self, meter: str, message: Message, frame: Frame) -> None:
        key = meter, frame.device
        if len(frame.device) > NAME_LETTERS or len(message.topic) > 2 * NAME_LETTERS:
            return
        if key in self.found or len(self.found) < MOST_DEVICES:
            self.found.setdefault(key, Device()).said(message.topic, frame)


def look(address: str, zone: ZoneInfo, say: Callable[[Found], None], stop: Event) -> None:
    """Says every device that is heard at the broker of that address, or why none is. A local one need not be there."""
    where = f"on the broker {address}"
    options = _options(address)
    say(Step(where, "listening to what it carries"))
    devices = Devices(zone)
    try:
        _listen(options, devices, stop)
    except (SourceError, UserError) as error:
        absent = address == BROKER and "no broker listens" in str(error)
        say(Nothing("on this box", ABSENT, "no MQTT broker runs.") if absent else Nothing(where, REFUSED, f"{error}."))
        return
    for (meter, name), device in sorted(devices.found.items()):
        say(_offer(meter, name, device, where, options))
    if not devices.found:
        say(_nothing(where, devices.messages))


def _options(address: str) -> dict[str, Any]:
    """`HOST` or `HOST:PORT` as the link's options."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal() and not host.endswith(":"):
        return {"host": host.strip("[]"), "port": int(port)}
    return {"host": address.strip("[]")}


def _listen(options: Mapping[str, Any], devices: Devices, stop: Event) -> None:
    link = link_of(MeterConfig("broker", "mqtt", "mqtt", link_options={**options, "topic": EVERYTHING}))
    until_s = time.monotonic() + LISTEN_S
    link.open()
    try:
        while not stop.is_set() and time.monotonic() < until_s:
            devices.feed(link.read(READ_S), time.time_ns() // 1_000_000)
    finally:
        link.close()


def _nothing(where: str, messages: int) -> Nothing:
    if messages:
        return Nothing(where, UNKNOWN, f"{messages} messages came, but of no meter that this box knows by its topics.")
    return Nothing(where, SILENT, f"it said nothing in {LISTEN_S:.0f} seconds.")


def _offer(meter: str, name: str, device: Device, where: str, options: Mapping[str, Any]) -> Offer:
    readings = tuple(device.readings.values())
    known = _topic_level(name, device.topics)
    return Offer(
        title=words.title(meter, where, name, readings),
        where=where,
        link="mqtt",
        meter=meter,
        link_options={**options, "topic": subscription(name, device.topics)},
        meter_options={"device": name} if known else {},
        device=name,
        readings=readings,
        hint=words.hint(meter, readings),
    )


def subscription(device: str, topics: list[str]) -> str:
    """The topic that brings all of a device: up to the levels that name it, else what its topics have in common."""
    if level := _topic_level(device, topics):
        return f"{level}/#"
    levels = [topic.split("/") for topic in topics]
    same = [each[0] for each in zip(*levels, strict=False) if len(set(each)) == 1]
    return topics[0] if len(topics) == 1 or not same else "/".join([*same, "#"])


def _topic_level(device: str, topics: list[str]) -> str:
    """The beginning of the topics up to the device's name, which ends a level; "" where they do not hold it."""
    before, found, after = f"{topics[0]}/".partition(f"{device}/")
    at_level = found and (not before or before.endswith("/"))
    return f"{before}{device}" if at_level and (after or not topics[0].endswith("/")) else ""
