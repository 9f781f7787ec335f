"""`inglenook records`, `sources` and `people`: what a store holds about its owner."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import click

from appliance.cli.context import NUMBER, Context, common, print_csv
from appliance.errors import UserError
from appliance.store import sources, timeline
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
CSV = ("id", "kind", "at", "title", "party", "account", "amount", "unit", "memo", "provenance", "source", "import")


@click.command("records")
@click.option("--kind", default="", help="Only this kind, such as money.transaction.")
@click.option("--from", "first", default="", metavar="D", help="From this day on.")
@click.option("--to", "last", default="", metavar="D", help="Up to this day.")
@click.option("--search", default="", metavar="TEXT", help="Only what has this text in it.")
@click.option("--source", default="", help="Only what came from this source.")
@click.option("--import", "import_id", type=NUMBER, help="Only what this import brought.")
@click.option("--zone", default="", help="The zone of days, such as Europe/London; else the household's.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values.")
@common
def records_command(context: Context, first: str, last: str, zone: str, as_csv: bool, **asked: Any) -> None:
    """Facts, newest first, each with where it came from."""
    in_zone = context.zone(zone if zone or first or last else "UTC")
    query = Query(first_day=_day(first, "--from"), last_day=_day(last, "--to"), zone=in_zone, **asked)
    with context.open_store() as store, store.read() as connection:
        rows: Iterator[dict[str, Any]] = map(as_row, timeline.matching(connection, query))
        if as_csv:
            print_csv(rows, CSV)
        else:
            context.show(rows, COLUMNS)


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
        "span": [stored.first, stored.length],
        "supplier_id": stored.supplier_id,
        "fields": stored.fields,
    }


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


@click.command("people")
@common
def people_command(context: Context) -> None:
    """Who lives here, and which store is whose."""
    from appliance import people
    from appliance.store.database import HOME, open_store

    with open_store(context.config, HOME, make=True) as home:
        rows = [{"name": person.name, "store": person.store} for person in people.people(home)]
    context.show(rows, {"name": "Name", "store": "Store"})
