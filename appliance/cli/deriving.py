"""`inglenook same`, `quality` and `reference`: what is worked out of facts, and beside them."""

from collections.abc import Container, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy import Connection

from appliance.cli.context import NUMBER, Context, common, counted, print_json, warn
from appliance.cli.facts import as_row
from appliance.cli.stating import who
from appliance.config import FILE
from appliance.derive import attributes, events, possible, quality, sums
from appliance.derive.events import Event
from appliance.derive.quality import Quality
from appliance.derive.rules import household_currency
from appliance.errors import UserError
from appliance.store import references
from appliance.store.links import Said
from appliance.store.records import Stored, at_text
from appliance.store.references import Reference

EVENT_COLUMNS = {
    "event": "Event",
    "id": "Id",
    "at": "At",
    "kind": "Kind",
    "title": "What",
    "amount": "Amount",
    "unit": "",
    "source": "Source",
    "why": "Why",
}
MOST_NAMED = 10


class ByNumber(click.Group):
    """A group whose command `show` needs no name: `same 12` is `same show 12`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        return super().resolve_command(ctx, ["show", *args] if args and args[0].isdecimal() else args)


@click.group("same", cls=ByNumber, invoke_without_command=True)
@click.option("--limit", default=50, type=NUMBER, show_default=True, help="How many, newest first.")
@common
def same_command(context: Context, limit: int) -> None:
    """Facts of several sources that tell of one event: linked, and counted once. With an ID: those of one fact."""
    with context.open_store() as store:
        events.refresh(store)
        with store.read() as connection:
            _show(context, connection, events.every(connection, limit))
            open_ = possible.every(connection)
    if open_:
        named = ", ".join(map(str, open_[:MOST_NAMED])) + (", …" if len(open_) > MOST_NAMED else "")
        warn(
            f"{counted(len(open_), 'fact')} might be the same as others, and more than one fits: {named}; see which: "
            f"inglenook same {open_[0]}, and say so: inglenook same join ID ID, or inglenook same split ID ID"
        )


@same_command.command("show", hidden=True)
@click.argument("fact", type=NUMBER, metavar="ID")
@common
def show(context: Context, fact: int) -> None:
    """What else tells of the event of a fact, and what might."""
    with context.open_store() as store:
        events.refresh(store)
        with store.read() as connection:
            found = events.of(connection, fact)
            if found is None:
                raise UserError(f"there is no fact {fact} in the store {context.store_name!r}; see: inglenook records")
            _show(context, connection, [found])


@same_command.command("join")
@click.argument("one", type=NUMBER, metavar="ID")
@click.argument("other", type=NUMBER, metavar="ID")
@click.option("--why", default="", help="Why, for whoever looks later.")
@common
def join(context: Context, one: int, other: int, why: str) -> None:
    """Say that two facts tell of one event. Your word stands over any rule's."""
    with context.open_store() as store:
        events.join(store, one, other, who(), why)
        with store.read() as connection:
            _show(context, connection, [_needed(events.of(connection, one))])


@same_command.command("split")
@click.argument("one", type=NUMBER, metavar="ID")
@click.argument("other", type=NUMBER, metavar="ID")
@click.option("--why", default="", help="Why, for whoever looks later.")
@common
def split(context: Context, one: int, other: int, why: str) -> None:
    """Say that two facts tell of different events. Your word stands over any rule's."""
    with context.open_store() as store:
        events.split(store, one, other, who(), why)
        with store.read() as connection:
            _show(context, connection, [_needed(events.of(connection, fact)) for fact in (one, other)])


def _needed(found: Event | None) -> Event:
    if found is None:
        raise RuntimeError("the fact is gone")
    return found


def _show(context: Context, connection: Connection, found: list[Event]) -> None:
    counting = sums.counting(connection, found)
    if context.as_json:
        for event in found:
            print_json(_as_row(event, counting))
    else:
        context.show((row for event in found for row in _lines(event, counting)), EVENT_COLUMNS)


def _as_row(event: Event, counting: Container[int]) -> dict[str, Any]:
    return {
        "event": event.facts[0].id,
        "facts": [_fact(each) | {"counts": each.id in counting} for each in event.facts],
        "links": [_link(each) for each in event.said],
        "possible": [_fact(each) | {"why": why} for each, why in event.possible],
    }


def _fact(record: Stored) -> dict[str, Any]:
    names = ("id", "kind", "at", "title", "party", "account", "amount", "unit", "source")
    return {name: value for name, value in as_row(record).items() if name in names}


def _link(said: Said) -> dict[str, Any]:
    facts = {"facts": [said.one, said.other], "same": said.joined, "rule": said.rule, "why": said.reason}
    return facts | {"who": said.who, "at": said.at}


