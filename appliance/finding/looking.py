"""Looking everywhere at once: a thread for each serial port, and one for each other way in.

What was found that needs a key, a login or a pin is looked at once more with what a person said: `prove`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any
from zoneinfo import ZoneInfo

from appliance.config import BROKER, GPIO, ONE_WIRE, PORTS, MeterConfig
from appliance.finding import broker, network, pins, thermometers
from appliance.finding.listening import Listening
from appliance.finding.needs import KEY, LOGIN, Answer, Needs
from appliance.finding.offers import ABSENT, TAKEN, Found, Nothing, Offer, Step
from appliance.finding.ports import Port, ports, read_already, where
from appliance.finding.ways import Way, ways, with_key

_Looker = Callable[[Callable[[Found], None]], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where to look: `ports` and `gpio` are patterns, "" is nowhere. `zone` is that of the meters' local time.

    `asks`: meters that speak only when they are spoken to are asked too, at the usual addresses or `everywhere`.
    """

    ports: tuple[str, ...] = PORTS
    broker: str = BROKER
    network: bool = True
    one_wire: str = ONE_WIRE
    gpio: tuple[str, ...] = GPIO
    asks: bool = False
    everywhere: bool = False
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    configured: tuple[MeterConfig, ...] = ()


def find(wanted: Wanted, stop: Event | None = None) -> Iterator[Found]:
    """What is found, as it is found, and each step that is taken. Ends when all was heard, or soon after `stop`."""
    stop = stop or Event()
    yield from _said_by([*_lookers(wanted, stop)], wanted.configured, stop)


def prove(needs: Needs, answer: Answer, wanted: Wanted, stop: Event | None = None) -> Iterator[Found]:
    """What is found at one place, now that a person said what it needs. Ends as `find` does."""
    stop = stop or Event()
    yield from _said_by([_prover(needs, answer, wanted, stop)], wanted.configured, stop)


def _said_by(lookers: list[_Looker], configured: Iterable[MeterConfig], stop: Event) -> Iterator[Found]:
    said: SimpleQueue[Found | BaseException | None] = SimpleQueue()
    for looker in lookers:
        Thread(target=_look, args=(looker, said), name="finding", daemon=True).start()
    running = len(lookers)
    try:
        while running:
            found = said.get()
            if isinstance(found, BaseException):
                raise found
            running -= found is None
            if found and not _is_read_already(found, configured):
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
    if wanted.broker:
        options = broker.known(broker.options_of(wanted.broker), wanted.configured)
        yield lambda say: broker.look(options, wanted.zone, say, stop)
    if wanted.network:
        yield lambda say: network.look(wanted.zone, say, stop, partial(_other_broker, wanted))
    if wanted.one_wire:
        yield lambda say: thermometers.look(wanted.one_wire, wanted.configured, wanted.zone, say, stop)
    if wanted.gpio:
        yield lambda say: pins.look(wanted.gpio, say)


def _other_broker(wanted: Wanted, options: dict[str, Any]) -> dict[str, Any] | None:
    """With which options a broker that tells of itself is listened to; None where it is not, or is already."""
    here = network.own_addresses() if wanted.broker == BROKER else frozenset()
    if not wanted.broker or options["host"] in {*here, broker.options_of(wanted.broker)["host"]}:
        return None
    return broker.known(options, wanted.configured)


def _prover(needs: Needs, answer: Answer, wanted: Wanted, stop: Event) -> _Looker:
    if needs.kind == KEY:
        path = str(needs.link_options["path"])
        return _on_port(Port(path, Path(path).resolve(), where(path)), wanted.zone, [with_key(needs, answer)], stop)
    if needs.kind == LOGIN:
        return lambda say: broker.look(broker.login_of(answer), wanted.zone, say, stop)
    return lambda say: pins.watch(needs, answer, say, stop)


def _on_ports(wanted: Wanted, stop: Event) -> Iterator[_Looker]:
    there, taken = ports(wanted.ports), read_already(wanted.configured)
    tried = ways(asks=wanted.asks, everywhere=wanted.everywhere)
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
        for found in listening.look(tried):
            say(found)

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
