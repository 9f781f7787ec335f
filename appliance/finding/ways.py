"""How meters may be heard on a serial port: at which speeds and framings, by themselves or when they are asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance import meters
from appliance.finding.needs import Answer, Needs
from appliance.links import serial

ANSWERED_S = 90.0
"""How long an answer may take: a readout at 300 baud is a minute."""

CONFIRMED_S = 35.0
"""How long a device that answered may take to be read: three rounds, where it does not tell its number."""

PROVED_S = 45.0
"""How long a key is tried: two telegrams that it does not open are no chance, and some meters send six a minute."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A meter that may speak so, and the options that it has then, the secret ones apart."""

    meter: str
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Way:
    """A speed with its framing, as in 9600,7E1; who may speak so; how long to listen; whether they must be asked.

    `search`: the meter that is searched for there instead, at the usual addresses or `everywhere`.
    """

    line: str
    candidates: tuple[Candidate, ...]
    patience_s: float
    asks: bool = False
    search: str = ""
    everywhere: bool = False

    @property
    def spoken(self) -> str:
        """As in: 9600 baud (7E1)."""
        speed, _, framing = self.line.partition(",")
        return f"{speed} baud ({framing})"

    @property
    def doing(self) -> str:
        """As in: listening at 9600 baud (7E1)."""
        if self.search:
            return f"asking for {meters.called(self.search)} at {self.spoken}"
        if any(each.secrets for each in self.candidates):
            return f"trying the key at {self.spoken}"
        return f"{'asking' if self.asks else 'listening'} at {self.spoken}"


def ways(*, asks: bool, everywhere: bool = False) -> list[Way]:
    """How meters may be heard: the fastest first, and after all of them those that must be asked."""
    heard: dict[str, list[tuple[str, float]]] = {}
    for name in meters.names():
        for line, within_s in meters.heard_at(name).items():
            heard.setdefault(line, []).append((name, within_s))
    found = [
        # DSMR before D0: of telegrams that read as both, D0 gets the number wrong.
        Way(line, tuple(Candidate(name) for name, _ in reversed(said)), max(within_s for _, within_s in said))
        for line, said in heard.items()
    ]
    found.sort(key=lambda way: (-int(way.line.partition(",")[0]), way.line))
    return found + (_asked(everywhere=everywhere) if asks else [])


def _asked(*, everywhere: bool) -> list[Way]:
    """Of every meter the likeliest way first, before the second of any."""
    ranked: list[tuple[int, Way]] = []
    for name in meters.names():
        for rank, (line, options) in enumerate(meters.asked_at(name)):
            ranked.append((rank, Way(line, (Candidate(name, options),), ANSWERED_S, asks=True)))
        for rank, line in enumerate(meters.searched_at(name)):
            ranked.append((rank, Way(line, (), ANSWERED_S, asks=True, search=name, everywhere=everywhere)))
    return [way for _, way in sorted(ranked, key=lambda each: each[0])]


def with_key(needs: Needs, answer: Answer) -> Way:
    """How a meter is heard with the key that a person typed."""
    line = serial.Options(**needs.link_options)
    candidate = Candidate(needs.meter, answer.meter_options, answer.meter_secrets)
    return Way(f"{line.baudrate},{line.bytesize}{line.parity}{line.stopbits}", (candidate,), PROVED_S)
