"""Quality in traffic lights, a source and a kind (or a series) at a time: present, complete, recent, valid, agreeing.

Told from tallies of facts and from rollups of readings, however many there are. Each light says why, and what would
turn it green.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from appliance import statements
from appliance.derive import attributes, rollups, tally
from appliance.derive.matching import TRANSACTION
from appliance.derive.quality import _absent, _facts, _readings, _totals
from appliance.derive.quality._balances import Balances
from appliance.derive.quality._facts import Held
from appliance.derive.quality._lights import Colour, Light, overall
from appliance.derive.quality._statements import Missing, Statements
from appliance.derive.tally import Tally, What
from appliance.kinds import Kind
from appliance.store import declared
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.models import RecordRow, SourceRow

__all__ = ["Colour", "Light", "Missing", "Quality", "between_statements", "refresh", "told"]


@dataclass(frozen=True, slots=True)
class Quality:
    """Of what one source has of one kind: `what` is that or, for readings, the role; `title` is what a person reads."""

    source: str
    source_title: str
    what: str
    title: str
    is_series: bool
    lights: list[Light]

    @property
    def colour(self) -> Colour:
        """The colour that asks for most; grey where it cannot be told how recent it is."""
        return overall(self.lights)


def refresh(store: Store, currency: str = "") -> None:
    """Brings what lights are told from up to date."""
    tally.refresh(store)
    attributes.refresh(store, currency)
    rollups.refresh(store)


def told(connection: Connection, now: datetime) -> list[Quality]:
    """Every source and kind that there is, as of `now` in the household's zone; refresh before."""
    found = [*_of_facts(connection, now), *_of_readings(connection, now)]
    return [*found, *_of_absent(connection, {(each.source, each.what) for each in found})]


def between_statements(connection: Connection, import_id: int, now: datetime) -> list[Missing]:
    """The days that no statement covers, of the accounts whose statements an import brought."""
    own = (RecordRow.import_id == import_id) & (RecordRow.kind == statements.KIND)
    columns = (RecordRow.source_id, RecordRow.account, RecordRow.unit)
    brought = connection.execute(select(*columns).where(own, RecordRow.until_us.is_(None)).distinct()).all()
    if not brought:
        return []
    covered = Statements(connection, Balances(connection, now.date()))
    whats = [What(each.source_id, TRANSACTION, each.account, each.unit) for each in brought]
    return [missing for what in whats for missing in covered.missing(what)]


def _of_absent(connection: Connection, there: Collection[tuple[str, str]]) -> Iterator[Quality]:
    """What nothing stands of, and imports or archives tell of all the same."""
    titles = {each.name: each.title for each in connection.execute(select(SourceRow.__table__))}
    kinds = declared.every(connection)
    for each in _absent.absent(connection, _facts.imports_of(connection), there):
        many = kinds[each.kind].many if each.kind in kinds else each.kind or "Its files"
        yield Quality(each.source, titles.get(each.source, each.source), each.kind, many, False, each.lights)


def _of_facts(connection: Connection, now: datetime) -> list[Quality]:
    today = now.date()
    sources = {each.id: each for each in connection.execute(select(SourceRow.__table__))}
    known, kinds = _facts.imports_of(connection), declared.every(connection)
    misfits, said = _facts.misfits(connection), Balances(connection, today)
    beside = {name for name, kind in kinds.items() if not kind.counted}  # a balance tells about what it stands beside
    tallies = {each: own for each, own in _by_kind(connection).items() if each[1] not in beside}
    covered = Statements(connection, said)
    main, stated = _main_kinds(tallies), _totals.stated(connection, now.tzinfo or UTC)
    found = []
    for (source_id, name), own in tallies.items():
        kind = kinds.get(name) or Kind(name, name.rpartition(".")[2].replace("_", " ").capitalize())
        source = sources[source_id]
        held = Held(source.name, kind, own, misfits.get((source_id, name), 0), main[source_id] == name)
        lights = _facts.lights(held, known, said, covered, stated, today)
        found.append(Quality(source.name, source.title, name, kind.many, False, lights))
    return sorted(found, key=lambda each: (each.source_title.casefold(), each.title))


def _main_kinds(tallies: dict[tuple[int, str], dict[What, Tally]]) -> dict[int, str]:
    """The kind of which each source has most."""
    counts = {each: sum(tally.total for tally in own.values()) for each, own in tallies.items()}
    return dict(sorted(counts, key=lambda each: counts[each]))


def _by_kind(connection: Connection) -> dict[tuple[int, str], dict[What, Tally]]:
    found: dict[tuple[int, str], dict[What, Tally]] = defaultdict(dict)
    for what, each in tally.every(connection).items():
        found[what.source_id, what.kind][what] = each
    return found


def _of_readings(connection: Connection, now: datetime) -> list[Quality]:
    every = series_store.every(connection)
    titles = {each.name: each.title for each in connection.execute(select(SourceRow.__table__))}
    known = _facts.imports_of(connection)
    found = []
    for series in every:
        rivals = [each for each in every if each.role == series.role and each.id != series.id]
        lights = _readings.lights(connection, series, rivals, known, now, now.date())
        found.append(Quality(series.source, titles[series.source], series.role, series.role, True, lights))
    return found
