"""Which registers a person means with a reading that they typed, in which unit they read it, and when a day is."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from appliance import obis
from appliance.store import series as series_store
from appliance.store.models import Setting
from appliance.store.series import SeriesId

TARIFF = re.compile(r"\.t[1-9]$")
HISTORY = ".history"

MAIN = {"electricity": "electricity.import"}
"""What the meter of a supply counts where it is not the supply's own name."""

COUNTED_IN = {
    "electricity": ("kWh",),
    "gas": ("m3", "ft3"),
    "water": ("m3",),
    "heat": ("GJ", "kWh"),
    "cooling": ("GJ", "kWh"),
    "oil": ("L",),
}
"""In which units the meters of a supply count, the usual one first."""

_UNITS = {
    "m³": "m3",
    "l": "L",
    "litre": "L",
    "litres": "L",
    "wh": "Wh",
    "kwh": "kWh",
    "mwh": "MWh",
    "gj": "GJ",
    "mj": "MJ",
}
_LITRES = {("L", "m3"): Decimal("0.001"), ("m3", "L"): Decimal(1000)}


@dataclass(frozen=True, slots=True)
class TypedReading:
    """What a person read on a meter: `at` is an ISO instant or a bare day, "" for none, `fact` the number of the fact
    where one is corrected.
    """

    at: str
    unit: str
    fields: Mapping[str, str]
    fact: int | None = None

    @property
    def tells(self) -> tuple[str, ...]:
        """All of it that is about the register."""
        return self.at, self.unit, *(self.fields.get(name, "") for name in ("register", "supply", "source", "role"))


def countable(connection: Connection) -> list[SeriesId]:
    """The series that count something: registers, and what was used by intervals."""
    return [each for each in series_store.every(connection) if each.kind in ("register", "delta")]


def placed(fields: Mapping[str, str], every: Sequence[SeriesId]) -> tuple[list[SeriesId], str]:
    """The series that make up the register that a typed reading is of, and why there is none."""
    source, role, supply = (fields.get(name, "") for name in ("source", "role", "supply"))
    if not (source or role or supply):
        return [], "it says neither meter nor series nor supply"
    by_source: dict[str, list[SeriesId]] = defaultdict(list)
    for each in every:
        if each.source == source or not source:
            by_source[each.source].append(each)
    wanted = wanted_role(fields)
    found = {name: made for name, own in by_source.items() if (made := _parts(own, wanted))}
    if len(found) > 1:
        return [], f"several meters count that ({', '.join(sorted(found))}): say which"
    if not found:
        return [], "no meter here counts that" if wanted else "that meter counts several things: say which series"
    return next(iter(found.values())), ""


def wanted_role(fields: Mapping[str, str]) -> str:
    """The role that a typed reading is of, as it says itself; "" where it says none."""
    supply = fields.get("supply", "")
    return fields.get("role", "") or MAIN.get(supply, supply)


def _parts(own: Sequence[SeriesId], role: str) -> list[SeriesId]:
    """The series of a role: itself, or its tariffs'; without a role, the only ones that the source has."""
    own = [each for each in own if not each.role.endswith(HISTORY)]
    if not role:
        return list(own) if len({whole(each.role) for each in own}) == 1 else []
    exact = [each for each in own if each.role == role]
    return exact or [each for each in own if whole(each.role) == role != each.role]


def whole(role: str) -> str:
    """The role of which this one is a tariff; any other as it is."""
    return TARIFF.sub("", role)


def register_of(parts: Sequence[SeriesId]) -> str:
    """The role of a register that these series make up."""
    return parts[0].role if len(parts) == 1 else whole(parts[0].role)


def unit_of(text: str) -> str:
    """A unit as series name it, however a person wrote it."""
    return _UNITS.get(text.strip().casefold(), text.strip())


def in_unit(value: Decimal, stated: str, unit: str) -> Decimal | None:
    """`value`, stated in the unit `stated`, in `unit`; None where that is of another kind."""
    factor = _LITRES.get((stated, unit))
    return obis.in_unit(value, stated, unit) if factor is None else value * factor


def household_zone(connection: Connection) -> tzinfo | None:
    """The zone of the household whose home store this is; None where nobody said one."""
    said = connection.execute(select(Setting.value).where(Setting.name == "zone")).scalar_one_or_none()
    return ZoneInfo(said) if said else None


def day_ms(day: date, zone: tzinfo) -> tuple[int, int]:
    """When a day begins in a zone, and when it ends, milliseconds since 1970 UTC."""
    begin, end = (datetime(each.year, each.month, each.day, tzinfo=zone) for each in (day, day + timedelta(days=1)))
    return int(begin.timestamp()) * 1000, int(end.timestamp()) * 1000


def span_ms(at: str, zone: tzinfo | None) -> tuple[int, int]:
    """When a fact is of: the instant twice, or the day as the zone has it, UTC where none is known."""
    if "T" not in at:
        return day_ms(date.fromisoformat(at), zone or UTC)
    at_ms = int(datetime.fromisoformat(at).timestamp() * 1000)
    return at_ms, at_ms
