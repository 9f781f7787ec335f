"""Kinds: what a record is. One file a domain, found by listing this package; each declares `KINDS`."""

import importlib
import pkgutil
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """One declaration a kind.

    `dpv` is the W3C Data Privacy Vocabulary's category of personal data, `schema_org` its schema.org counterpart (""
    for none). `fields` are what the kind adds to the common columns: name -> what a person reads.
    """

    name: str
    title: str
    dpv: str
    schema_org: str = ""
    fields: dict[str, str] = field(default_factory=dict)


def every() -> dict[str, Kind]:
    """Every declared kind by name. A record of another kind is kept and shown all the same."""
    modules = (importlib.import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__))
    return {kind.name: kind for module in modules for kind in module.KINDS}
