"""A demo box: a simulated house on a pseudo-terminal, and the past that its meter would have had."""

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, select

from appliance.config import FILE, load
from appliance.derive import rollups
from appliance.house import House, Registers, advance, history
from appliance.records import Source
from appliance.store import series as series_store
from appliance.store.database import HOME, Store, open_store
from appliance.store.models import Chunk
from appliance.store.series import Columns, Lineage, SeriesId
from services.process import end_on_user_error
from services.setup import make

ZONE, SEED, SOLAR_KWP = "Europe/Amsterdam", 1, 4.0
PAST = timedelta(days=400)
PART = timedelta(days=30)
STEP_S = 60
FIRST = Registers.of(*(Decimal(text) for text in ("3432.827", "3224.632", "812.403", "1904.118", "2890.511")))
PAST_FILE = "past.json"
ROLES = {
    "electricity.import.t1": "kWh",
    "electricity.import.t2": "kWh",
    "electricity.export.t1": "kWh",
    "electricity.export.t2": "kWh",
    "electricity.power": "kW",
    "electricity.power.export": "kW",
    "gas": "m3",
}
SOURCE = "house"
PAST_LINEAGE = Lineage(link="simulated", meter="history")


def main() -> None:
    """Makes the demo's folder, where it is not made yet; with --past, fills its store with the days before."""
    parser = argparse.ArgumentParser(prog="inglenook-demo", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--past", action="store_true")
    said = parser.parse_args()
    if said.past:
        fill(said.data)
    elif not (said.data / FILE).exists():
        make(said.data)
        configure(said.data)


def configure(data: Path) -> None:
    """Configures the simulated house, with the registers that it has this midnight after its past."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    now = advance(_house(), FIRST, _ms(midnight - PAST), _ms(midnight))
    registers = {
        "import_t1_kwh": now.import_t1_wh,
        "import_t2_kwh": now.import_t2_wh,
        "export_t1_kwh": now.export_t1_wh,
        "export_t2_kwh": now.export_t2_wh,
        "gas_m3": now.gas_litres,
    }
    options = {"zone": ZONE, "seed": SEED, "solar_kwp": SOLAR_KWP, "anchor": midnight.isoformat()}
    lines = [f"{name} = {json.dumps(value)}" for name, value in options.items()]
    lines += [f'{name} = "{Decimal(value) / 1000}"' for name, value in registers.items()]
    (data / PAST_FILE).write_text(json.dumps({"until": datetime.now(UTC).isoformat()}), encoding="utf-8")
    (data / FILE).write_text(
        "# a demo: a simulated house on a pseudo-terminal\n"
        f'[meters.{SOURCE}]\nlink = "simulated"\nmeter = "dsmr"\nzone = "{ZONE}"\n\n'
        f"[meters.{SOURCE}.simulated]\n" + "\n".join(lines) + "\n",
        encoding="utf-8",
    )


def fill(data: Path) -> None:
    """Stores the past of a demo that was made just now, month by month; ends at once where that is done."""
    path = data / PAST_FILE
    if not path.exists():
        return
    until = datetime.fromisoformat(json.loads(path.read_text(encoding="utf-8"))["until"])
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    with open_store(load(data), HOME) as home:
        for part in _parts(_ms(midnight - PAST), _ms(until)):
            _store(home, part)
            rollups.refresh(home)
    path.unlink()


def _house() -> House:
    return House(SEED, ZoneInfo(ZONE), SOLAR_KWP)


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000


def _parts(from_ms: int, to_ms: int) -> Iterator[np.ndarray[tuple[int, int], np.dtype[np.int64]]]:
    """The past in tables, newest first: a row a minute, its instant and then a column a role, in thousandths."""
    house, registers = _house(), FIRST
    length_ms = int(PART.total_seconds()) * 1000
    begun = []
    for begin in range(from_ms, to_ms, length_ms):
        end = min(begin + length_ms, to_ms)
        begun.append((begin, end, registers))
        registers = advance(house, registers, begin, end)
    for begin, end, registers in reversed(begun):
        yield np.array(
            [
                (
                    at_ms,
                    now.import_t1_wh,
                    now.import_t2_wh,
                    now.export_t1_wh,
                    now.export_t2_wh,
                    import_w,
                    export_w,
                    now.gas_litres,
                )
                for at_ms, now, import_w, export_w in history(house, registers, begin, end, STEP_S)
            ],
            np.int64,
        )


def _store(home: Store, part: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> None:
    with home.write() as connection:
        for column, (role, unit) in enumerate(ROLES.items(), 1):
            series = series_store.found_or_made(connection, Source(SOURCE), role, unit, -3, 0)
            values = part[:, column] * np.int64(10 ** (-3 - series.exponent))
            hourly = slice(None, None, 60) if role == "gas" else slice(None)
            columns = Columns(part[hourly, 0], np.zeros(len(part[hourly]), np.int64), values[hourly])
            if not _is_there(connection, series, int(part[0, 0])):
                series_store.append(connection, series, columns, PAST_LINEAGE)


def _is_there(connection: Connection, series: SeriesId, first_ms: int) -> bool:
    """Whether a fill that was interrupted has stored this part; what the meter says by now is no part of it."""
    mine = (Chunk.series_id == series.id) & (Chunk.meter == PAST_LINEAGE.meter) & (Chunk.first_ms == first_ms)
    return connection.execute(select(Chunk.id).where(mine)).first() is not None


if __name__ == "__main__":
    end_on_user_error(main)
