"""`inglenook add`, `correct`, `withdraw`, `restore`, `annotate`, `history` and `kinds`: what a person says themself."""

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from appliance import kinds
from appliance.cli import attaching
from appliance.cli.context import NUMBER, Context, common, once, print_json, warn
from appliance.cli.facts import as_row
from appliance.cli.tables import print_table
from appliance.errors import UserError
from appliance.ingest import meter_facts, stating
from appliance.kinds import DoubtError, Field, Kind
from appliance.store import declared, versions
from appliance.store.records import Stored
from appliance.store.versions import Version

FIELDS = {
    "field": "Field",
    "title": "What it is",
    "type": "Type",
    "needed": "Needed",
    "schema_org": "schema.org",
    "dpv": "W3C DPV",
}
LONGEST_FILE = 1 << 20


def who() -> str:
    """Who runs the command, for the history of what it changes."""
    try:
        return f"{getpass.getuser()}, by command"
    except (KeyError, OSError):  # a user without a name
        return "somebody, by command"


@click.command("add")
@click.argument("kind")
@click.argument("said", nargs=-1, metavar="FIELD=VALUE...")
@click.option("--sure", is_flag=True, help="Keep what was asked back: it is right as it is.")
@common
def add_command(context: Context, kind: str, said: tuple[str, ...], sure: bool) -> None:
    """Say something yourself, such as: add me.plan title="Moving in May" at=2027-05-01

    A photo or a paper is attached by its path: photo=@meter.jpg
    """
    with context.open_store(measured=kind in (meter_facts.EVENT, meter_facts.READING)) as store:
        with store.read() as connection:
            declaration = stating.named(connection, kind)
        fields, files = attaching.taken_out(declaration, _fields(said))
        fields = _with_currency(context, declaration, fields)
        zone = _zone(context, fields)
        with _asked_back():
            record = stating.add(store, kind, fields, who(), zone=zone, files=files, sure=sure)
        _show(context, record)


@click.command("correct")
@click.argument("fact", type=NUMBER, metavar="ID")
@click.argument("said", nargs=-1, required=True, metavar="FIELD=VALUE...")
@click.option("--why", default="", help="Why, for the fact's history.")
@click.option("--sure", is_flag=True, help="Keep what was asked back: it is right as it is.")
@common
def correct_command(context: Context, fact: int, said: tuple[str, ...], why: str, sure: bool) -> None:
    """Correct a fact. What it said before stays in its history; an empty VALUE clears a field.

    A photo or a paper is attached, or replaced, by its path: photo=@meter.jpg
    """
    with context.open_store() as store:
        fields, files = attaching.taken_out(stating.kind_of(store, fact), _fields(said))
        zone = _zone(context, fields)
        with _asked_back():
            record = stating.correct(store, fact, fields, who(), why, zone, files, sure=sure)
        _show(context, record)


@contextmanager
def _asked_back() -> Iterator[None]:
    """Says how to answer what is asked back."""
    try:
        yield
    except DoubtError as error:
        raise UserError(
            [*error.problems, "nothing was kept; if it is right as it is, run the same command with --sure"]
        ) from None


@click.command("withdraw")
@click.argument("fact", type=NUMBER, metavar="ID")
@click.option("--why", required=True, help="Why, for the fact's history.")
@common
def withdraw_command(context: Context, fact: int, why: str) -> None:
    """Let a fact stand no more. It stays in its history, and no file brings it back."""
    with context.open_store() as store:
        stating.withdraw(store, fact, who(), why)
    if context.as_json:
        print_json({"id": fact, "withdrawn": True})
    else:
        click.echo(f"fact {fact}: withdrawn; {context.command(f'restore {fact}')} lets it stand again")


@click.command("restore")
@click.argument("fact", type=NUMBER, metavar="ID")
@click.option("--why", default="", help="Why, for the fact's history.")
@common
def restore_command(context: Context, fact: int, why: str) -> None:
    """Let a withdrawn fact stand again, as it stood last."""
    with context.open_store() as store:
        _show(context, stating.restore(store, fact, who(), why))


@click.command("annotate")
@click.argument("fact", type=NUMBER, metavar="ID")
@click.argument("text")
@common
def annotate_command(context: Context, fact: int, text: str) -> None:
    """Write a note about a fact. The note is a fact of its own."""
    with context.open_store() as store:
        _show(context, stating.annotate(store, fact, text, who()))


@click.command("history")
@click.argument("fact", type=NUMBER, metavar="ID")
@common
def history_command(context: Context, fact: int) -> None:
    """Every version of a fact, oldest first: from when to when it was believed, and who changed it, and why."""
    with context.open_store() as store, store.read() as connection:
        found = versions.history(connection, fact)
        archive = versions.archive_of(connection, fact)
    if archive:
        raise UserError(
            f"fact {fact} lies in archive {archive}; bring it back first: inglenook archive attach {archive}"
        )
    if not found:
        raise UserError(f"there is no fact {fact} in the store {context.store_name!r}; see: inglenook records")
    columns = {"since": "Since", "until": "Until", "title": "What", "amount": "Amount", "by": "Then changed by"}
    context.show(map(_version, found), columns)


