"""Listening to an MQTT broker: for a while to all of its topics, each message fed to every meter that speaks so.

One that takes nobody without a user name and a password says so, and is listened to once they are said.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

from appliance import meters
from appliance.config import BROKER, MeterConfig, secrets_of
from appliance.errors import AccessError, SourceError, UserError
from appliance.finding import words
from appliance.finding.needs import LOGIN, Answer, Needs
from appliance.finding.offers import ABSENT, REFUSED, SILENT, UNKNOWN, Found, Nothing, Offer, Step
from appliance.ingest.collecting import link_of
from appliance.links import mqtt
from appliance.messages import Lines, Message, to_line
from appliance.meters import Meter
from appliance.records import Frame, MeterReading

LISTEN_S = 15.0
READ_S = 0.25
EVERYTHING = "#"
MOST_DEVICES = 100
MOST_READINGS, MOST_TOPICS, NAME_LETTERS = 60, 20, 100
"""More than any house has, and any device says: who may publish under any name does not fill this."""

_SECRETS = secrets_of(mqtt.Options)
_OF_US = ("username", "password", "password_file", "tls", "ca_file")
_LOGIN = "Type them as the broker has them: what it carries is listened to then."

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


def look(options: Mapping[str, Any], zone: ZoneInfo, say: Callable[[Found], None], stop: Event) -> None:
    """Says every device that is heard at a broker, or why none is. A local one need not be there.

    `options` are the link's, without a topic, but with all that the broker wants to know of us.
    """
    where = f"on the broker {_shown(options)}"
    devices = Devices(zone)
    try:
        _listen(options, devices, lambda: say(Step(where, _doing(devices))), stop)
    except AccessError as error:
        say(_needs(where, options, error))
        return
    except (SourceError, UserError) as error:
        absent = options == {"host": BROKER} and "no broker listens" in str(error)
        say(Nothing("on this box", ABSENT, "no MQTT broker runs.") if absent else Nothing(where, REFUSED, f"{error}."))
        return
    for (meter, name), device in sorted(devices.found.items()):
        say(_offer(meter, name, device, where, options))
    if not devices.found:
        say(_nothing(where, devices.messages))


def options_of(address: str) -> dict[str, Any]:
    """`HOST` or `HOST:PORT` as the link's options; port 8883 means TLS."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal() and not host.endswith(":"):
        tls = {"tls": True} if int(port) == mqtt.TLS_PORT else {}
        return {"host": host.strip("[]"), "port": int(port), **tls}
    return {"host": address.strip("[]")}


def named(address: str) -> Needs:
    """A broker that a person names, and all that it may want to know. UserError where that is no address."""
    try:
        mqtt.Options.from_text(f"{address}/{EVERYTHING}")
    except UserError:
        problem = f"{address!r} is no address of a broker; write one such as broker.local or 192.168.1.5:1883"
        raise UserError(problem) from None
    options = options_of(address)
    shown = _shown(options)
    why = "Say what it wants to know, and leave the rest empty: what it carries is listened to."
    return Needs(LOGIN, f"The broker {shown}", f"on the broker {shown}", why, "mqtt", {**options, "topic": EVERYTHING})


def known(options: Mapping[str, Any], configured: Iterable[MeterConfig]) -> dict[str, Any]:
    """The same, with what a meter that is read from that broker already tells it of us."""
    told = (each.link_options for each in configured if each.link == "mqtt")
    same = (each for each in told if all(each.get(name) == options.get(name) for name in ("host", "port")))
    found = next(same, {})
    return {**options, **{name: found[name] for name in _OF_US if name in found}}


def login_of(answer: Answer) -> dict[str, Any]:
    """The options of a broker that a person has said the rest of."""
    said = {**answer.link_options, **answer.link_secrets}
    return {name: value for name, value in said.items() if name != "topic"}


def _shown(options: Mapping[str, Any]) -> str:
    host, port = str(options["host"]), options.get("port")
    return f"{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"


def _needs(where: str, options: Mapping[str, Any], error: AccessError) -> Needs:
    """What a broker wants to know before it lets us listen. What was said of it already is there, but its password."""
    base = {name: value for name, value in options.items() if name not in (*_SECRETS, "password_file")}
    is_first = not options.get("username") and "without a password" in str(error)
    title = "wants a user name and a password" if is_first else "does not let this box listen"
    called = f"The broker {_shown(options)}"
    why = _LOGIN if is_first else f"{str(error)[:1].upper()}{str(error)[1:]}."
    return Needs(LOGIN, f"{called} {title}", where, why, "mqtt", {**base, "topic": EVERYTHING})


def _doing(devices: Devices) -> str:
    count = len(devices.found)
    heard = f"; {count} device{'s' if count > 1 else ''} heard so far" if count else ""
    return f"listening to what it carries{heard}"


def _listen(options: Mapping[str, Any], devices: Devices, heard: Callable[[], None], stop: Event) -> None:
    """Listens for a while; `heard` is called first, and whenever another device was heard."""
    heard()
    link = link_of(MeterConfig("broker", "mqtt", "mqtt", link_options={**options, "topic": EVERYTHING}))
    until_s = time.monotonic() + LISTEN_S
    link.open()
    try:
        while not stop.is_set() and time.monotonic() < until_s:
            count = len(devices.found)
            devices.feed(link.read(READ_S), time.time_ns() // 1_000_000)
            if len(devices.found) > count:
                heard()
    finally:
        link.close()


def _nothing(where: str, messages: int) -> Nothing:
    if messages:
        return Nothing(where, UNKNOWN, f"{messages} messages came, but of no meter that this box knows by its topics.")
    return Nothing(where, SILENT, f"it said nothing in {LISTEN_S:.0f} seconds.")


def _offer(meter: str, name: str, device: Device, where: str, options: Mapping[str, Any]) -> Offer:
    readings = tuple(device.readings.values())
    is_named = _topic_level(name, device.topics)
    shown = {key: value for key, value in options.items() if key not in _SECRETS}
    return Offer(
        title=words.title(meter, where, name, readings),
        where=where,
        link="mqtt",
        meter=meter,
        link_options={**shown, "topic": subscription(name, device.topics)},
        meter_options={"device": name} if is_named else {},
        device=name,
        readings=readings,
        hint=words.hint(meter, readings),
        link_secrets={key: value for key, value in options.items() if key in _SECRETS},
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
