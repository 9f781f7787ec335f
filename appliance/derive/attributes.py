"""Attributes: what rules work out of facts, kept apart from them, and made anew when a fact, a rule or a table changes.

A rule is code (rules/), or a reference table that a person joined with a field of a kind: its columns are then said of
each fact that names its key.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from appliance import kinds
from appliance.derive import rules, since
from appliance.derive.rules import Made, World, day_of
from appliance.derive.since import Mark
from appliance.errors import UserError
from appliance.kinds import COLUMNS, Kind
from appliance.naming import slug
from appliance.store import declared, links, records, references
from appliance.store.database import Store
from appliance.store.models import Attribute, RecordRow, RuleState, Setting, Verification
from appliance.store.records import Stored
from appliance.store.references import Lookup, Reference

CURRENCY = "currency"
JOINED = "table "  # begins the name of a rule that a table is
TEXTS = frozenset(COLUMNS) - {"at", "amount"}

_Derive = Callable[[Stored, World], Iterable[Made]]


@dataclass(frozen=True, slots=True)
class Said:
    """An attribute of a fact: its value, what a person calls it, the rule that made it, and what it was made from."""

    value: str
    title: str
    rule: str
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Rule:
    version: str
    kinds: frozenset[str]
    derive: _Derive


def of(connection: Connection, facts: Collection[int]) -> dict[int, dict[str, Said]]:
    """The attributes of facts, by fact and name; bring them up to date before."""
    found: dict[int, dict[str, Said]] = {}
    asked = select(Attribute.__table__).where(links.among(Attribute.fact, facts)).order_by(Attribute.name)
    for row in links.rows(connection, asked):
        found.setdefault(row.fact, {})[row.name] = Said(row.value, _title(row.name, row.rule), row.rule, row.inputs)
    return found


def verifications(connection: Connection, fact: int) -> list[dict[str, Any]]:
    """What third parties said of the truth of a fact, oldest first."""
    found = select(Verification.__table__).where(Verification.fact == fact).order_by(Verification.id)
    return [dict(row._mapping) for row in connection.execute(found)]


def _title(name: str, rule: str) -> str:
    known = rules.every().get(rule)
    return known.TITLE if known else name


# ---- reference tables ----


def add_table(store: Store, name: str, file: str, data: bytes, key: str, day: str = "", join: str = "") -> Reference:
    """Adds a reference table, in place of one of its name; UserError with all that is wrong with the file."""
    if name != slug(name):
        raise UserError(f"{name!r} is no name of a table; {slug(name)!r} would be")
    checks = {column: check for rule in rules.every().values() for column, check in rule.SETS.get(name, {}).items()}
    with store.write() as connection:
        if join:
            _joined(join, declared.every(connection))
        elif not checks:
            known = ", ".join(sorted({table for rule in rules.every().values() for table in rule.SETS}))
            raise UserError(
                f"no rule uses a table {name!r} (they use {known}); say with --join KIND.FIELD what it joins"
            )
        said = {"name": name, "file": file, "key": key, "day": day, "join": join}
        return references.add(connection, store.key, said, data, checks)


def remove_table(store: Store, name: str) -> None:
    """Takes a reference table away; what was made with it goes when attributes are next brought up to date."""
    with store.write() as connection:
        if not references.remove(connection, name):
            known = ", ".join(each.name for each in references.every(connection)) or "none yet"
            raise UserError(f"there is no table {name!r} in the store {store.name!r}; there are: {known}")


def _joined(join: str, known: Mapping[str, Kind]) -> tuple[Kind, str]:
    """The kind and the field of KIND.FIELD; both names may have dots. UserError where there is none such."""
    fitting = [kind for name, kind in known.items() if join.startswith(f"{name}.")]
    if not fitting:
        raise UserError(
            f"--join {join}: write KIND.FIELD, such as me.address.postcode; the kinds are {', '.join(sorted(known))}"
        )
    kind = max(fitting, key=lambda each: len(each.name))
    field = join.removeprefix(f"{kind.name}.")
    if field not in TEXTS | kind.fields.keys():
        raise UserError(
            f"--join {join}: {kind.name} has no field {field!r}; it has {', '.join(sorted(TEXTS | kind.fields.keys()))}"
        )
    return kind, field


# ---- bringing them up to date ----


def refresh(store: Store, currency: str = "") -> int:
    """Works out anew what is new or was made of something else; of how many facts.

    `currency` is the household's, where it is known here: a store keeps what it was told last.
    """
    with store.read() as connection:
        known = _every(connection, _world(connection, currency))
        if not (_is_told(connection, currency) or _foreign(connection, known) or _stale(connection, known)):
            return 0
    seen, more = 0, True
    while more:
        with store.write() as connection:
            _tell(connection, currency)
            count, more = _follow(connection)
            seen += count
    return seen


def currency(connection: Connection) -> str:
    """The household's currency, as the store was told it last; "" where nobody told."""
    return _world(connection).currency


def _world(connection: Connection, currency: str = "") -> World:
    said = connection.execute(select(Setting.value).where(Setting.name == CURRENCY)).scalar_one_or_none()
    return World(currency or said or "", declared.every(connection), {})


def _is_told(connection: Connection, currency: str) -> bool:
    return bool(currency) and _world(connection).currency != currency


def _tell(connection: Connection, currency: str) -> None:
    if _is_told(connection, currency):
        done = connection.execute(update(Setting).where(Setting.name == CURRENCY).values(value=currency))
        if not done.rowcount:
            connection.execute(insert(Setting).values(name=CURRENCY, value=currency))