def _lines(event: Event, counting: Container[int]) -> Iterator[dict[str, Any]]:
    number = event.facts[0].id
    for record in event.facts:
        counts = "counts" if record.id in counting else ""
        why = "" if record.id == number else _why(event, record.id)
        yield _fact(record) | {"event": number, "why": "; ".join(filter(None, (counts, why)))}
    for record, why in event.possible:
        yield _fact(record) | {"event": "", "why": f"might be the same, and others fit too: {why}"}


def _why(event: Event, fact: int) -> str:
    """What links a fact with its event, a person's word first."""
    own = [each for each in event.said if fact in (each.one, each.other) and each.joined]
    own.sort(key=lambda each: not each.by_person)
    return "; ".join(
        f"{each.who} said so{f': {each.reason}' if each.reason else ''}" if each.by_person else each.reason
        for each in own[:1]
    )


QUALITY_COLUMNS = {"what": "What", "light": "Is it", "why": "Why, and what to do"}
SIGNS = {"green": "● good", "amber": "▲ look", "red": "■ act", "grey": "○ unknown"}  # colour is never the only sign


@click.command("quality")
@common
def quality_command(context: Context) -> None:
    """How good the data is: present, complete, recent, valid and agreeing, with why, and what would turn it green."""
    now = datetime.now(ZoneInfo(context.config.zone or "UTC"))
    with context.open_store(measured=True) as store:
        quality.refresh(store, context.config.currency)
        with store.read() as connection:
            found = quality.told(connection, now)
    if context.as_json:
        context.show(map(_quality, found), {})
    elif found:
        context.show((row for each in found for row in _lights(each)), QUALITY_COLUMNS)
    else:
        click.echo("There is nothing to look at yet; bring a file in: inglenook import FILE")


def _quality(found: Quality) -> dict[str, Any]:
    names = {"name": "name", "light": "colour", "why": "why", "next": "next", "import": "import_id"}
    lights = [{key: getattr(each, name) for key, name in names.items()} for each in found.lights]
    what = "series" if found.is_series else "kind"
    return {"source": found.source, what: found.what, "light": found.colour, "lights": lights}


def _lights(found: Quality) -> Iterator[dict[str, Any]]:
    """A line a light; who and what stand on the first."""
    what = f"{found.source_title}:\n{found.title}"
    for each in found.lights:
        yield {"what": what, "light": f"{each.name}: {SIGNS[each.colour]}", "why": f"{each.why} {each.next}".rstrip()}
        what = ""


REFERENCE_COLUMNS = {
    "name": "Table",
    "file": "File",
    "rows": "Rows",
    "key": "Key",
    "day": "Day",
    "join": "Joins",
    "at": "Added",
}


@click.group("reference")
@common
def reference_command(context: Context) -> None:
    """Tables about the world that facts are joined with: exchange rates, postcodes, categories, or your own."""


@reference_command.command("add")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", required=True, metavar="COLUMN", help="The column by which a row is found.")
@click.option("--day", default="", metavar="COLUMN", help="The column with the day from which a row holds.")
@click.option("--join", default="", metavar="KIND.FIELD", help="What it says more about, such as shop.order.party.")
@common
def add(context: Context, name: str, file: Path, key: str, day: str, join: str) -> None:
    """Add a CSV file as a table, in place of one of its name. exchange-rates needs a column rate and keys such as
    USD/EUR, postcodes a column region, categories a column category and patterns of payees as keys."""
    with context.open_store() as store:
        table = attributes.add_table(store, name, file.name, file.read_bytes(), key, day, join)
        attributes.refresh(store, context.config.currency)
        with store.read() as connection:
            rows = [_table(table, references.count(connection, name))]
            currency = attributes.currency(connection)
    if name == household_currency.TABLE and not currency:
        warn(
            "no currency of the household is known, so no amount is worked out in it; write in "
            f'{context.config.data / FILE}: [household] and below it currency = "EUR"'
        )
    context.show(rows, REFERENCE_COLUMNS)


@reference_command.command("list")
@common
def list_tables(context: Context) -> None:
    """The tables that there are."""
    with context.open_store() as store, store.read() as connection:
        rows = [_table(each, references.count(connection, each.name)) for each in references.every(connection)]
    context.show(rows, REFERENCE_COLUMNS)


@reference_command.command("remove")
@click.argument("name")
@common
def remove(context: Context, name: str) -> None:
    """Take a table away, and what was worked out with it."""
    with context.open_store() as store:
        attributes.remove_table(store, name)
        attributes.refresh(store, context.config.currency)
    if context.as_json:
        print_json({"name": name, "removed": True})
    else:
        click.echo(f"table {name}: removed")


def _table(table: Reference, rows: int) -> dict[str, Any]:
    names = ("name", "key", "day", "join", "columns")
    said = {"file": table.title, "rows": rows, "original": table.sha256, "at": at_text(table.at_us)}
    return {name: getattr(table, name) for name in names} | said
