"""Looking everywhere at once: a thread for each serial port, one for the broker and one for the network."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event, Thread
from zoneinfo import ZoneInfo

from appliance import links
from appliance.config import BROKER, PORTS, MeterConfig
from appliance.finding import broker, network
from appliance.finding.listening import Listening, Way, ways
from appliance.finding.offers import ABSENT, TAKEN, Found, Nothing, Offer, Step
from appliance.finding.ports import Port, ports, read_already

_Looker = Callable[[Callable[[Found], None]], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where to look: `ports` are patterns; "" is no broker. `zone` is that of the meters' local time."""

    ports: tuple[str, ...] = PORTS
    broker: str = BROKER
    network: bool = True
    asks: bool = False
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    configured: tuple[MeterConfig, ...] = ()


def find(wanted: Wanted, stop: Event | None = None) -> Iterator[Found]:
    """What is found, as it is found, and each step that is taken. Ends when all was heard, or soon after `stop`."""
    stop = stop or Event()
    said: SimpleQueue[Found | BaseException | None] = SimpleQueue()
    lookers = [*_lookers(wanted, stop)]
    for looker in lookers:
        Thread(target=_look, args=(looker, said), name="finding", daemon=True).start()
    running = len(lookers)
    try:
        while running:
            found = said.get()
            if isinstance(found, BaseException):
                raise found
            running -= found is None
            if found and not _is_read_already(found, wanted.configured):
                yield found
    finally:
        stop.set()


def _look(looker: _Looker, said: "SimpleQueue[Found | BaseException | None]") -> None:
    try:
        looker(said.put)
    except Exception as error:  # noqa: BLE001 - a bug is raised where the looking was asked for
        said.put(error)
    said.put(None)


def _lookers(wanted: Wanted, stop: Event) -> Iterator[_Looker]:
    if wanted.ports:
        yield from _on_ports(wanted, stop)
    if wanted.broker and "mqtt" in links.names():
        yield lambda say: broker.look(wanted.broker, wanted.zone, say, stop)
    if wanted.network:
        yield lambda say: network.look(wanted.zone, say, stop)


def _on_ports(wanted: Wanted, stop: Event) -> Iterator[_Looker]:
    there, taken, tried = ports(wanted.ports), read_already(wanted.configured), ways(asks=wanted.asks)
    if not there:
        yield _said(_no_port(wanted.ports))
    for port in there:
        if name := taken.get(port.device):
            yield _said(Nothing(port.where, TAKEN, f"is read already, as {name}."))
        else:
            yield _on_port(port, wanted.zone, tried, stop)


def _no_port(patterns: tuple[str, ...]) -> Nothing:
    named = "" if patterns == PORTS else f" of the name {' or '.join(patterns)}"
    return Nothing(
        "on the serial ports", ABSENT, f"there is none{named}: plug the meter's cable into the box, and look again."
    )


def _said(nothing: Nothing) -> _Looker:
    return lambda say: say(nothing)


def _on_port(port: Port, zone: ZoneInfo, tried: list[Way], stop: Event) -> _Looker:
    def look(say: Callable[[Found], None]) -> None:
        listening = Listening(port, zone, lambda what: say(Step(port.where, what)), stop)
        say(listening.look(tried))

    return look


def _is_read_already(found: Found, configured: Iterable[MeterConfig]) -> bool:
    """Whether an offer is of what is configured: the same meter over the same link, with all that names it."""
    return isinstance(found, Offer) and any(
        each.link == found.link
        and each.meter == found.meter
        and found.link_options.items() <= dict(each.link_options).items()
        and found.meter_options.items() <= dict(each.meter_options).items()
        for each in configured
    )
