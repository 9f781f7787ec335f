"""`inglenook archive`, `retention` and `delete`: how long facts are kept, and how they go for good."""

import sys
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from appliance.archiving import summaries
from appliance.cli.context import NUMBER, Context, Number, common, print_json, warn
from appliance.cli.stating import who
from appliance.deleting.report import Report
from appliance.errors import UserError

ARCHIVES = {
    "archive": "Archive",
    "kind": "Kind",
    "first": "From",
    "before": "Before",
    "facts": "Facts",
    "bytes": "Bytes",
    "attached": "In the store again",
}
POLICIES = {"kind": "Kind", "action": "When old", "months": "Months"}
DONE = {"kind": "Kind", "action": "Done", "before": "Before", "facts": "Facts", "archive": "Archive"}
DELETIONS = {"deletion": "Deletion", "at": "At", "deleted": "What", "facts": "Facts", "bytes": "Bytes", "why": "Why"}

YES = click.option("--yes", is_flag=True, help="Do not ask.")
WHY = click.option("--why", default="", help="Why, for the report; no content.")


def _zone(context: Context) -> ZoneInfo:
    return ZoneInfo(context.config.zone or "UTC")


# ---- archive ----


@click.group("archive", invoke_without_command=True)
@common
def archive_command(context: Context) -> None:
    """Facts that were moved out of a store into encrypted files, and what they come to by month."""
    from appliance import archiving

    with context.open_store() as store, store.read() as connection:
        rows = [each.row() for each in archiving.every(connection)]
        months = summaries.every(connection)
        said = summaries.said(connection)
    if context.as_json:
        for row in rows:
            print_json(row | {"months": [_month(each) for each in months if each.archive == row["archive"]]})
        return
    context.show(rows, ARCHIVES)
    for sentence, (_, parts) in zip(said, sorted(summaries.by_year(months).items()), strict=True):
        click.echo(f"\n{sentence}; by month:")
        context.show(map(_month, parts), {name: name.capitalize() for name in _month(parts[0])})


def _month(each: summaries.Summed) -> dict[str, Any]:
    said = {"month": each.month, "account": each.account, "facts": each.facts}
    return said | {"amount": None if each.amount is None else format(each.amount, "f"), "unit": each.unit}


@archive_command.command("make")
@click.argument("kind")
@click.option("--before", required=True, metavar="DATE", help="Facts from before the month of this day.")
@common
def make(context: Context, kind: str, before: str) -> None:
    """Move the facts of a kind from before a month into an encrypted file beside the store."""
    from appliance import archiving

    if _day(before) > datetime.now(_zone(context)).date():
        raise UserError(f"--before {before}: this day is to come; name today or one before")
    with context.open_store() as store:
        made = archiving.make(store, context.config.stores / store.name, kind, _day(before), _zone(context))
    if made is None:
        raise UserError(f"the store {context.store_name!r} has no {kind} from before {_day(before).replace(day=1)}")
    context.show([made.row()], ARCHIVES)


def _day(said: str) -> date:
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise UserError(f"--before {said}: write a date such as 2024-01-01") from None


@archive_command.command("attach")
@click.argument("number", type=NUMBER, metavar="NUMBER")
@common
def attach(context: Context, number: int) -> None:
    """Put the facts of an archive back into the store, exactly as they were."""
    from appliance import archiving, retention

    with context.open_store() as store:
        done = archiving.attach(store, context.config.stores / store.name, number)
        with store.read() as connection:
            policies = {each.kind: each.action for each in retention.every(connection)}
    context.show([done.row()], ARCHIVES)
    if policies.get(done.kind, "keep") != "keep":
        warn(f"every night {done.kind} is seen to again; to keep what is back: inglenook retention {done.kind} keep")


# ---- retention ----


