"""`inglenook people`: who lives here, and a further person."""

import shlex
from dataclasses import replace
from pathlib import Path

import click

from appliance import people
from appliance.cli import asking
from appliance.cli.context import Context, common, warn
from appliance.store.database import HOME

COLUMNS = {"name": "Name", "store": "Store"}


@click.group("people", invoke_without_command=True)
@common
def people_command(context: Context) -> None:
    """Who lives here, and which store is whose."""
    with replace(context, store_name=HOME).open_store() as home:
        leaving = people.leaving(context.config, home)
        staying = [person for person in people.people(home) if person not in leaving]
    context.show([{"name": person.name, "store": person.store} for person in staying], COLUMNS)
    for person in leaving:
        finish = shlex.join(["inglenook", "delete", "person", person.name])
        warn(f"the deletion of {person.name} was begun and is not finished; to finish it, run: {finish}")


@people_command.command("add")
@click.argument("name")
@click.option("--password-file", type=click.Path(path_type=Path), help="What this person will sign in with.")
@common
def add(context: Context, name: str, password_file: Path | None) -> None:
    """Make a person with a store of their own. They type their password themselves; nobody else needs to know it."""
    password = asking.new(f"the password of {name}", password_file, "--password-file")
    with replace(context, store_name=HOME).open_store() as home:
        person = people.add(context.config, home, name, password)
    context.show([{"name": person.name, "store": person.store}], COLUMNS)
    if not context.as_json:
        click.echo(f"\nMake the recovery kit of this store next: inglenook --store {person.store} kit make")
