"""The household's supplies: what comes in and goes out, whose number it has, who sells it on which tariff, and how much
was used.

A supply is what a person declared (`energy.supply`), or what the series suggest, which is offered until somebody says.
"""

from appliance.supplies.agreed import Agreement, Term, agreements, terms
from appliance.supplies.gas import GasQuality, qualities
from appliance.supplies.known import KnownTariff, followed, indexes, prices, tariff_named, tariffs, why_none_yet
from appliance.supplies.listed import Supply, declared, every, named
from appliance.supplies.usage import Used, extent, usage

__all__ = [
    "Agreement",
    "GasQuality",
    "KnownTariff",
    "Supply",
    "Term",
    "Used",
    "agreements",
    "declared",
    "every",
    "extent",
    "followed",
    "indexes",
    "named",
    "prices",
    "qualities",
    "tariff_named",
    "tariffs",
    "terms",
    "usage",
    "why_none_yet",
]
