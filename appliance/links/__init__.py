"""Links: where a meter's bytes come from. One file a way in, found by listing this package.

A link is a module of this package that has:

- `TITLE`: what a person calls it;
- `Options`: a frozen dataclass of its configuration, `metadata={"title": ...}` on each field; `__post_init__` raises
  `UserError` with every problem; the classmethod `from_text` reads what stands behind the colon of
  `--link NAME:REST`;
- `Link(options)`: one connection, made by `open`. One whose speed can be changed while it is open has
  `set_baudrate(baudrate)`; one that brings something every so often, and nothing between, has `interval_s`.

A way in that brings messages, and no stream of a meter's own, gives each as a line of `appliance.messages`.
`replay` and `simulated` are links like any other, chosen by configuration.
"""

import importlib
import pkgutil
from typing import Any, Protocol, cast

from appliance.errors import UserError


class EndedError(Exception):
    """A link that has an end (a replay of a file) has reached it."""


class Link(Protocol):
    """One way in. `open` and `read` raise SourceError where the other side is gone; it may be opened again then."""

    def open(self) -> None: ...

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, waiting at most `timeout_s` for the first byte; b"" where nothing came. Raises
        EndedError."""
        ...

    def write(self, data: bytes) -> None: ...

    def close(self) -> None:
        """Lets go; harmless on a link that is not open. From another thread, it ends a `read` that waits."""
        ...


class LinkModule(Protocol):
    """The shape of a link's module; see the package's docstring."""

    TITLE: str
    Options: type[Any]

    def Link(self, options: Any) -> Link: ...  # noqa: N802 - a class in each module


def names() -> list[str]:
    """The ways in that this box has, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def named(name: str) -> LinkModule:
    """The link module of that name; UserError, naming those that exist, where there is none."""
    if name not in names():
        raise UserError(f"no link is called {name!r}; there are {', '.join(names())}")
    return cast(LinkModule, importlib.import_module(f"{__name__}.{name}"))
