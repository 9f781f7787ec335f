"""`inglenook check`: what keeps data safe."""

import click

from appliance.cli.context import Context, common, print_json
from appliance.errors import UserError


@click.command("check")
@common
def check_command(context: Context) -> None:
    """Look for damage: every page of the store, and every original against its SHA-256."""
    from appliance.checking import problems

    with context.open_store() as store:
        found = list(problems(store))
    if context.as_json:
        print_json({"store": context.store_name, "problems": found})
    if found:
        raise UserError(found)
    if not context.as_json:
        click.echo(f"The store {context.store_name!r} is whole.")
