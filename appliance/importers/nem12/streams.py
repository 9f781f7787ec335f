"""What a stream of NEM12 or NEM13 measures, by its suffix and its unit."""

import re
from functools import lru_cache

from appliance.gathering import Column

_UNITS: dict[str, tuple[str, str, int]] = {
    "wh": ("energy", "kWh", -3),
    "varh": ("energy", "kvarh", -3),
    "vah": ("energy", "kVAh", -3),
    "w": ("power", "kW", -3),
    "var": ("power", "kvar", -3),
    "va": ("power", "kVA", -3),
    "v": ("", "V", 0),
    "a": ("", "A", 0),
}
"""Unit in small letters, without kilo and mega -> what it measures, the unit that is kept, and the power of ten."""

_PREFIXES = {"k": 3, "m": 6, "": 0}
_UNIT = re.compile(r"([km]?)(wh|varh|vah|w|var|va|v|a)")
_BASES = {
    "kWh": "electricity",
    "kvarh": "electricity.reactive",
    "kVAh": "electricity.apparent",
    "kW": "electricity.power",
    "kvar": "electricity.reactive.power",
    "kVA": "electricity.apparent.power",
    "V": "electricity.voltage",
    "A": "electricity.current",
}
_FLOWS = {
    **dict.fromkeys("DEFPQR", "import"),  # "export" in the standard's words: out of the market, into the house
    **dict.fromkeys("ABCJKL", "export"),
    **dict.fromkeys("NX", "net"),
    **dict.fromkeys("STUVZ", ""),
}
_SORTS = {**dict.fromkeys("ADJPS", "average"), **dict.fromkeys("CFLRUZ", "check")}
"""Streams that count once more what a master counts: they are sources of their own."""

_ELEMENTS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_INTERVAL, _ACCUMULATED = re.compile(rf"([A-Z])([{_ELEMENTS}])"), re.compile(rf"([1-9])([{_ELEMENTS}])")


@lru_cache(maxsize=256)
def stream(suffix: str, unit: str, direction: str = "") -> tuple[Column, str]:
    """What a stream counts, and what sets its source apart, "" for the usual; ValueError where it is not read.

    `direction` is NEM13's indicator; what it gives in kW is the highest demand of a time, and no average.
    """
    parts = _UNIT.fullmatch(unit.strip().casefold())
    if parts is None:
        raise ValueError(f"its unit {unit[:20]!r} is not read")
    measured, kept, power = _UNITS[parts[2]]
    flow, number, sort = _named(suffix.strip().upper(), direction.strip().upper())
    base = _BASES[kept].replace("power", "demand") if direction and measured == "power" else _BASES[kept]
    return Column(_role(base, measured, flow, number), kept, power + _PREFIXES[parts[1]]), sort


def _named(suffix: str, direction: str) -> tuple[str, int, str]:
    """Which way a stream flows, its number, and what sets its source apart."""
    if (found := _INTERVAL.fullmatch(suffix)) and found[1] in _FLOWS:
        return _FLOWS[found[1]], _ELEMENTS.index(found[2]) + 1, _SORTS.get(found[1], "")
    if found := _ACCUMULATED.fullmatch(suffix):
        meter = "" if found[2] == "1" else f"meter {found[2]}"
        return "export" if direction == "I" else "import", int(found[1]), meter
    raise ValueError(f"its stream {suffix[:20]!r} is not read")


def _role(base: str, measured: str, flow: str, number: int) -> str:
    if measured == "energy":
        return ".".join(filter(None, (base, flow, f"t{number}")))
    way = flow if measured == "power" and flow != "import" else ""
    return ".".join(filter(None, (base, way, f"stream{number}" if number > 1 else "")))
