"""Meters: protocols without I/O of their own. One file a protocol, found by listing this package.

A meter is a module of this package that has:

- `TITLE`: what a person calls the protocol;
- `Options`: a frozen dataclass of its configuration, every field with a default, `metadata={"title": ...}` on each;
  `__post_init__` raises `UserError` with every problem;
- `Meter(options, zone)`: a decoder of one stream. `zone` is the ZoneInfo of the meter's local time.

`tests/contracts/meters.py` holds what every meter must do, and walks them all.
"""

import importlib
import pkgutil
from dataclasses import dataclass
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

from appliance.errors import UserError
from appliance.records import Frame


@dataclass(slots=True)
class Counters:
    """What a meter has seen of its stream so far."""

    telegrams: int = 0
    crc_errors: int = 0
    partial: int = 0
    refused: int = 0  # good frames whose content could not be used (a value out of range, a date that does not exist)


class Meter(Protocol):
    """A decoder of one stream of bytes. Memory is bounded whatever is fed; nothing that is fed makes it raise."""

    counters: Counters

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        """The frames that `data` completes. `now_ms` stamps readings of a protocol that states no time of its own."""
        ...

    def poll(self, now_ms: int) -> bytes:
        """The bytes to send now, for a protocol that must be asked; b"" for one that speaks by itself."""
        ...


class MeterModule(Protocol):
    """The shape of a meter's module; see the package's docstring."""

    TITLE: str
    Options: type[Any]

    def Meter(self, options: Any, zone: ZoneInfo) -> Meter: ...  # noqa: N802 - a class in each module


def names() -> list[str]:
    """The protocols that this box speaks, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def named(name: str) -> MeterModule:
    """The meter module of that name; UserError, naming those that exist, where there is none."""
    if name not in names():
        raise UserError(f"no meter is called {name!r}; there are {', '.join(names())}")
    return cast(MeterModule, importlib.import_module(f"{__name__}.{name}"))