@click.command("retention")
@click.argument("kind", default="")
@click.argument("action", default="", metavar="[keep | summarise | delete]")
@click.option("--after", "months", type=Number(0, 1200), default=0, metavar="N", help="After so many months.")
@common
def retention_command(context: Context, kind: str, action: str, months: int) -> None:
    """How long the facts of each kind are kept; `retention run` does now what the box does every night.

    Without a kind: every policy. With one: keep; summarise --after N (archived, monthly sums remain); delete --after N.
    """
    from appliance import retention

    with context.open_store(keeps=False) as store:  # who states another policy means it to hold now
        if kind == "run" and not action:
            done = retention.run(store, context.config.stores / store.name, _zone(context))
            context.show(done, DONE)
            return
        if action:
            kept = [retention.state(store, kind, _action(action), months)]
        else:
            with store.read() as connection:
                kept = [each for each in retention.every(connection) if kind in ("", each.kind)]
    context.show(({"kind": each.kind, "action": each.action, "months": each.months} for each in kept), POLICIES)


def _action(said: str) -> Any:
    from appliance.retention import Action

    if said not in set(Action):
        raise UserError(f"{said!r}: write keep, summarise --after MONTHS, or delete --after MONTHS")
    return Action(said)


# ---- delete ----


@click.group("delete", invoke_without_command=True)
@common
def delete_command(context: Context) -> None:
    """Delete for good; without more: what was deleted. To let a fact stand no more, but keep it: withdraw."""
    from appliance import deleting

    with context.open_store() as store:
        context.show(deleting.every(store), DELETIONS)


@delete_command.command("fact")
@click.argument("number", type=NUMBER, metavar="ID")
@WHY
@YES
@common
def delete_fact(context: Context, number: int, why: str, yes: bool) -> None:
    """A fact with all its versions and notes. No file brings it back."""
    _delete(context, "fact", number, f"fact {number}", why, yes)


@delete_command.command("import")
@click.argument("number", type=NUMBER, metavar="ID")
@WHY
@YES
@common
def delete_import(context: Context, number: int, why: str, yes: bool) -> None:
    """An import, with what no other import has met again, and its file."""
    _delete(context, "import_", number, f"import {number}", why, yes)


@delete_command.command("source")
@click.argument("name")
@WHY
@YES
@common
def delete_source(context: Context, name: str, why: str, yes: bool) -> None:
    """All that came from a source: facts, readings, files."""
    _delete(context, "source", name, f"source {name}", why, yes)


@delete_command.command("kind")
@click.argument("name", metavar="KIND")
@WHY
@YES
@common
def delete_kind(context: Context, name: str, why: str, yes: bool) -> None:
    """Every fact of a kind, archived ones too."""
    _delete(context, "kind", name, f"kind {name}", why, yes)


@delete_command.command("person")
@click.argument("name")
@WHY
@YES
@common
def delete_person(context: Context, name: str, why: str, yes: bool) -> None:
    """A person with their whole store: its key is destroyed first."""
    from appliance.deleting import whole
    from appliance.store.database import HOME, open_store

    _confirm(f"person {name}", yes)
    with open_store(context.config, HOME) as home:
        _show(context, whole.person(context.config, home, name, who(), why))


@delete_command.command("box")
@WHY
@YES
@common
def delete_box(context: Context, why: str, yes: bool) -> None:
    """Every store, key and file of this box. The report is printed, and kept nowhere."""
    from appliance.deleting import whole

    _confirm("box", yes)
    _show(context, whole.box(context.config, why))


def _delete(context: Context, what: str, which: object, called: str, why: str, yes: bool) -> None:
    from appliance import deleting

    _confirm(called, yes)
    work: Callable[..., Report] = getattr(deleting, what)
    with context.open_store() as store:
        _show(context, work(store, context.config.stores / store.name, which, who(), why, _zone(context)))


def _confirm(called: str, yes: bool) -> None:
    """Asks for the words themselves: a deletion cannot be taken back."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError("there is no terminal to ask whether you are sure; say --yes")
    said: str = click.prompt(f"This cannot be taken back. To delete it for good, type: {called}\n", err=True)
    if said.strip() != called:
        raise UserError(f"that is not {called!r}: nothing was deleted")


def _show(context: Context, report: Report) -> None:
    if context.as_json:
        print_json(report.row())
        return
    click.echo(f"Deleted {report.deleted}: {report.words}.")
    if report.left:
        click.echo("What is not in the box’s hands:")
    for each in report.left:
        click.echo(f"- {each}")
