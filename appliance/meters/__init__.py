"""Meters: protocols without I/O of their own. One file a protocol, found by listing this package.

A meter is a module of this package that has:

- `TITLE`: what a person calls the protocol;
- `Options`: a frozen dataclass of its configuration, every field with a default, `metadata={"title": ...}` on each;
  `__post_init__` raises `UserError` with every problem;
- `Meter(options, zone)`: a decoder of one stream. `zone` is the ZoneInfo of the meter's local time.

and may have, with the defaults that `silent_s` and `tried` give:

- `SILENT_S`: after how many seconds without a good frame something is wrong; 0 for a meter that may be silent for days;
- `LINKS`: the links that it may be behind, beside a replay; else a stream of bytes: serial and tcp;
- `TRIED`: on which real meter, or whose recording of one, it was tried;
- `CALLED`: what one is called in a sentence, as in "a smart meter (DSMR P1)"; else "a meter (TITLE)";
- `HEARD_AT`: how it may be heard on a serial port where it speaks by itself, most likely first, and within how many
  seconds, as in `{"9600,7E1": 12}`;
- `ASKED_AT`: how it may be asked there where it does not, with the options of each try, as in
  `(("300,7E1", {"mode": "request"}),)`;
- `SEARCHED_AT` and `search_of(baudrate, everywhere=...)`, where many devices may be on one line: at which speeds and
  framings they may be, most likely first, and a `Search` of them, at the usual addresses or at every one.

Modules that begin with `_` are shared by several and are no meters. What comes over MQTT, HTTP, GPIO and 1-wire is in
lines of `appliance.messages`. `tests/contracts/meters.py` holds what every meter must do, and walks them all.
"""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

from appliance.errors import UserError
from appliance.records import Frame

SILENT_S = 60.0
LINKS = ("serial", "tcp")
REPLAY = "replay"

SILENT_ROUNDS = 3
"""So many rounds without an answer are no chance: what is asked, or fetched, less often is silent later."""


@dataclass(slots=True)
class Counters:
    """What a meter has seen of its stream so far."""

    telegrams: int = 0
    crc_errors: int = 0
    partial: int = 0
    refused: int = 0  # good frames whose content could not be used (a value out of range, a date that does not exist)
    missed: int = 0  # what is known to have passed unheard (edges that the kernel could not keep)


class Meter(Protocol):
    """A decoder of one stream of bytes. Memory is bounded whatever is fed; nothing that is fed makes it raise.

    One that changes the speed of its line as it goes has a `baudrate` (None: as the link is configured). The link is
    set to it before each `poll`, and again before each read: what `poll` gives is sent at the speed that was set before
    it, and the answer is read at the speed that it left.

    One that asks has `wait_ms(now_ms)`: in how many milliseconds it has a question, or a question's time is up, where
    nothing comes before. One that may share its line with others has `is_asking`: a question of its own is open.

    One that has more to say of how it goes than counters has `note`, what a person should do about it, or ""; `status`,
    what an M-Bus meter says of itself; `exceptions`, how often a Modbus device refused, by its code; `wants`, the names
    of options without which, or with other values than it has, nothing of what it hears can be read.
    """

    counters: Counters

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        """The frames that `data` completes. `now_ms` stamps readings of a protocol that states no time of its own."""
        ...

    def poll(self, now_ms: int) -> bytes:
        """The bytes to send now, for a protocol that must be asked; b"" for one that speaks by itself.

        Called before each read of the link, every half second at least.
        """
        ...


class Search(Protocol):
    """Asks a line for devices, one address after another, without I/O of its own; `wait_ms` is as of a meter.

    `found`: of each device that answered so far, where, in words, and the options with which it may be read, the most
    likely first; none, where it is none that anybody here knows.
    """

    found: list[tuple[str, tuple[Mapping[str, Any], ...]]]
    is_over: bool

    @property
    def progress(self) -> str:
        """What is being asked at the moment, in words."""
        ...

    def feed(self, data: bytes, now_ms: int) -> None: ...

    def poll(self, now_ms: int) -> bytes: ...

    def wait_ms(self, now_ms: int) -> int: ...


class MeterModule(Protocol):
    """The shape of a meter's module; see the package's docstring."""

    TITLE: str
    Options: type[Any]

    def Meter(self, options: Any, zone: ZoneInfo) -> Meter: ...  # noqa: N802 - a class in each module


def names() -> list[str]:
    """The protocols that this box speaks, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def silent_s(name: str) -> float:
    """After how many seconds without a good frame of that protocol something is wrong; 0: it may be silent for days."""
    return float(getattr(named(name), "SILENT_S", SILENT_S))


def links_of(name: str) -> tuple[str, ...]:
    """The links that a meter of that protocol may be behind."""
    return (*getattr(named(name), "LINKS", LINKS), REPLAY)


def need_link(name: str, link: str) -> None:
    """UserError, naming those that can, where a meter of that protocol is behind no such link."""
    if link in links_of(name):
        return
    own, others = links_of(name), [each for each in names() if link in links_of(each)]
    raise UserError(
        f"{name} cannot be read over {link}, only over {_either(own)}; what {link} brings is read as {_either(others)}"
    )


def _either(several: Sequence[str]) -> str:
    *most, last = several
    return f"{', '.join(most)} or {last}" if most else last


def tried(name: str) -> str:
    """On which real meter a protocol was tried; "" where only our own samples prove it."""
    return str(getattr(named(name), "TRIED", ""))


def called(name: str) -> str:
    """What a meter of that protocol is called in a sentence."""
    return str(getattr(named(name), "CALLED", f"a meter ({named(name).TITLE})"))


def heard_at(name: str) -> Mapping[str, float]:
    """Speed and framing -> within how many seconds it is heard; empty: it is on no serial port, or must be asked."""
    return cast(Mapping[str, float], getattr(named(name), "HEARD_AT", {}))


def asked_at(name: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Speed and framing, and the options, of each way to ask it."""
    return cast(Sequence[tuple[str, Mapping[str, Any]]], getattr(named(name), "ASKED_AT", ()))


def searched_at(name: str) -> Sequence[str]:
    """Speeds and framings of a line on which many devices of that protocol may be; empty: there is but one."""
    return cast(Sequence[str], getattr(named(name), "SEARCHED_AT", ()))


def search_of(name: str, baudrate: int, *, everywhere: bool) -> Search:
    """A search for devices on a line of that speed. Only for protocols that `searched_at` has."""
    return cast(Search, named(name).search_of(baudrate, everywhere=everywhere))  # type: ignore[attr-defined]


def named(name: str) -> MeterModule:
    """The meter module of that name; UserError, naming those that exist, where there is none."""
    if name not in names():
        raise UserError(f"no meter is called {name!r}; there are {', '.join(names())}")
    return cast(MeterModule, importlib.import_module(f"{__name__}.{name}"))
