"""Pulses at a GPIO pin: which chips there are, and how many edges come at the pin that a person names.

Nobody can tell by listening where a pulse output is wired: a pin that is wired to nothing may say anything, or nothing.
"""

import glob
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from threading import Event

from appliance.config import MeterConfig, options_from
from appliance.errors import SourceError
from appliance.finding import words
from appliance.finding.needs import PIN, Answer, Needs
from appliance.finding.offers import ABSENT, REFUSED, Found, Nothing, Offer, Step
from appliance.ingest.collecting import link_of
from appliance.links import gpio
from appliance.messages import Lines
from appliance.records import MeterReading

LINK, METER = "gpio", "pulses"
WHERE = "on the GPIO pins"
WATCH_S = 30.0
READ_S = 0.5
NOISE_PER_S = 50
"""More pulses a second than any meter of a house gives: 180 kW at 1000 to the kWh."""

_WHY = (
    "Of an S0 output, a reed contact, or a photodiode over a meter’s light: say at which pin it is, and the box "
    "watches it for half a minute."
)
_NO_PULSE = (
    "Is it wired to this pin, and is something switched on that it counts? A gas or water meter may take minutes from "
    "one pulse to the next: watch it again, or add it if you are sure."
)
_NOISE = "That is more than any meter gives: the wire may be loose, or its other resistor or edge the right one."


@dataclass(frozen=True, slots=True)
class Chip:
    """One chip of lines, and what its driver calls it."""

    path: str
    label: str = ""

    @property
    def title(self) -> str:
        """As in: gpiochip0 (pinctrl-bcm2711)."""
        return Path(self.path).name + (f" ({words.plain(self.label)})" if self.label else "")


def look(patterns: Iterable[str], say: Callable[[Found], None]) -> None:
    """Says that pulses can be counted at each chip that one of the patterns names, or why not."""
    paths = sorted({path for pattern in patterns for path in glob.glob(pattern)})  # noqa: PTH207 - absolute
    if not paths:
        say(Nothing(WHERE, ABSENT, "this machine has none."))
    for found in _usable([*_chips(paths)]):
        say(found if isinstance(found, Nothing) else needs_of(found))


def needs_of(chip: Chip) -> Needs:
    """Asks for a pin of a chip."""
    where = f"{WHERE} of {chip.title}"
    return Needs(PIN, f"Pulses can be counted {where}", where, _WHY, LINK, {"chip": chip.path}, METER)


def named(text: str) -> tuple[Needs, dict[str, str]]:
    """The chip of a line as the link writes it, as in `gpiochip0/17,falling`, and what that says of the line."""
    options = gpio.Options.from_text(text)
    needs = needs_of(Chip(options.chip))
    debounce = {"debounce_ms": options.debounce_ms} if options.debounce_ms != gpio.Options().debounce_ms else {}
    said = {"line": str(options.line), "edge": options.edge, "bias": options.bias}
    return replace(needs, link_options={**needs.link_options, **debounce}), said


def _chips(paths: Iterable[str]) -> Iterator[Chip | Nothing]:
    try:
        import gpiod  # loaded by whoever looks for a chip
    except ImportError:
        yield from map(Chip, paths)
        return
    for path in paths:
        try:
            with gpiod.Chip(path) as chip:
                yield Chip(path, chip.get_info().label)
        except (OSError, ValueError) as error:
            refused = gpio.refusal(gpio.Options(chip=path), error)
            yield Nothing(f"{WHERE} of {Path(path).name}", REFUSED, f"{refused}.")


def _usable(found: list[Chip | Nothing]) -> list[Chip | Nothing]:
    """Where one is the processor's own, its pins are those that are led out; others are within the machine."""
    own = [each for each in found if isinstance(each, Chip) and each.label.startswith("pinctrl")]
    return [*own] or found


def watch(needs: Needs, answer: Answer, say: Callable[[Found], None], stop: Event) -> None:
    """Counts the edges at a pin for a while, and offers it; says so where it cannot be had. It may be watched again."""
    options = options_from(gpio.Options, answer.link_options, LINK)
    pin = f"on pin {options.line} of {Path(options.chip).name}"
    again = replace(needs, why=_WHY, link_options=answer.link_options, meter_options=answer.meter_options)
    try:
        counted, lasted_s = _counted(answer, lambda said: say(Step(needs.where, f"{said} {pin}")), stop)
    except SourceError as error:
        say(replace(again, why=f"{str(error)[:1].upper()}{str(error)[1:]}."))
        return
    say(_offer(f"{_pulses(counted, lasted_s)} {pin}", needs.where, answer, counted, lasted_s))
    say(again)


def _counted(answer: Answer, say: Callable[[str], None], stop: Event) -> tuple[int, float]:
    """How many edges came, and in how many seconds. Raises SourceError where the pin cannot be had."""
    link, lines, counted = link_of(MeterConfig("pin", LINK, METER, link_options=answer.link_options)), Lines(), 0
    link.open()
    began_s = time.monotonic()
    lasted_s, shown = 0.0, ""
    try:
        while lasted_s < WATCH_S and not stop.is_set():
            if (now := _pulses(counted, lasted_s)) != shown:
                shown = now
                say(shown)
            counted += len(lines.feed(link.read(min(READ_S, WATCH_S - lasted_s))))
            lasted_s = time.monotonic() - began_s
    finally:
        link.close()
    return counted, min(lasted_s, WATCH_S)


def _pulses(counted: int, lasted_s: float) -> str:
    number = "no pulse" if not counted else "1 pulse" if counted == 1 else f"{counted} pulses"
    return f"{number} in {lasted_s:.0f} s"


def _offer(title: str, where: str, answer: Answer, counted: int, lasted_s: float) -> Offer:
    role, unit = answer.meter_options["role"], answer.meter_options["unit"]
    per_unit = Decimal(answer.meter_options["per_unit"])
    reading = MeterReading(role, time.time_ns() // 1_000_000, round(counted / per_unit, 6), unit)
    return Offer(
        title=f"{title[:1].upper()}{title[1:]}",
        where=where,
        link=LINK,
        meter=METER,
        link_options=answer.link_options,
        meter_options=answer.meter_options,
        device="",
        readings=(reading,),
        hint=_hint(counted, lasted_s, per_unit, unit),
    )


def _hint(counted: int, lasted_s: float, per_unit: Decimal, unit: str) -> str:
    """What a person may hold against what they know: whether anything came, too much, or how much power it would be."""
    if not counted:
        return _NO_PULSE
    if counted > NOISE_PER_S * max(lasted_s, 1):
        return _NOISE
    if unit != "kWh" or not lasted_s:
        return ""
    kw = counted / per_unit * 3600 / Decimal(lasted_s)
    return f"At {per_unit:f} pulses to the kWh that is {kw:.2f} kW: does that fit what is switched on?"
