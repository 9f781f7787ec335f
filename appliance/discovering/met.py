"""What a store has already, by source and kind, and whom its owner pays: who holds more."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from appliance.discovering.directory import Company, of_payee
from appliance.discovering.routes import Route, route_for
from appliance.store import feeds
from appliance.store import series as series_store
from appliance.store.models import RecordRow, SourceRow
from appliance.store.records import at_text

MOST_PAYEES = 5_000


@dataclass(frozen=True, slots=True)
class Here:
    """What is here of one source: facts of a kind, or readings of a role; from when to when, as ISO instants."""

    source: str
    kind: str
    count: int
    first: str
    last: str
    is_readings: bool = False


@dataclass(frozen=True, slots=True)
class Met:
    """A supplier that the person pays: how often, when last, and the way to what it holds."""

    name: str
    payments: int
    last: str
    route: Route | None
    company: Company | None


def here(connection: Connection) -> list[Here]:
    """What the store has, the freshest first."""
    facts = (
        select(SourceRow.title, RecordRow.kind, func.count(), func.min(RecordRow.at_us), func.max(RecordRow.at_us))
        .join(SourceRow, SourceRow.id == RecordRow.source_id)
        .where(RecordRow.until_us.is_(None), RecordRow.zone != "", RecordRow.import_id.is_not(None))
        .group_by(SourceRow.title, RecordRow.kind)
    )
    found = [
        Here(source, kind, many, at_text(first_us), at_text(last_us))
        for source, kind, many, first_us, last_us in connection.execute(facts)
    ]
    for each in series_store.every(connection):
        if extent := series_store.extent(connection, each):
            first_ms, last_ms, many = extent
            found.append(Here(each.source, each.role, many, at_text(first_ms * 1000), at_text(last_ms * 1000), True))
    return sorted(found, key=lambda each: each.last, reverse=True)


def met(connection: Connection) -> list[Met]:
    """The suppliers among whom the person pays, those with a way to their data first, then the most paid."""
    payees = (
        select(RecordRow.party, func.count(), func.max(RecordRow.at_us))
        .where(RecordRow.kind == "money.transaction", RecordRow.until_us.is_(None), RecordRow.party != "")
        .group_by(RecordRow.party)
        .order_by(func.count().desc())
        .limit(MOST_PAYEES)
    )
    many: Counter[str] = Counter()
    last_us: dict[str, int] = {}
    ways: dict[str, tuple[Route | None, Company | None]] = {}
    for party, count, at_us in connection.execute(payees):
        route, company = route_for(party), of_payee(party)
        name = company.name if company and not route else route.name if route else ""
        if name:
            many[name] += count
            last_us[name] = max(last_us.get(name, at_us), at_us)
            ways[name] = route, company
    found = [Met(name, count, at_text(last_us[name]), *ways[name]) for name, count in many.items()]
    return sorted(found, key=lambda each: (each.route is None, -each.payments, each.name))


def fetched(connection: Connection) -> dict[str, str]:
    """The feeds that are set up, by connector: when each was fetched last, as an ISO instant, "" for never."""
    found = {}
    for feed in feeds.every(connection):
        last = feeds.fetches(connection, feed.id, 1)
        found[feed.connector] = at_text(last[0].begun_us) if last else ""
    return found
