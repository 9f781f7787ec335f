"""Series put into a store as readings, for tests of what is made of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from appliance.records import Source
from appliance.store import imports, series, versions
from appliance.store.database import Store
from appliance.store.series import Columns, Lineage


def keep(
    store: Store,
    role: str,
    values: Sequence[int],
    *,
    first_ms: int,
    unit: str = "kWh",
    seconds: int = 1800,
    every_s: int = 0,
    source: str = "house",
    exponent: int = -6,
    quality: str = "",
) -> None:
    """An import of consecutive readings, a value times 10**exponent each `every_s` (else `seconds`)."""
    at_ms = first_ms + np.arange(len(values), dtype=np.int64) * 1000 * (every_s or seconds)
    said: dict[str, Any] = {
        "file": "f",
        "format": "x",
        "sha256": None,
        "named_source": "",
        "options": {},
        "retry_of": None,
    }
    with store.write() as connection:
        said |= {"at_us": versions.now_us(connection)}
        made = series.found_or_made(connection, Source(source, f"The {source}"), role, unit, exponent, seconds)
        scaled = np.array(values, np.int64) * 10 ** (exponent - made.exponent)
        columns = Columns(at_ms, np.full(len(values), seconds, np.int64), scaled)
        series.append(connection, made, columns, Lineage(imports.begin(connection, **said), quality=quality))