def _every(connection: Connection, world: World) -> dict[str, _Rule]:
    """The rules that have what they need, by name."""
    tables = {each.name: each for each in references.every(connection)}
    own_kinds = str(
        sorted((name, str(kind.declaration())) for name, kind in world.kinds.items() if name not in kinds.every())
    )
    found = {}
    for name, rule in rules.every().items():
        if rule.SETS.keys() <= tables.keys():
            used = [rule.VERSION, world.currency, own_kinds, *(tables[each].version for each in rule.SETS)]
            found[name] = _Rule(_digest(used), rule.KINDS, rule.derive)
    for table in tables.values():
        if table.join:
            kind, field = _joined(table.join, world.kinds)
            found[f"{JOINED}{table.name}"] = _Rule(
                table.version, frozenset({kind.name}), partial(_row_of, table, field)
            )
    return found


def _digest(texts: Iterable[str]) -> str:
    return blake2b("\n".join(texts).encode(), digest_size=8).hexdigest()


def _foreign(connection: Connection, known: Mapping[str, _Rule]) -> list[str]:
    """Rules of which attributes are there, and that there are no more."""
    return [name for name in connection.execute(select(Attribute.rule).distinct()).scalars() if name not in known]


def _stale(connection: Connection, known: Mapping[str, _Rule]) -> bool:
    return any(since.is_stale(connection, f"attributes {name}", rule.version) for name, rule in known.items())


def _follow(connection: Connection) -> tuple[int, bool]:
    """Does a part for the rules that have come least far; how many facts it was, and whether there is more to do."""
    world = _world(connection)
    known = _every(connection, world)
    for name in _foreign(connection, known):
        _drop(connection, name)
    marks = {name: since.mark_of(connection, f"attributes {name}", rule.version) for name, rule in known.items()}
    behind = [name for name, rule in known.items() if since.is_stale(connection, f"attributes {name}", rule.version)]
    if not behind:
        return 0, False
    places = {name: (marks[name].record_id, marks[name].change_id, marks[name].kept) for name in behind}
    least = min(places.values())
    chosen = {name: known[name] for name in behind if places[name] == least}
    count, at_end = _step(connection, chosen, marks, world)
    return count, not at_end or len(chosen) < len(behind)


def _drop(connection: Connection, rule: str) -> None:
    connection.execute(delete(Attribute).where(Attribute.rule == rule))
    connection.execute(delete(RuleState).where(RuleState.name == f"attributes {rule}"))


def _step(
    connection: Connection, chosen: Mapping[str, _Rule], marks: Mapping[str, Mark], world: World
) -> tuple[int, bool]:
    before = marks[next(iter(chosen))]
    step = since.step(connection, before, (RecordRow.id, RecordRow.fact))
    if before.is_new or step.moved:  # by its first step, or where facts went to an archive or came back from one
        for name in chosen:
            _drop(connection, name)
    if step.moved and not before.is_new:
        return 0, False
    again = {row.fact for row in step.begun if row.fact != row.id} | {row.fact for row in step.ended}
    gone = links.among(Attribute.fact, again) & Attribute.rule.in_(chosen)
    ended = links.among(Attribute.record_id, {row.id for row in step.ended})
    earlier = links.among(Attribute.fact, {row.fact for row in step.begun if row.fact != row.id})
    links.remove(connection, delete(Attribute).where(gone, ended | earlier))
    tables = {table for name in chosen if name in rules.every() for table in rules.every()[name].SETS}
    tables |= {name.removeprefix(JOINED) for name in chosen if name.startswith(JOINED)}
    world = World(world.currency, world.kinds, {name: references.lookup(connection, name) for name in tables})
    within = (RecordRow.id > before.record_id) & (RecordRow.id <= step.mark.record_id)
    _make(connection, chosen, world, records.selected().where(within))
    for name, rule in chosen.items():
        since.keep(
            connection,
            f"attributes {name}",
            Mark(rule.version, step.mark.record_id, step.mark.change_id, step.mark.kept),
        )
    return len(step.begun), step.is_last


def _make(connection: Connection, chosen: Mapping[str, _Rule], world: World, which: Any) -> None:
    wanted = frozenset[str]().union(*(rule.kinds for rule in chosen.values()))
    if all(rule.kinds for rule in chosen.values()):
        which = which.where(RecordRow.kind.in_(wanted))
    rows = [
        {"fact": fact.id, "record_id": fact.version, "rule": name, **made._asdict()}
        for fact in map(records.stored, connection.execute(which))
        for name, rule in chosen.items()
        if not rule.kinds or fact.kind in rule.kinds
        for made in rule.derive(fact, world)
    ]
    if rows:
        connection.execute(insert(Attribute), rows)


def _row_of(table: Reference, field: str, fact: Stored, world: World) -> Iterable[Made]:
    """The columns of the table's row for a fact."""
    key = getattr(fact, field) if field in TEXTS else fact.fields.get(field, "")
    rows: Lookup = world.tables[table.name]
    found = rows.find(key, day_of(fact)) if key else None
    if found is None:
        return
    inputs = {field: key, "table": table.title} | ({"from": found.from_day.isoformat()} if found.from_day else {})
    for column in table.columns:
        if column not in (table.key, table.day) and found.row[column]:
            yield Made(f"{table.name}.{column}", found.row[column], inputs)
