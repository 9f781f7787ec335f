"""`inglenook backup`: copies elsewhere, the drill that proves them, and the way back."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from appliance.cli import asking
from appliance.cli.context import Context, common, print_json, warn
from appliance.errors import UserError

COLUMNS = {"name": "Backup", "where": "Where", "good": "Last good", "drilled": "Last drill", "problem": "Problem"}
_USER = click.option("--user", default="", help="The server's user; with S3 the access key's id.")
_PASSWORD = click.option(
    "--password-file", type=click.Path(path_type=Path), help="Its password; with S3 the secret access key."
)


@click.group("backup", invoke_without_command=True)
@common
def backup_command(context: Context) -> None:
    """Back up now, to every place that was set up."""
    from appliance import backup
    from appliance.backup import targets

    found = targets.every(context.config)
    if not found:
        raise UserError("there is no place to back up to yet; add one: inglenook backup add --help")
    problems = list[str]()
    for each in found:
        try:
            done = backup.back_up(context.config, each.name, datetime.now(UTC))
        except UserError as error:
            problems += error.problems
            continue
        said = {"name": each.name, "snapshot": done.snapshot, "bytes": done.bytes, "added": done.added}
        _say(context, said, f"{each.name}: backed up {_size(done.bytes)}, of which {_size(done.added)} were new.")
    if problems:
        raise UserError(problems)


@backup_command.command("add")
@click.argument("name")
@click.argument("where")
@_USER
@_PASSWORD
@common
def add(context: Context, name: str, where: str, user: str, password_file: Path | None) -> None:
    """Back up to a place from now on: /FOLDER, sftp:USER@HOST:/FOLDER, rest:https://HOST/NAME or s3:https://HOST/BUCKET."""
    from appliance import backup

    backup.add(context.config, name, where, user, _password(user, password_file))
    _say(context, {"name": name, "where": where}, f"{name}: added. The box backs up to it every night.")


@backup_command.command("key")
@common
def key(context: Context) -> None:
    """The line by which another machine lets this box in over SFTP, for its ~/.ssh/authorized_keys."""
    from appliance.backup import ssh

    line = ssh.own_line(context.config)
    _say(context, {"line": line}, line)


@backup_command.command("list")
@common
def list_command(context: Context) -> None:
    """Where backups go, and how the last ones went."""
    from appliance.backup import targets

    rows = (
        {
            "name": each.name,
            "where": each.where,
            "good": _at(each.good),
            "drilled": _at(each.drilled),
            "problem": each.problem or each.drill_problem,
        }
        for each in targets.every(context.config)
    )
    context.show(rows, COLUMNS)


@backup_command.command("remove")
@click.argument("name")
@common
def remove(context: Context, name: str) -> None:
    """Back up to a place no more. What lies there stays."""
    from appliance.backup import targets

    targets.remove(context.config, name)
    _say(context, {"name": name}, f"{name}: removed. What lies there stays, and the recovery kit opens it.")


@backup_command.command("check")
@click.argument("name", required=False)
@common
def check(context: Context, name: str | None) -> None:
    """Read every byte of a backup, restore it beside the box, and look through it. Without a name, of each place."""
    from appliance.backup import targets
    from appliance.backup.drill import drill

    names = [name] if name else [each.name for each in targets.every(context.config)]
    problems = list[str]()
    for each in names:
        try:
            found = drill(context.config, each, datetime.now(UTC))
        except UserError as error:
            problems += error.problems
            continue
        said = {"name": each, "stores": found.stores, "facts": found.facts, "readings": found.readings}
        _say(context, said, f"{each}: {found}.")
    if problems:
        raise UserError(problems)


@backup_command.command("restore")
@click.argument("where")
@_USER
@_PASSWORD
@common
def restore(context: Context, where: str, user: str, password_file: Path | None) -> None:
    """On a new box: bring the newest backup back, by the words of the household's recovery kit."""
    from appliance.backup.restoring import restore as brought_back

    words = asking.words()
    left = brought_back(context.config, where, user, _password(user, password_file), words)
    _say(
        context,
        {"restored": True, "needs_kit": left},
        "The household is back, and its store opens with this box's key.",
    )
    for each in left:
        warn(f"the store {each!r} opens with its person's own kit: inglenook --store {each} kit use")


def _password(user: str, path: Path | None) -> str:
    if path is not None:
        return asking.from_file(path)
    if not user:
        return ""
    if not sys.stdin.isatty():
        raise UserError("there is no terminal to ask for the password; name a file that holds it: --password-file FILE")
    said: str = click.prompt("Password", hide_input=True, err=True)
    return said


def _say(context: Context, row: dict[str, object], words: str) -> None:
    if context.as_json:
        print_json(row)
    else:
        click.echo(words)


def _at(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
