"""The properties of one component, found by name."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from appliance import parsing
from appliance.contentlines import Property

_Read = TypeVar("_Read")
_VARYING = frozenset({"CREATED", "DCREATED", "DTSTAMP", "LAST-MODIFIED", "SEQUENCE"})  # from one export to the next


@dataclass(frozen=True, slots=True)
class Said:
    """What a component says: its properties by name, and those of the alarms in it."""

    by_name: Mapping[str, list[Property]]
    alarms: list[dict[str, Property]]

    def first(self, name: str) -> Property | None:
        return self.by_name[name][0] if name in self.by_name else None

    def every(self, *names: str) -> Iterator[Property]:
        return (each for name in names for each in self.by_name.get(name, ()))

    def telling(self) -> Iterator[Property]:
        """What makes it another one where it changes."""
        for name, every in self.by_name.items():
            if name not in _VARYING and not name.startswith("X-"):
                yield from every
        for alarm in self.alarms:
            yield from (said for name, said in alarm.items() if name == "TRIGGER")

    def line(self, name: str) -> str:
        """The first such property on one line."""
        found = self.first(name)
        return parsing.one_line(found.text) if found else ""


class Try(Protocol):
    """Reads a property, or remarks that it cannot be read."""

    def __call__(self, said: Property, read: Callable[[Property], _Read]) -> _Read | None: ...
