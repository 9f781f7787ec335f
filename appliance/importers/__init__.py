"""Importers: bytes -> records or readings. One file a format, found by listing this package.

An importer is a module of this package that has:

- `TITLE`: what a person calls the format;
- `Options`: a frozen dataclass of what a person may have to state for a source, every field with a default. Each field
  has `metadata={"title": ..., "choices": (...)}`; `choices` is absent where any text will do. `__post_init__` raises
  `UserError` with every problem;
- `STATED_ONLY = True` where it is never recognised by its content, but read so where a person says it;
- `identify(head, name)`: whether the first 64 kB and the file's name look like this format. Never raises;
- `extract(data, options)`: yields a `Source` before the first item of each source, then `Record`, `Readings`,
  `Rejected` and `Warned` items, in the file's order. Every row of the file comes out once, as a fact or as a
  `Rejected`, of which one may stand for several that follow one another; readings of several series may stand in the
  same rows. It does no I/O, knows no store, and raises nothing because of what the file says;
- or, where files grow to gigabytes, `extract_forward(pieces, options)` in its place, which is given the content as an
  iterator of `bytes` of any sizes, and holds no more of it than a row.

`tests/contracts/importers.py` holds what every importer must do, and walks them all.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Protocol, cast

from appliance.content import Content, Data
from appliance.errors import UserError
from appliance.records import Item

HEAD_BYTES = 65_536

__all__ = [
    "HEAD_BYTES",
    "Data",
    "Importer",
    "extracted",
    "identified",
    "is_stated_only",
    "named",
    "names",
    "reads_forward",
]


class Importer(Protocol):
    """The shape of an importer's module, which has one of the two ways to read; see the package's docstring."""

    TITLE: str
    Options: type[Any]

    def identify(self, head: bytes, name: str) -> bool: ...

    extract: Callable[[Data, Any], Iterator[Item]]
    extract_forward: Callable[[Iterator[bytes], Any], Iterator[Item]]


def names() -> list[str]:
    """The formats that this box reads, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def named(name: str) -> Importer:
    """The importer of that name; UserError, naming those that exist, where there is none."""
    if name not in names():
        raise UserError(f"no format is called {name!r}; there are {', '.join(names())}")
    return cast(Importer, _module(name))


def reads_forward(importer: Importer) -> bool:
    """Whether an importer reads a file of any size in bounded memory."""
    return hasattr(importer, "extract_forward")


def extracted(importer: Importer, content: Content, options: Any) -> Iterator[Item]:
    """What an importer reads of a content; UserError where it would have to be held as a whole and is too large."""
    if reads_forward(importer):
        return importer.extract_forward(content.pieces(), options)
    return importer.extract(content.whole(), options)


def identified(head: bytes, file_name: str) -> str | None:
    """The name of the format that these first bytes are in, or None.

    The format that the file's name ends with is asked first, so that no other need be loaded where it is that.
    """
    suffix = file_name.lower().rpartition(".")[2]
    likely = sorted(names(), key=lambda name: name != suffix)
    return next((name for name in likely if named(name).identify(head[:HEAD_BYTES], file_name)), None)


def is_stated_only(importer: Importer) -> bool:
    """Whether a format is never recognised by a file's content."""
    return bool(getattr(importer, "STATED_ONLY", False))


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{name}")
