"""`inglenook records` and `sources`: what a store holds about its owner."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import chain, islice
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Connection

from appliance.archiving import summaries
from appliance.cli.context import NUMBER, Context, common, instant, is_day, print_csv, warn
from appliance.derive import attributes, events, occurrences, sums
from appliance.errors import UserError
from appliance.store import declared, sources, timeline
from appliance.store.database import Store
from appliance.store.records import Stored
from appliance.store.timeline import Query

COLUMNS = {
    "id": "Id",
    "at": "At",
    "kind": "Kind",
    "title": "What",
    "amount": "Amount",
    "unit": "",
    "account": "Account",
}
BATCH = 500
CSV = ("id", "kind", "at", "title", "party", "account", "amount", "unit", "memo", "provenance", "source", "import")


@click.command("records")
@click.option("--kind", default="", help="Only this kind, such as money.transaction.")
@click.option("--from", "first", default="", metavar="D", help="From this day on.")
@click.option("--to", "last", default="", metavar="D", help="Up to this day.")
@click.option("--search", default="", metavar="TEXT", help="Only what has these words in it, or words that begin so.")
@click.option("--source", default="", help="Only what came from this source.")
@click.option("--import", "import_id", type=NUMBER, help="Only what this import brought.")
@click.option("--as-of", "as_of", default="", metavar="T", help="What was believed then: a day's end, or a time.")
@click.option("--zone", default="", help="The zone of days, such as Europe/London; else the household's.")
@click.option(
    "--sum", "as_sum", is_flag=True, help="What they come to, by unit; an event that two tell of counts once."
)
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values.")
@common
def records_command(
    context: Context, first: str, last: str, as_of: str, zone: str, as_sum: bool, as_csv: bool, **asked: Any
) -> None:
    """Facts, newest first, each with where it came from.

    With --kind calendar.event and --from, an event that began earlier and repeats is there too, where it takes place
    again in these days.
    """
    in_zone = context.zone(zone if zone or first or last or as_of else "UTC")
    believed = _believed(as_of, in_zone) if as_of else None
    first_day, last_day = _day(first, "--from"), _day(last, "--to")
    query = Query(first_day=first_day, last_day=last_day, as_of=believed, zone=in_zone, **asked)
    with context.open_store() as store:
        if as_sum:
            _show_sums(context, store, query)
            return
        if context.as_json:
            attributes.refresh(store)
        with store.read() as connection:
            _say_what_is_not_shown(connection, query)
            found = timeline.matching(connection, query)
            again = _again(connection, query)
            if as_csv:
                print_csv(chain(map(as_row, found), map(_at_first, again)), CSV)
            elif context.as_json:
                context.show(chain(_with_attributes(connection, found), again), COLUMNS)
            else:
                context.show(chain(map(as_row, found), map(_at_first, again)), COLUMNS)


def _say_what_is_not_shown(connection: Connection, query: Query) -> None:
    known = {*declared.every(connection), *timeline.facets(connection).kinds}
    if query.kind and query.kind not in known:
        raise UserError(
            f"{query.kind!r} is no kind of fact that this store knows; there are: {', '.join(sorted(known))}"
        )
    if not query.as_of:
        for sentence in summaries.said(connection, query.kind):
            warn(f"not shown: {sentence}")


def _show_sums(context: Context, store: Store, query: Query) -> None:
    if query.as_of:
        raise UserError("--sum counts what stands now; leave out --as-of")
    events.refresh(store)
    with store.read() as connection:
        rows = [
            {"unit": each.unit, "amount": format(each.amount, "f"), "facts": each.facts, "repeated": each.repeated}
            for each in sums.of(connection, query)
        ]
        left_out = sums.left_out(connection, query)
        archived = summaries.said(connection, query.kind)
    context.show(rows, {"unit": "Unit", "amount": "Amount", "facts": "Facts", "repeated": "Told by others too"})
    if left_out:
        named = ", ".join(f"{count} of {kind}" for kind, count in left_out.items())
        warn(f"not in these sums, as nothing was paid or received: {named}; one kind is summed by --kind")
    for sentence in archived:
        warn(f"not in these sums: {sentence}")


def _again(connection: Connection, query: Query) -> Iterator[dict[str, Any]]:
    """Of a calendar, what began before the days that are asked for and takes place in them again: when in `occurs`."""
    for record, times in occurrences.matching(connection, query):
        yield as_row(record) | {"occurs": [occurrences.said(each.begins) for each in times]}


def _at_first(row: dict[str, Any]) -> dict[str, Any]:
    """A row for people, with the first time at which it takes place."""
    return row | {"at": row["occurs"][0]}


def _with_attributes(connection: Connection, found: Iterator[Stored]) -> Iterator[dict[str, Any]]:
    """Each record with what rules made of it, apart from what it says."""
    while some := list(islice(found, BATCH)):
        made = attributes.of(connection, [each.id for each in some])
        for each in some:
            yield as_row(each) | {"attributes": {name: said.value for name, said in made.get(each.id, {}).items()}}


def as_row(stored: Stored) -> dict[str, Any]:
    """A record as the command prints it."""
    return {
        "id": stored.id,
        "kind": stored.kind,
        "at": stored.at,
        "title": stored.title,
        "party": stored.party,
        "account": stored.account,
        "amount": None if stored.amount is None else format(stored.amount, "f"),
        "unit": stored.unit,
        "memo": stored.memo,
        "provenance": stored.provenance,
        "source": stored.source,
        "import": stored.import_id,
        "original": stored.original,
        "span": None if stored.first is None else [stored.first, stored.length],
        "supplier_id": stored.supplier_id,
        "about": stored.about,
        "fields": stored.fields,
    }


def _believed(said: str, zone: ZoneInfo) -> datetime:
    """An instant, to the microsecond; of a bare date the last one of that day."""
    at = instant(said, zone, "--as-of", end=True)
    return at - timedelta(microseconds=1) if is_day(said) else at


def _day(said: str, option: str) -> date | None:
    try:
        return date.fromisoformat(said) if said else None
    except ValueError:
        raise UserError(f"{option} {said}: write a date such as 2026-11-22") from None


@click.command("sources")
@common
def sources_command(context: Context) -> None:
    """Where a store's data comes from, and what was stated for each."""
    with context.open_store() as store, store.read() as connection:
        rows = [{"source": name, "title": title, "options": said} for name, title, said in sources.every(connection)]
    context.show(rows, {"source": "Source", "title": "What it is", "options": "Stated"})
