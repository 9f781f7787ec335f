"""Looking on the home's network: devices tell of themselves by multicast DNS (RFC 6762, RFC 6763), and are asked once.

Only addresses of this network are asked: whoever answers here must not lead the box elsewhere.
"""

import errno
import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

from appliance import links, meters
from appliance.config import MeterConfig
from appliance.errors import SourceError, UserError
from appliance.finding import broker, words
from appliance.finding.offers import ABSENT, REFUSED, UNKNOWN, Found, Nothing, Offer, Step
from appliance.ingest.collecting import link_of, meter_of
from appliance.links import mqtt
from appliance.records import Frame

LISTEN_S = 4.0
ANSWER_S = 5.0
ANSWER_MS = 1500  # to the question where a service is
MOST_DEVICES, MOST_BROKERS = 50, 3

HOMEWIZARD, SHELLY, HTTP, MQTT = (
    "_hwenergy._tcp.local.",
    "_shelly._tcp.local.",
    "_http._tcp.local.",
    "_mqtt._tcp.local.",
)
SERVICES = (HOMEWIZARD, SHELLY, HTTP, MQTT)
WHERE = "on the network"


@dataclass(frozen=True, slots=True)
class Service:
    """What tells of itself: its service, its name in it, and where it listens."""

    kind: str
    name: str
    address: str
    port: int
    said: Mapping[str, str]

    @property
    def host(self) -> str:
        """As it stands in an address."""
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return shown if self.port in (0, 80) else f"{shown}:{self.port}"


def look(
    zone: ZoneInfo,
    say: Callable[[Found], None],
    stop: Event,
    brokers: Callable[[dict[str, Any]], dict[str, Any] | None],
    interfaces: list[str] | None = None,
) -> None:
    """Says every meter that tells of itself, or why one cannot be read. None at all is nothing to tell of.

    Of a broker, `brokers` makes with which options it is listened to; None: it is not.
    """
    say(Step(WHERE, "listening for devices that tell of themselves"))
    try:
        found = services(stop, interfaces)
    except OSError as error:
        say(Nothing(WHERE, ABSENT, f"nothing can be heard: {error.strerror or error}."))
        return
    asked = set[str]()
    for service in found:
        if (target := _target(service)) and target[1] not in asked and not stop.is_set():
            asked.add(target[1])
            say(_asked(service, *target, zone))
    told = [brokers(_broker(each)) for each in found if each.kind == MQTT]
    for options in [each for each in told if each][:MOST_BROKERS]:
        if not stop.is_set():
            broker.look(options, zone, say, stop)


_FIXED = "Have your router give it a fixed address: under another it would not be found again."


def own_addresses() -> frozenset[str]:
    """The addresses of this box."""
    import ifaddr  # zeroconf's own

    return frozenset(str(each.ip) for adapter in ifaddr.get_adapters() for each in adapter.ips if each.is_IPv4)


def _broker(service: Service) -> dict[str, Any]:
    shown = f"[{service.address}]" if ":" in service.address else service.address
    return broker.options_of(shown if service.port in (0, mqtt.PORT) else f"{shown}:{service.port}")


def services(stop: Event, interfaces: list[str] | None = None) -> list[Service]:
    """What tells of itself within a few seconds, on these addresses of ours or on all. OSError where there is none."""
    import zeroconf  # large, and loaded only by who looks

    heard: dict[tuple[str, str], None] = {}

    class Listener(zeroconf.ServiceListener):
        def add_service(self, zc: Any, type_: str, name: str) -> None:
            if len(heard) < MOST_DEVICES:
                heard[type_, name] = None

        update_service = add_service

        def remove_service(self, zc: Any, type_: str, name: str) -> None:
            heard.pop((type_, name), None)

    try:
        speaking = zeroconf.Zeroconf(interfaces=interfaces or zeroconf.InterfaceChoice.All)
    except RuntimeError:
        raise OSError(errno.ENETDOWN, "this box is on no network") from None
    try:
        browser = zeroconf.ServiceBrowser(speaking, list(SERVICES), Listener())
        stop.wait(LISTEN_S)
        browser.cancel()
        names = (each for each in list(heard) if not stop.is_set())
        asked = [(kind, _info(speaking, kind, name)) for kind, name in names]
        return sorted(
            (service for kind, info in asked if info for service in _service(kind, info, interfaces or [])),
            key=lambda each: (SERVICES.index(each.kind), each.name),
        )
    finally:
        speaking.close()


def _info(speaking: Any, kind: str, name: str) -> Any:
    """Where a service is; None where it does not say so, or has a name that is none."""
    from zeroconf import Error

    with suppress(Error):
        return speaking.get_service_info(kind, name, ANSWER_MS)
    return None


def _service(kind: str, info: Any, own: list[str]) -> Iterator[Service]:
    """The service at its first address that is of this network, IPv4 before IPv6."""
    here = [address for address in info.parsed_addresses() if is_here(address) or address in own]
    said = {
        key.decode("utf-8", "replace"): (value or b"").decode("utf-8", "replace")
        for key, value in info.properties.items()
    }
    for address in sorted(here, key=lambda each: ":" in each)[:1]:
        yield Service(kind, info.name.removesuffix(f".{kind}"), address, info.port or 0, said)


def is_here(address: str) -> bool:
    """Whether it is an address of a home's own network, and of no other's."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return parsed.is_private and not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)


def _target(service: Service) -> tuple[str, str] | None:
    """The meter that reads it, and the address at which it is asked."""
    if service.kind == MQTT:
        return None
    if service.kind == HOMEWIZARD:
        return "homewizard", f"http://{service.host}/api/v1/data"
    is_shelly = service.kind == SHELLY or service.name.casefold().startswith("shelly")
    if not is_shelly:
        return None
    later = service.kind == SHELLY or service.said.get("gen", "1") not in ("", "1")
    return "shelly", f"http://{service.host}/{'rpc/Shelly.GetStatus' if later else 'status'}"


def _asked(service: Service, meter: str, url: str, zone: ZoneInfo) -> Offer | Nothing:
    where = f"on the network at {service.address}"
    called = words.plain(service.said.get("product_name") or service.name)
    if "http" not in links.names() or meter not in meters.names():
        return Nothing(where, UNKNOWN, f"{called} is here, which this box cannot read yet.")
    config = MeterConfig("found", "http", meter, link_options={"url": url})
    try:
        frame = _frame(config, zone)
    except (SourceError, UserError) as error:
        return Nothing(where, REFUSED, f"{called} is here, but {error}.")
    if frame is None:
        return Nothing(where, UNKNOWN, f"{called} is here, but measures nothing that this box knows.")
    return Offer(
        title=words.title(meter, where, service.name, frame.readings),
        where=where,
        link="http",
        meter=meter,
        link_options={"url": url},
        meter_options={},
        device=service.name,
        readings=frame.readings,
        hint=" ".join(filter(None, (words.hint(meter, frame.readings), _FIXED))),
    )


def _frame(config: MeterConfig, zone: ZoneInfo) -> Frame | None:
    """The first frame that the device's answer gives. Raises SourceError where it does not answer."""
    link, meter = link_of(config), meter_of(config, zone)
    until_s = time.monotonic() + ANSWER_S
    link.open()
    try:
        while time.monotonic() < until_s:
            now_ms = time.time_ns() // 1_000_000
            if data := link.read(ANSWER_S):
                return next(iter(meter.feed(data, now_ms)), None)
    finally:
        link.close()
    return None
