"""`inglenook import` and `inglenook imports`."""

import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from appliance import importers
from appliance.cli import asking, carrying
from appliance.cli.context import NUMBER, Context, common, counted, pairs, print_json, warn
from appliance.cli.stating import who
from appliance.config import is_zone
from appliance.errors import UserError
from appliance.ingest import folders, importing, rereading, undoing
from appliance.ingest.undoing import TakenBack
from appliance.store import imports
from appliance.store.database import Store
from appliance.store.imports import RejectRow, Report
from appliance.tables import mending

COLUMNS = {
    "import": "Import",
    "at": "At",
    "file": "File",
    "format": "Format",
    "source": "Source",
    "read": "Read",
    "stored": "Stored",
    "duplicate": "Duplicate",
    "rejected": "Rejected",
    "state": "State",
}


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE|FOLDER...")
@click.option("--as", "format", default="", help="The format, where the file does not say it itself.")
@click.option("--source", default="", help="A name of your own for where this comes from.")
@click.option(
    "--zone", default="", help="The zone of local times in the file, such as Europe/London; else the household's."
)
@click.option(
    "--set", "said", multiple=True, metavar="NAME=VALUE", help="What the format must be told, such as unit=m3."
)
@click.option("--dry-run", is_flag=True, help="Read and compare, and store nothing.")
@common
def import_command(
    context: Context,
    files: tuple[Path, ...],
    format: str,
    source: str,
    zone: str,
    said: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Bring files into a store: statements, bills, meter data. The same file twice changes nothing.

    A folder that `inglenook export` wrote comes back as a whole, into an empty store.
    """
    if exported := [found for path in files for found in folders.exports(path)]:
        if exported != list(files) or dry_run:
            raise UserError(f"{each}: this is an export; import it alone: inglenook import {each}" for each in exported)
        carrying.give_back(context, exported[0])
        return
    if zone and not is_zone(zone):
        raise UserError(f"--zone {zone}: this is not a time zone; name one such as Europe/London")
    chosen = {"format": format, "source": source, "options": _told(format, said), "dry_run": dry_run}
    chosen |= {"stated_zone": zone or None, "zone": context.config.zone}
    worst = set[str]()
    with context.open_store() as store:
        for path in _every_file(files):
            worst |= _import_one(context, store, path, chosen)
    if not worst:
        raise UserError(f"{path}: there is no file in this folder" for path in files)
    sys.exit(_exit_code(worst))


def _told(format: str, said: tuple[str, ...]) -> dict[str, str]:
    return asking.told(importers.named(format).Options, said) if format in importers.names() else pairs(said)


def _every_file(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.is_file() and not each.name.startswith("."))
        else:
            yield path


def _import_one(context: Context, store: Store, path: Path, chosen: dict[str, Any]) -> set[str]:
    """How each file went that there was: of an archive there may be many."""
    try:
        with importing.opened(path) as content:
            done = importing.import_every(store, content, **chosen)
    except UserError as error:
        done = importing.Outcome(problems=[error])
    for report in done.reports:
        _say(context, store.name, report, dry_run=chosen["dry_run"])
    for problem in done.problems:
        _say_unread(context, store.name, path, problem)
    gone = {"error"} if done.problems else set()
    return gone | {"rejected" if report.rejected else "read" for report in done.reports}


def _say_unread(context: Context, store: str, path: Path, error: UserError) -> None:
    if context.as_json:
        print_json({"file": importing.shown(path), "store": store, "error": "\n".join(error.problems)})
    for problem in error.problems:
        warn(problem)
    if isinstance(error, importing.UnknownFormatError) and error.can_be_named:
        warn("if it is one of these formats after all, say which with --as FORMAT")


def _by_reason(rejects: Iterable[RejectRow]) -> dict[str, list[RejectRow]]:
    """A file whose every row lacks the same is told so once."""
    groups: dict[str, list[RejectRow]] = defaultdict(list)
    for reject in rejects:
        groups[reject.reason].append(reject)
    return groups


def _settable(format: str) -> str:
    """What can be stated for a format, as it is typed."""
    if format == importing.TABLE:
        return "".join(f" [--set {name}=...]" for name in (*mending.WAYS, "zone")) + ' [--set "column HEADING=..."]'
    names = [each.name for each in fields(importers.named(format).Options)] if format else []
    return "".join(f" [--set {name}=...]" for name in names)


def _places(rejects: list[RejectRow]) -> str:
    first = rejects[0]
    place = ", ".join(filter(None, [first.place, f"line {first.line}" if first.line else ""]))
    return place if len(rejects) == 1 else f"{place} and {len(rejects) - 1} more"


def _exit_code(worst: set[str]) -> int:
    """2 where nothing could be done, 1 where something was left over."""
    if worst <= {"error"}:
        return 2
    return 0 if worst <= {"read"} else 1


def _say(context: Context, store: str, report: Report, *, dry_run: bool = False) -> None:
    if context.as_json:
        print_json(as_row(store, report) | ({"import": None} if dry_run else {}))
    for warning in report.warnings:
        warn(f"{report.file}: {warning}")
    for reason, rejects in _by_reason(report.rejects).items():
        warn(f"{report.file}: {_places(rejects)}: {reason}")
    settable = _settable(report.format)
    if settable and any(reject.resolved_by is None for reject in report.rejects):
        warn(
            f"where a file leaves something unsaid, state it: {context.command(f'imports retry {report.id}')}{settable}"
        )
    if not context.as_json:
        click.echo(
            f"{report.file}: {report.format}, {'dry run' if dry_run else f'import {report.id}'}: "
            f"{report.read} read = {report.stored} stored + "
            f"{report.duplicate} duplicate + {report.rejected} rejected"
        )


def as_row(store: str, report: Report) -> dict[str, Any]:
    """An import as the command prints it."""
    row = {
        "file": report.file,
        "format": report.format,
        "store": store,
        "source": report.source,
        "import": report.id,
        "at": report.at,
        "read": report.read,
        "stored": report.stored,
        "duplicate": report.duplicate,
        "rejected": report.rejected,
        "rejects": [_reject(each) for each in report.rejects],
        "warnings": report.warnings,
    }
    row |= {"undone": report.undone} if report.undone else {}
    return {**row, "error": report.error} if report.error else row


def _reject(each: RejectRow) -> dict[str, Any]:
    row = {"where": each.place, "line": each.line, "span": [each.first, each.length], "reason": each.reason}
    return {**row, "resolved_by": each.resolved_by} if each.resolved_by else row


@click.group("imports", invoke_without_command=True)
@click.option("--limit", default=50, type=NUMBER, show_default=True, help="How many, newest first.")
@common
def imports_command(context: Context, limit: int) -> None:
    """What was imported, newest first."""
    with context.open_store() as store, store.read() as connection:
        found = imports.recent(connection, limit)
    if context.as_json:
        context.show((as_row(context.store_name, report) for report in found), COLUMNS)
    else:
        context.show((as_row(context.store_name, report) | {"state": _state(report)} for report in found), COLUMNS)


def _state(report: Report) -> str:
    if report.undone:
        return f"undone {report.undone[:10]}"
    return "could not be read" if report.error else ""


@imports_command.command("show")
@click.argument("import_id", type=NUMBER)
@common
def show(context: Context, import_id: int) -> None:
    """One import with every row that it rejected."""
    with context.open_store() as store, store.read() as connection:
        report = imports.report(connection, import_id)
    if report is None:
        raise UserError(f"there is no import {import_id} in the store {context.store_name!r}; see: inglenook imports")
    _say(context, context.store_name, report)
    if report.undone and not context.as_json:
        again = context.command(f"imports redo {import_id}")
        click.echo(
            f"It was undone on {report.undone[:10]}: what only it brought stands no more. To bring it back: {again}"
        )


@imports_command.command("undo")
@click.argument("import_id", type=NUMBER)
@click.option("--why", default="", help="Why, for the history of its facts.")
@common
def undo(context: Context, import_id: int, why: str) -> None:
    """Take an import back: what only it brought stands no more. Nothing is deleted."""
    with context.open_store() as store:
        done = undoing.undo(store, import_id, who(), why)
    _say_taken_back(context, import_id, "undone", "taken away", done)


@imports_command.command("redo")
@click.argument("import_id", type=NUMBER)
@click.option("--why", default="", help="Why, for the history of its facts.")
@common
def redo(context: Context, import_id: int, why: str) -> None:
    """Bring back an import that was undone, as it stood."""
    with context.open_store() as store:
        done = undoing.redo(store, import_id, who(), why)
    _say_taken_back(context, import_id, "redone", "brought back", done)


def _say_taken_back(context: Context, import_id: int, what: str, how: str, done: TakenBack) -> None:
    if context.as_json:
        row = {"import": import_id, what: True, "facts": done.facts, "readings": done.readings, "left": done.left}
        print_json(row)
    else:
        stay = "stays as it was" if done.left == 1 else "stay as they were"
        kept = f"; {counted(done.left, 'fact')} {stay}" if done.left else ""
        gone = f"{counted(done.facts, 'fact')} and {counted(done.readings, 'reading')}"
        click.echo(f"import {import_id} {what}: {gone} {how}{kept}")


@imports_command.command("retry")
@click.argument("import_id", type=NUMBER)
@click.option("--set", "said", multiple=True, metavar="NAME=VALUE", help="What the file does not say, such as unit=m3.")
@common
def retry(context: Context, import_id: int, said: tuple[str, ...]) -> None:
    """Read an import's original again, with what you state now. It is kept for the source's next files.

    Of a table whose columns were named, this mends how it is read: --set decimal=comma, --set order="day first",
    --set "column Saldo=memo". What was read wrongly before is taken back.
    """
    with context.open_store() as store:
        report = rereading.again(store, import_id, who(), pairs(said))
    _say(context, context.store_name, report)
    sys.exit(os.EX_OK if not report.rejected else 1)
