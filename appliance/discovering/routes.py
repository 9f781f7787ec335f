"""The ways to suppliers' data that are known, from `routes.toml`."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from appliance import connectors
from appliance.discovering.directory import plain

_FILE = Path(__file__).with_name("routes.toml")


@dataclass(frozen=True, slots=True)
class Route:
    """The shortest way to what a supplier holds: `connector` where the box fetches it, `page` is the supplier's own."""

    name: str
    match: tuple[tuple[str, ...], ...]
    then: str
    kinds: tuple[str, ...]
    connector: str = ""
    page: str = ""


@lru_cache(maxsize=1)
def routes() -> tuple[Route, ...]:
    """All of them; a connector that this box does not have is left out of its route."""
    said = tomllib.loads(_FILE.read_text(encoding="utf-8"))["route"]
    known = set(connectors.names())
    return tuple(
        Route(
            name=each["name"],
            match=tuple(plain(text) for text in each["match"]),
            then=each["then"],
            kinds=tuple(each["kinds"]),
            connector=each.get("connector", "") if each.get("connector", "") in known else "",
            page=each.get("page", ""),
        )
        for each in said
    )


def route_for(payee: str) -> Route | None:
    """The way to a payee's data; the longest name that it holds says which."""
    words = plain(payee)
    best: tuple[int, Route] | None = None
    for route in routes():
        for name in route.match:
            is_in = any(words[at : at + len(name)] == name for at in range(len(words) - len(name) + 1))
            if name and is_in and (best is None or len(name) > best[0]):
                best = len(name), route
    return best[1] if best else None
