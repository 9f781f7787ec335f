"""The kinds that this package declares, one file a domain."""

import functools
import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from appliance.kinds._kind import Kind


def domains() -> list[str]:
    """The names of the files that declare kinds."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return [module.name for module in found if not module.name.startswith("_")]


@functools.cache
def every() -> Mapping[str, Kind]:
    """Every built-in kind by name. A record of another kind is kept and shown all the same."""
    modules = [importlib.import_module(f"{__package__}.{domain}") for domain in domains()]
    return MappingProxyType({kind.name: kind for module in modules for kind in module.KINDS})


def named(name: str) -> Kind | None:
    """The built-in kind of that name."""
    return every().get(name)
