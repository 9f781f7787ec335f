"""Events at meters, checked against the series that there are: one that fits none would do nothing, unsaid."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from sqlalchemy import Connection

from appliance.kinds import FieldsError
from appliance.obis import TARIFFS
from appliance.store import series as series_store
from appliance.store.series import SeriesId

EVENT, READING = "energy.meter_event", "energy.meter_reading"
COUNTED = frozenset({"swap", "reset", "rollover", "move", "multiplier", "nothing"})
BROKEN = frozenset({"swap", "reset", "rollover", "move"})
"""After these a register goes on elsewhere than it was."""

MULTIPLIER = "multiplier"
_LARGEST = Decimal(10**10)
_LARGEST_FACTOR = Decimal(1_000_000)


def means(said: str, role: str) -> bool:
    """Whether what a person says of a series' role means this one: itself, or the whole of which it is a tariff."""
    return role == said or (role.startswith(said) and role.removeprefix(said) in TARIFFS)


def holds_for(fields: Mapping[str, str], series: SeriesId) -> bool:
    """Whether what a person says happened at a meter, by its source, role and supply, is of this register."""
    source, role, supply = (fields.get(name, "") for name in ("source", "role", "supply"))
    if source or role:
        return source in ("", series.source) and (not role or means(role, series.role))
    return bool(supply) and series.role.partition(".")[0] == supply


def check(connection: Connection, kind: str, fields: Mapping[str, str]) -> None:
    """FieldsError, with all that is wrong, of an event at a meter."""
    if kind != EVENT:
        return
    wrong = _numbers(fields)
    every = [each for each in series_store.every(connection) if each.kind != "gauge"]
    if every and fields.get("event") in COUNTED:
        wrong |= _series(every, fields)
    if wrong:
        raise FieldsError(wrong, [f"{name}: {reason}" for name, reason in wrong.items()])


def _numbers(fields: Mapping[str, str]) -> dict[str, str]:
    wrong = {
        name: f"{fields[name]} is no register of a meter; write at most {_LARGEST:,}"
        for name in ("old_register", "new_register")
        if fields.get(name) and not 0 <= Decimal(fields[name]) < _LARGEST
    }
    factor = Decimal(fields.get("factor") or 0)
    if fields.get("event") == MULTIPLIER and not 0 < factor <= _LARGEST_FACTOR:
        wrong["factor"] = "say by what to multiply, such as 0.1 where it counted ten times too much"
    return wrong


def _series(every: list[SeriesId], fields: Mapping[str, str]) -> dict[str, str]:
    source, role, supply = (fields.get(name, "") for name in ("source", "role", "supply"))
    if not (source or role or supply):
        return {"source": f"say at which meter; there are: {_named(each.source for each in every)}"}
    own = [each for each in every if source in ("", each.source)]
    if not own:
        return {"source": f"no meter is called {source!r}; there are: {_named(each.source for each in every)}"}
    meant = [each for each in own if not role or means(role, each.role)]
    if not meant:
        return {"role": f"there is no {role!r}; there are: {_named(each.role for each in own)}"}
    if not (source or role) and not any(each.role.partition(".")[0] == supply for each in own):
        return {"supply": f"no meter counts {supply}; there are: {_named(each.role for each in own)}"}
    registers = {each.role for each in meant if each.source == meant[0].source}
    if len(registers) > 1 and (fields.get("old_register") or fields.get("new_register")):
        return {"role": f"say whose register it is, one fact for each; there are: {_named(registers)}"}
    return {}


def _named(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
