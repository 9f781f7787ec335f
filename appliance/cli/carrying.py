"""`inglenook export` and `mart`, and the way back of an export: what carries a store's data elsewhere."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance.cli.context import NUMBER, Context, common, print_json, warn
from appliance.config import Config
from appliance.errors import UserError
from appliance.store.database import Store
from appliance.store.keys import KeyRing

if TYPE_CHECKING:
    from appliance.marts import Refreshed

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option("--without-archive", "without", multiple=True, type=NUMBER, help="Leave this archive out: a damaged one.")
@common
def export_command(context: Context, folder: Path, without: tuple[int, ...]) -> None:
    """Write a whole store as open files, in clear, for you to carry away; import DIR brings it into an empty store."""
    from appliance.exporting import export

    with context.open_store() as store:
        manifest = export(store, _folder_of(context), folder, without)
    if context.as_json:
        print_json(manifest)
    else:
        counts = ", ".join(_counted(manifest[name], name) for name in ("records", "readings", "originals"))
        click.echo(f"{folder}: {counts}")
    if without:
        warn(f"archive {', '.join(map(str, sorted(without)))} is not in it, as its manifest says")
    warn(f"{folder} is not encrypted: keep it where you keep your papers")


def give_back(context: Context, folder: Path) -> None:
    """Brings an export into the chosen store, which is empty."""
    from appliance import returning

    with context.open_store() as store:
        counts = returning.give_back(store, _folder_of(context), folder)
    if context.as_json:
        print_json({"returned": str(folder), "store": context.store_name, **counts})
    else:
        said = ", ".join(_counted(count, name) for name, count in counts.items() if count or name != "forgotten")
        click.echo(f"{folder}: the export is in the store {context.store_name!r} again: {said}")
    if counts["forgotten"]:
        warn("what you deleted for good is known by the old store's key alone: a file that has it brings it again")


def _counted(number: int, several: str) -> str:
    """As in 1 record, 2 records."""
    return f"{number} {several.removesuffix('s') if number == 1 and several != 'series' else several}"


def _folder_of(context: Context) -> Path:
    return KeyRing(context.config.data).folder(context.store_name)


# ---- marts ----


@click.group("mart", invoke_without_command=True)
@common
def mart_command(context: Context) -> None:
    """Stores of their own, carved off this one by a selection. Alone, it lists them."""
    _list(context)


@mart_command.command("make")
@click.argument("name")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new folder.")
@click.option("--kind", "kinds", multiple=True, help="Facts of this kind, such as money.transaction, or all of money.")
@click.option("--source", "sources", multiple=True, help="Only what came from this source.")
@click.option("--from", "first", type=DAY, metavar="D", help="From this day on.")
@click.option("--to-day", "last", type=DAY, metavar="D", help="Up to this day.")
@click.option("--field", "fields", multiple=True, help="Keep this field of each fact and blank the others.")
@click.option("--granularity", type=click.Choice(("record", "day", "month")), default="record", show_default=True)
@click.option(
    "--readings", "said", multiple=True, metavar="ROLE=STEP", help="Such as electricity.import=hour, or =raw."
)
@click.option("--with-originals", is_flag=True, help="Take the files of the facts along, whole ones.")
@click.option("--frozen", is_flag=True, help="Keep it as it is today.")
@common
def make_mart(
    context: Context,
    name: str,
    folder: Path,
    first: datetime | None,
    last: datetime | None,
    said: tuple[str, ...],
    frozen: bool,
    **chosen: Any,
) -> None:
    """Carve a mart off a store: inglenook --data DIR reads it, here or elsewhere."""
    from appliance import marts
    from appliance.marts.selection import Selection

    selection = Selection(
        first_day=first.date() if first else None,
        last_day=last.date() if last else None,
        readings={role: step for role, _, step in (each.partition("=") for each in said)},
        zone=context.config.zone or "UTC",
        **chosen,
    )
    with context.open_store() as store:
        _say(context, marts.make(context.config, store, name, folder, selection, frozen=frozen))


@mart_command.command("list")
@common
def list_marts(context: Context) -> None:
    """The marts of a store, and how new each is."""
    _list(context)


def _list(context: Context) -> None:
    from appliance import marts

    with context.open_store() as store:
        rows = [
            {
                "name": each.name,
                "folder": str(each.folder),
                "state": each.state,
                "refreshed": each.refreshed,
                "selection": each.selection.row(),
            }
            for each in marts.every(store)
        ]
    columns = {"name": "Name", "folder": "Folder", "state": "State", "refreshed": "As of"}
    context.show(rows, columns)


@mart_command.command("refresh")
@click.argument("name", default="")
@common
def refresh_mart(context: Context, name: str) -> None:
    """Bring a mart, or all that are not frozen, up to the store; the box does so every hour."""
    problems: list[str] = []
    with context.open_store() as store:
        for each in _refreshed(context.config, store, name):
            if isinstance(each, UserError):
                problems += each.problems
            else:
                _say(context, each)
    if problems:
        raise UserError(problems)


def _refreshed(config: Config, store: Store, name: str) -> "Iterable[Refreshed | UserError]":
    from appliance import marts

    return [marts.refresh(config, store, name)] if name else marts.refresh_all(config, store)


def _say(context: Context, done: "Refreshed") -> None:
    counts = asdict(done.facts) | {"months": done.months}
    if context.as_json:
        print_json({"mart": done.name, **counts})
    else:
        facts = ", ".join(f"{count} {what}" for what, count in asdict(done.facts).items())
        click.echo(f"{done.name}: facts {facts}; months of readings brought: {done.months}")
    for each in done.left:
        warn(f"{done.name}: {each}")


@mart_command.command("remove")
@click.argument("name")
@click.option("--delete", "delete_folder", is_flag=True, help="Delete its folder too, its key first.")
@common
def remove_mart(context: Context, name: str, delete_folder: bool) -> None:
    """Forget a mart. Its folder stays, and is read on its own."""
    from appliance import marts

    with context.open_store() as store:
        report = marts.remove(store, name, delete_folder=delete_folder)
    if context.as_json:
        said = {"report": report.row()} if report else {}
        print_json({"mart": name, "removed": True, "deleted": delete_folder, **said})
        return
    click.echo(f"{name}: {f'deleted: {report.words}' if report else 'forgotten; its folder is left as it is'}")
    for each in report.left if report else ():
        click.echo(f"- {each}")
