"""Connectors: what is new at one remote service, brought as files. One file a service, found by listing this package.

A connector is a module of this package that has:

- `TITLE`: what a person calls it;
- `HELP`: where a person finds what it asks for, in a sentence or two;
- `RHYTHM_S`: seconds from one fetch to the next that suit the service;
- `Options`: a frozen dataclass of what a person states, every field with a default. Each field has `metadata={"title":
  ...}`, and where it fits `"help"`, `"guide"` (a longer explanation, shown on demand), `"choices": (...)`, `"secret":
  True` (kept sealed, never shown again) and `"lines": True` (several lines of text). `__post_init__` raises
  `UserError` with every problem;
- `fetch(options, kept, web)`: yields what is new as `Fetched`, the oldest first, where `kept` is what the last one of
  an earlier fetch said is to be kept ({} at first). It stores nothing: a file counts as fetched once the store has it,
  and until then is fetched again. Raises SourceError, whose text says what to do, and names neither passwords nor
  addresses that hold one.

- `TRIED_FIRST = True` where what a person says is easily wrong: they are shown what comes of the first file, and
  nothing is stored before they say that it is right. Its `fetch` changes nothing at the service.

One for which a person consents on the service's own page (OAuth 2) has besides:

- `consent(options, answer_to, token, verifier)`: the address of that page; it leads back to `answer_to` with `token`;
- `consented(options, answer_to, code, verifier, web)`: what to keep, for the code that came back. `verifier` is a
  secret of this one consent, of which PKCE's challenge is made (RFC 7636).

A file that no `format` is said of is recognised by its content; `source` stands over what it says of itself.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, cast

from appliance.content import Content
from appliance.errors import UserError

if TYPE_CHECKING:  # 5 MB, which only who fetches needs
    from appliance.web import Web

Kept = Mapping[str, Any]
"""What a connector wants to know the next time: JSON of a few megabytes at most. It is sealed: it may hold tokens."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One file that is new, and what is to be kept once it is in the store; without a file, only that. A connector
    changes neither afterwards: what is kept may be written later.

    `remark` is what a person should know of the fetch besides: what the service complains of, what is gone there.
    """

    content: Content | None
    kept: Kept = field(default_factory=dict)
    format: str = ""
    source: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    remark: str = ""


class Connector(Protocol):
    """The shape of a connector's module; see the package's docstring."""

    TITLE: str
    HELP: str
    RHYTHM_S: int
    Options: type[Any]

    def fetch(self, options: Any, kept: Kept, web: "Web") -> Iterator[Fetched]: ...


class Consenting(Connector, Protocol):
    """One that a person consents to on the service's own page."""

    def consent(self, options: Any, answer_to: str, token: str, verifier: str) -> str: ...

    def consented(self, options: Any, answer_to: str, code: str, verifier: str, web: "Web") -> Kept: ...


def names() -> list[str]:
    """The services that this box fetches from, sorted."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def named(name: str) -> Connector:
    """The connector of that name; UserError, naming those that exist, where there is none."""
    if name not in names():
        raise UserError(f"no connector is called {name!r}; there are {', '.join(names())}")
    return cast(Connector, importlib.import_module(f"{__name__}.{name}"))


def asks_consent(connector: Connector) -> bool:
    """Whether a person consents on the service's own page."""
    return hasattr(connector, "consent")


def is_tried_first(connector: Connector) -> bool:
    """Whether a person sees what comes of it before anything is stored."""
    return bool(getattr(connector, "TRIED_FIRST", False))