def _version(version: Version) -> dict[str, Any]:
    ended = version.ended
    said = f"{ended.action}: {', '.join(filter(None, (ended.who, ended.why)))}" if ended else ""
    changes = {name: _change(change) for name, change in (("begun", version.begun), ("ended", ended))}
    return as_row(version.record) | {"since": version.record.since, "until": version.record.until, "by": said} | changes


def _change(change: versions.Done | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {"at": change.at, "who": change.who, "action": change.action, "why": change.why, "import": change.import_id}


@click.group("kinds", invoke_without_command=True)
@common
def kinds_command(context: Context) -> None:
    """The kinds of fact that a store knows, and the fields of each."""
    with context.open_store() as store, store.read() as connection:
        rows = map(_kind, declared.every(connection).values())
        context.show(rows, {"kind": "Kind", "title": "What it is", "fields": "Fields"})


@kinds_command.command("add")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common
def add_kinds(context: Context, file: Path) -> None:
    """Declare kinds of your own, in a TOML file, and keep them in the store. A file declares, for instance:

    \b
    [kinds."hobby.plant"]
    title = "Plant"
    [kinds."hobby.plant".columns]
    at = "Bought on"
    [kinds."hobby.plant".fields.light]
    title = "Light"
    type = "choice"
    choices = ["sun", "shade"]

    Other types: text (where none is said), lines, whole, decimal, day, time, when, yes_no, web, email, phone, place,
    photo (JPEG, PNG, WebP or HEIC), file (such a photo, or a PDF).
    """
    if file.stat().st_size > LONGEST_FILE:
        raise UserError(f"{file}: a file that declares kinds has at most {LONGEST_FILE >> 20} MB")
    try:
        own = kinds.declared(file.read_text(encoding="utf-8"), str(file))
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: this is no text in UTF-8 ({error.reason} at byte {error.start})") from None
    with context.open_store() as store, store.write() as connection:
        for kind in own:
            declared.keep(connection, kind)
    context.show(map(_kind, own), {"kind": "Kind", "title": "What it is", "fields": "Fields"})
    if not own:
        warn(f"{file}: no kind is declared in it")


@kinds_command.command("show")
@click.argument("kind")
@common
def show_kind(context: Context, kind: str) -> None:
    """What can be said of a kind, and what its fields are called at schema.org and in the W3C DPV."""
    with context.open_store() as store, store.read() as connection:
        found = stating.named(connection, kind)
    rows = [_field(name, found.form.get(name, field)) for name, field in {**found.form, **found.fields}.items()]
    if context.as_json:
        print_json(_kind(found) | {"fields": rows})
        return
    known = ", ".join(filter(None, (f"schema.org {found.schema_org}" if found.schema_org else "", found.dpv)))
    click.echo(f"{found.name}: {found.title} ({known})\n")
    print_table((row | {"type": _type(row), "needed": "yes" if row["needed"] else ""} for row in rows), FIELDS)


def _field(name: str, field: Field) -> dict[str, Any]:
    return {
        "field": name,
        "title": field.title,
        "type": field.type.value,
        "choices": list(field.choices),
        "unit": field.unit,
        "needed": field.required,
        "asked": field.asked,
        "schema_org": field.schema_org,
        "dpv": field.dpv,
        "help": field.help,
    }


def _type(row: dict[str, Any]) -> str:
    """A field's type with what there is to choose, or the unit."""
    more = ", ".join(row["choices"]) or row["unit"]
    return f"{row['type']}: {more}" if more else row["type"]


def _kind(kind: Kind) -> dict[str, Any]:
    row = {"kind": kind.name, "title": kind.title, "dpv": kind.dpv, "schema_org": kind.schema_org}
    return row | {"fields": list(kind.form)}


def _fields(said: tuple[str, ...]) -> dict[str, str]:
    if wrong := [text for text in said if "=" not in text]:
        raise UserError(f"{text}: write FIELD=VALUE, such as title=Baker" for text in wrong)
    return once(said)


def _zone(context: Context, fields: Mapping[str, str]) -> ZoneInfo | None:
    """The household's, where a time is said without its offset."""
    is_needed = any(map(kinds.is_local, fields.values()))
    return context.zone(otherwise="write their offset, such as +02:00") if is_needed else None


def _with_currency(context: Context, kind: Kind, fields: dict[str, str]) -> dict[str, str]:
    """Money is in the household's currency unless said."""
    if not kind.is_money or "unit" in fields or not fields.get("amount", "").strip():
        return fields
    return fields | {"unit": context.currency()}


def _show(context: Context, record: Stored) -> None:
    if context.as_json:
        print_json(as_row(record))
    else:
        amount = "" if record.amount is None else f" {record.amount:f} {record.unit}".rstrip()
        click.echo(f"fact {record.id}: {record.kind} {record.at} {record.title}{amount}".replace("  ", " "))
