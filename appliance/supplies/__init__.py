"""The household's supplies: what comes in and goes out, whose number it has, who sells it, and how much was used.

A supply is what a person declared (`energy.supply`), or what the series suggest, which is offered until somebody says.
"""

from appliance.supplies.agreed import Agreement, agreements
from appliance.supplies.gas import GasQuality, qualities
from appliance.supplies.listed import Supply, declared, every, named
from appliance.supplies.usage import QUARTER_S, Usage, extent, usage

__all__ = [
    "QUARTER_S",
    "Agreement",
    "GasQuality",
    "Supply",
    "Usage",
    "agreements",
    "declared",
    "every",
    "extent",
    "named",
    "qualities",
    "usage",
]
