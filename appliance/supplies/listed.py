"""Which supplies a household has."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo

from sqlalchemy import Connection

from appliance.errors import UserError
from appliance.ingest.meter_places import whole
from appliance.ingest.supply_facts import SUPPLY, unit_of
from appliance.store import series as series_store
from appliance.store import sources
from appliance.store.database import Store
from appliance.supplies.facts import ends_ms, standing

OFFERED = {
    "electricity.import": ("electricity", "import"),
    "electricity.export": ("electricity", "export"),
    "gas": ("gas", ""),
    "heat": ("heat", ""),
    "water": ("water", ""),
    "water.hot": ("water", ""),
}
"""Role of a series -> the supply that it measures, and its direction."""

POWER = "electricity.power"
_TITLES = {
    "electricity.import": "Electricity",
    "electricity.export": "Electricity fed in",
    POWER: "Electricity",
    "gas": "Gas",
    "heat": "Heat",
    "water": "Water",
    "water.hot": "Hot water",
}


@dataclass(frozen=True, slots=True)
class Supply:
    """One supply, and the series that measures it: a source and a role.

    It is the household's in [first_ms, end_ms), milliseconds since 1970 UTC; None where that is open. `fact` is the
    number of the fact that declares it, None where the series suggest it.
    """

    name: str
    supply: str  # electricity, gas, heat, water
    direction: str  # import or export of electricity, else ""
    source: str
    role: str
    point: str = ""
    first_ms: int | None = None
    end_ms: int | None = None
    fact: int | None = None

    @property
    def is_offered(self) -> bool:
        """Whether nobody declared it."""
        return self.fact is None

    @property
    def unit(self) -> str:
        """What it is counted and priced in."""
        return unit_of(self.supply)


def every(store: Store, zone: tzinfo) -> list[Supply]:
    """The declared supplies, then those that the series suggest beside them."""
    with store.read() as connection:
        known = declared(connection, zone)
        taken = {(each.source, each.role) for each in known}
        return known + [each for each in _suggested(connection) if (each.source, each.role) not in taken]


def declared(connection: Connection, zone: tzinfo) -> list[Supply]:
    """What people said, oldest first; `zone` is that of the days of which they spoke."""
    found = []
    for fact in standing(connection, SUPPLY):
        said = fact.fields
        supply = said.get("supply", "")
        direction = (said.get("direction") or "import") if supply == "electricity" else ""
        role = said.get("role") or (f"electricity.{direction}" if direction else supply)
        source = said.get("source") or _only_source(connection, role)
        first_ms, end_ms = ends_ms(fact.at, said.get("until", ""), zone)
        found.append(
            Supply(fact.title, supply, direction, source, role, said.get("point", ""), first_ms, end_ms, fact.id)
        )
    return found


def named(store: Store, name: str, zone: tzinfo) -> Supply:
    """The supply of that name (or series), of any part of it that only one has, or the only one where none is named;
    UserError otherwise, with those that there are.
    """
    there = every(store, zone)
    exact = [each for each in there if name in (each.name, each.role, f"{each.source}/{each.role}")]
    alike = [each for each in there if name.casefold() in f"{each.name}\n{each.source}/{each.role}".casefold()]
    found = exact or alike
    if len(found) == 1:
        return found[0]
    if not there:
        raise UserError("this store has no readings of a supply yet; import some: inglenook import FILE")
    what = f"{name!r} is no supply here" if not found else "there are several supplies; name one"
    raise UserError(f"{what}: {', '.join(f'{each.source}/{each.role}' for each in found or there)}")


def _only_source(connection: Connection, role: str) -> str:
    """The source that has a role (or its tariffs), "" where several have it or none."""
    found = {each.source for each in series_store.every(connection) if role in (each.role, whole(each.role))}
    return found.pop() if len(found) == 1 else ""


def _suggested(connection: Connection) -> Iterable[Supply]:
    """A supply of each source and role that counts one; power alone where its source counts nothing."""
    titles = {name: title for name, title, _ in sources.every(connection)}
    by_source: dict[str, dict[str, str]] = {}
    for each in series_store.every(connection):
        by_source.setdefault(each.source, {})[whole(each.role)] = each.kind
    for source, kinds in by_source.items():
        counted = [role for role, kind in kinds.items() if role in OFFERED and kind in ("register", "delta")]
        roles = counted or ([POWER] if POWER in kinds else [])
        for role in roles:
            supply, direction = OFFERED.get(role, ("electricity", "import"))
            yield Supply(f"{_TITLES[role]}, {titles.get(source, source)}", supply, direction, source, role)
