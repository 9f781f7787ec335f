"""`inglenook feeds`: what is fetched by itself, from where, how often, and how it went."""

import dataclasses
import re
import sys
from datetime import UTC, datetime
from typing import Any, NoReturn

import click

from appliance import connectors
from appliance.cli import asking
from appliance.cli.context import Context, common, counted, print_json, warn
from appliance.config import options_from
from appliance.errors import UserError
from appliance.ingest import fetching, planning, trying
from appliance.store import feeds
from appliance.store.database import Store
from appliance.store.feeds import Feed, Fetch

COLUMNS = {"name": "Feed", "connector": "From", "state": "State", "every": "Every", "last": "Last", "next": "Next"}
FETCHES = {
    "at": "At",
    "state": "State",
    "files": "Files",
    "read": "Read",
    "stored": "Stored",
    "duplicate": "Duplicate",
    "rejected": "Rejected",
    "message": "What happened",
}
ROWS = {"when": "When", "what": "What", "party": "With", "value": "Value", "memo": "Besides"}
_UNITS = {"m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_EVERY = click.option("--every", default="", metavar="TIME", help="How often, such as 30m, 6h, 1d or 2w.")
_SET = click.option(
    "--set",
    "said",
    multiple=True,
    metavar="NAME=VALUE",
    help="What the service needs; NAME=@FILE reads a secret, or a text of several lines.",
)


@click.group("feeds", invoke_without_command=True)
@common
def feeds_command(context: Context) -> None:
    """What is fetched by itself, and from where."""
    with context.open_store() as store, store.read() as connection:
        found = [(each, feeds.fetches(connection, each.id, 1)) for each in feeds.every(connection)]
    context.show((_row(context, feed, fetches) for feed, fetches in found), COLUMNS)


@feeds_command.command("add")
@click.argument("connector")
@click.argument("name")
@_SET
@_EVERY
@click.option("--dry-run", is_flag=True, help="Fetch the first file, show what comes of it, and keep nothing.")
@common
def add(context: Context, connector: str, name: str, said: tuple[str, ...], every: str, dry_run: bool) -> None:
    """Set up a service to fetch from; see: inglenook connectors. It is tried at once."""
    module = connectors.named(connector)
    given = _said(module, said, ask=True)
    if dry_run:
        _try(context, connector, given)
    with context.open_store() as store:
        feed = fetching.add(store, name, connector, given, _seconds(every))
        planning.write(context.config, store)
        _fetch(context, store, feed)


@feeds_command.command("change")
@click.argument("name")
@_SET
@_EVERY
@common
def change(context: Context, name: str, said: tuple[str, ...], every: str) -> None:
    """Say something anew: another password, another rhythm. It is tried at once."""
    with context.open_store() as store:
        with store.read() as connection:
            feed = feeds.named(connection, name)
        given = _said(connectors.named(feed.connector), said, ask=False)
        _fetch(context, store, fetching.change(store, feed, given, _seconds(every)))


@feeds_command.command("run")
@click.argument("name")
@common
def run(context: Context, name: str) -> None:
    """Fetch now what is new."""
    with context.open_store() as store:
        with store.read() as connection:
            feed = feeds.named(connection, name)
        _fetch(context, store, feed)


@feeds_command.command("show")
@click.argument("name")
@common
def show(context: Context, name: str) -> None:
    """How the last fetches went, the newest first."""
    with context.open_store() as store, store.read() as connection:
        found = feeds.fetches(connection, feeds.named(connection, name).id)
    context.show((_fetch_row(each) for each in found), FETCHES)


@feeds_command.command("stop")
@click.argument("name")
@common
def stop(context: Context, name: str) -> None:
    """Fetch no more, until it is run or changed."""
    with context.open_store() as store:
        with store.write() as connection:
            feeds.change(connection, feeds.named(connection, name).id, stopped=feeds.BY_PERSON)
        planning.write(context.config, store)


@feeds_command.command("remove")
@click.argument("name")
@common
def remove(context: Context, name: str) -> None:
    """Take a feed away with its passwords. What it brought stays."""
    with context.open_store() as store:
        with store.write() as connection:
            feeds.remove(connection, feeds.named(connection, name).id)
        planning.write(context.config, store)


def _said(module: Any, said: tuple[str, ...], *, ask: bool) -> dict[str, str]:
    """What was stated; a secret comes from a file, or is asked for: a command line is seen by others."""
    given = asking.told(module.Options, said)
    secret = {each.name: each for each in dataclasses.fields(module.Options) if each.metadata.get("secret")}
    if ask and sys.stdin.isatty():
        for name in secret.keys() - given.keys():
            title = secret[name].metadata["title"]
            if answer := click.prompt(title, hide_input=True, default="", show_default=False, err=True):
                given[name] = answer
    return given


def _try(context: Context, connector: str, given: dict[str, str]) -> NoReturn:
    """Shows what would come of a service that is not set up. Exit 1 where something would be rejected."""
    module = connectors.named(connector)
    if not connectors.is_tried_first(module):
        raise UserError(
            f"{connector} cannot be tried; set it up, and take back what you do not want: inglenook imports"
        )
    tried = trying.feed(module, options_from(module.Options, given, connector), zone=context.config.zone)
    if tried is None:
        warn(trying.NOTHING_YET)
        sys.exit(0)
    for warning in (*tried.warnings, tried.onward):
        warn(f"{tried.file}: {warning}")
    for each in tried.rejects:
        warn(f"{tried.file}: {each.where}: {each.reason}")
    if context.as_json:
        rejects = [{"where": each.where, "line": each.line, "reason": each.reason} for each in tried.rejects]
        said = {name: getattr(tried, name) for name in ("file", "read", "rejected", "rows", "warnings", "onward")}
        print_json({**said, "rejects": rejects})
    else:
        context.show(tried.rows, ROWS)
        click.echo(f"{tried.file}: {tried.read} read, {tried.rejected} would be rejected; nothing was stored")
    sys.exit(1 if tried.rejected else 0)


def _seconds(every: str) -> int | None:
    if not every:
        return None
    found = re.fullmatch(r"([0-9]{1,4})([mhdw])", every.strip())
    if found is None:
        raise UserError(f"--every {every}: write a number and m, h, d or w, such as 6h")
    return int(found[1]) * _UNITS[found[2]]


def _fetch(context: Context, store: Store, feed: Feed) -> None:
    with planning.alone(context.config, store.name, feed.id) as is_alone:
        if not is_alone:
            raise UserError(f"{feed.name} is being fetched at this moment; see: {context.command('feeds')}")
        try:
            done = fetching.fetch(store, feed.id, zone=context.config.zone)
        finally:
            planning.write(context.config, store)
    if context.as_json:
        print_json({"name": feed.name, **_fetch_row(done)})
    else:
        went = f": {done.message}" if done.message else ""
        files = counted(done.files, "file")
        click.echo(
            f"{feed.name}: {done.state}{went}\n{files}: {done.read} read = {done.stored} stored + "
            f"{done.duplicate} duplicate + {done.rejected} rejected"
        )
    sys.exit({feeds.DONE: 1 if done.rejected else 0}.get(done.state, 2))


def _row(context: Context, feed: Feed, fetches: list[Fetch]) -> dict[str, Any]:
    running = planning.said(context.config, context.store_name, feed.id)
    last = fetches[0] if fetches else None
    state = "fetching" if running else feed.stopped or (last.message or last.state if last else "not yet fetched")
    row = {
        "name": feed.name,
        "connector": feed.connector,
        "state": state,
        "every": _every(feed.rhythm_s),
        "last": _at(last.begun_us) if last else None,
        "next": None if feed.stopped else _at(feed.next_us),
    }
    return {**row, "options": feed.options} if context.as_json else row


def _fetch_row(fetch: Fetch) -> dict[str, Any]:
    said = dataclasses.asdict(fetch)
    return {"at": _at(fetch.begun_us)} | {key: said[key] for key in (*FETCHES, "imports") if key in said}


def _every(seconds: int) -> str:
    unit = next(name for name in ("w", "d", "h", "m") if seconds % _UNITS[name] == 0 or name == "m")
    return f"{seconds // _UNITS[unit]}{unit}"


def _at(at_us: int) -> str:
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
