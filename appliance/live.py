"""What flows now, and today's curve: the spool's tail put at the end of what the store has."""

import threading
import time
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np

from appliance import energy
from appliance.errors import UserError
from appliance.ingest.tail import Said, Tail
from appliance.obis import TARIFFS
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.series import Array

IMPORT, EXPORT = "electricity.power", "electricity.power.export"
TOTALS = {"import_kwh": "electricity.import", "export_kwh": "electricity.export", "gas_m3": "gas"}
CURVE_S = 60
UTC = ZoneInfo("UTC")
REMEMBERED_S = 3


@dataclass(frozen=True, slots=True)
class Now:
    """The newest power that a meter stated, in watts, and what it counted since local midnight (None: it does not)."""

    at_ms: int
    source: str
    import_w: int
    export_w: int
    today: dict[str, Decimal | None]


@dataclass(frozen=True, slots=True)
class Curve:
    """Today's power by the minute: starts in seconds since 1970 UTC, mean watts from the grid and into it."""

    times_s: list[int]
    import_w: list[int]
    export_w: list[int]


class Live:
    """The live view of one household. Safe for several threads."""

    def __init__(self, home: Store, tail: Tail) -> None:
        self._home, self._tail = home, tail
        self._lock = threading.Lock()
        self._midnight: dict[tuple[str, str, int], tuple[float, Decimal | None]] = {}

    def now(self, zone: ZoneInfo) -> Now | None:
        """What flows now, or None where no meter has spoken since the spool was begun."""
        self._tail.update()
        source = self._source()
        if source is None:
            return None
        newest = self._tail.newest[source, IMPORT]
        exported = self._tail.newest.get((source, EXPORT))
        midnight_ms = _midnight_ms(zone)
        today = {name: self._since_midnight(source, role, midnight_ms) for name, role in TOTALS.items()}
        return Now(newest.at_ms, source, _watts(newest), _watts(exported), today)

    def today(self, zone: ZoneInfo) -> Curve:
        """Today's curve so far, the newest telegram included."""
        self._tail.update()
        source = self._source() or self._stored_source()
        if source is None:
            return Curve([], [], [])
        midnight_ms = _midnight_ms(zone)
        at_ms, import_w, export_w = self._stored(source, midnight_ms)
        last_ms = int(at_ms[-1]) if len(at_ms) else midnight_ms - 1
        recent = self._tail.recent(source, last_ms)
        tail = np.array([_watts_at(each) for each in recent if IMPORT in each], np.int64)
        if len(tail):
            at_ms, import_w, export_w = (
                np.concatenate(pair) for pair in zip((at_ms, import_w, export_w), tail.T, strict=True)
            )
        return _by_minute(at_ms, import_w, export_w)

    def _source(self) -> str | None:
        spoken = [(said.at_ms, source) for (source, role), said in list(self._tail.newest.items()) if role == IMPORT]
        return max(spoken)[1] if spoken else None

    def _stored_source(self) -> str | None:
        with self._home.read() as connection:
            found = [
                (ends[1], series.source)
                for series in series_store.every(connection, IMPORT)
                if (ends := series_store.extent(connection, series))
            ]
        return max(found)[1] if found else None

    def _since_midnight(self, source: str, role: str, midnight_ms: int) -> Decimal | None:
        """What was used since midnight: what a register counted, or what the store has of intervals, of pulses for
        example, and of a register that was exchanged or reset since.
        """
        newest = self._tail.newest.get((source, role))
        if newest is not None and newest.seconds:
            return self._stored_since(source, role, midnight_ms)
        now = self._register(source, role)
        if now is None:
            return None
        begun = self._begun(source, role, midnight_ms)
        if begun is not None and now < begun:
            return self._stored_since(source, role, midnight_ms)
        return None if begun is None else now - begun

    def _stored_since(self, source: str, role: str, midnight_ms: int) -> Decimal | None:
        """What the store has of the day, which is sealed every few minutes; remembered for seconds."""
        key = (source, f"{role} stored", midnight_ms)
        with self._lock:
            known_s, used = self._midnight.get(key, (0.0, None))
            if time.monotonic() - known_s > REMEMBERED_S or not known_s:
                used = self._used(source, role, midnight_ms)
                self._midnight[key] = (time.monotonic(), used)
            return used

    def _used(self, source: str, role: str, midnight_ms: int) -> Decimal | None:
        try:
            parts = energy.resolved(self._home, source, role)
        except UserError:
            return None
        values = energy.stepped(self._home, parts, midnight_ms, int(time.time() * 1000), UTC, "quarter-hour")
        return Decimal(int(values.totals.sum())).scaleb(values.exponent)

    def _begun(self, source: str, role: str, midnight_ms: int) -> Decimal | None:
        """The register at midnight, remembered for seconds: an import may still bring the night's readings.

        Where the store has nothing from before midnight, the day begins with the first telegram that is known.
        """
        key = (source, role, midnight_ms)
        with self._lock:
            known_s, begun = self._midnight.get(key, (0.0, None))
            if begun is None or time.monotonic() - known_s > REMEMBERED_S:
                self._midnight = {other: kept for other, kept in self._midnight.items() if other[2] == midnight_ms}
                stored = self._register_at(source, role, midnight_ms)
                begun = stored if stored is not None else begun or self._register(source, role)
                self._midnight[key] = (time.monotonic(), begun)
            return begun

    def _register(self, source: str, role: str) -> Decimal | None:
        """A register as the meter stated it last: its own, or the sum of its tariffs'."""
        newest = self._tail.newest
        if (source, role) in newest:
            return newest[source, role].value
        tariffs = [newest[source, role + each].value for each in TARIFFS if (source, role + each) in newest]
        return sum(tariffs, Decimal(0)) if tariffs else None

    def _register_at(self, source: str, role: str, at_ms: int) -> Decimal | None:
        try:
            parts = energy.resolved(self._home, source, role)
        except UserError:
            return None
        with self._home.read() as connection:
            values = [(series_store.last_before(connection, part, at_ms + 1), part.exponent) for part in parts]
            if any(value is None for value, _ in values):
                values = [(series_store.first_value(connection, part), part.exponent) for part in parts]
        known = [Decimal(value).scaleb(exponent) for value, exponent in values if value is not None]
        return sum(known, Decimal(0)) if len(known) == len(parts) else None

    def _stored(self, source: str, from_ms: int) -> tuple[Array, Array, Array]:
        columns = []
        for role in (IMPORT, EXPORT):
            try:
                readings, exponent = energy.raw(self._home, energy.resolved(self._home, source, role), from_ms, None)
            except UserError:
                continue
            watts = np.round(readings.values * 10.0 ** (exponent + 3)).astype(np.int64)
            columns.append((readings.at_ms, watts))
        none: Array = np.empty(0, np.int64)
        at_ms, import_w = columns[0] if columns else (none, none)
        export_w = np.zeros(len(at_ms), np.int64)
        if len(columns) == 2:
            _, here, there = np.intersect1d(at_ms, columns[1][0], return_indices=True)
            export_w[here] = columns[1][1][there]
        return at_ms, import_w, export_w


def _watts_at(said: dict[str, Said]) -> tuple[int, int, int]:
    return said[IMPORT].at_ms, _watts(said[IMPORT]), _watts(said.get(EXPORT))


def _watts(said: Said | None) -> int:
    return round(said.value * 1000) if said else 0


def _midnight_ms(zone: ZoneInfo) -> int:
    now = datetime.fromtimestamp(time.time(), zone)
    return int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * 1000


def _by_minute(at_ms: Array, import_w: Array, export_w: Array) -> Curve:
    if not len(at_ms):
        return Curve([], [], [])
    minute = at_ms // 1000 // CURVE_S * CURVE_S
    edges = np.flatnonzero(np.concatenate([[True], np.diff(minute) != 0]))
    counts = np.diff(np.append(edges, len(at_ms)))
    means = [np.round(np.add.reduceat(each, edges) / counts).astype(int).tolist() for each in (import_w, export_w)]
    return Curve(minute[edges].tolist(), *means)
