"""`inglenook check`: what keeps data safe."""

import click

from appliance.cli.context import Context, common, print_json, warn
from appliance.errors import UserError
from appliance.store.keys import KeyRing


@click.command("check")
@common
def check_command(context: Context) -> None:
    """Look for damage: every page of the store, every original against its SHA-256, every archive to its end."""
    from appliance.checking import problems

    with context.open_store() as store:
        found = list(problems(store, KeyRing(context.config.data).folder(store.name)))
    if context.as_json:
        print_json({"store": context.store_name, "problems": found})
    if found:
        raise UserError(found)
    if not KeyRing(context.config.data).facts(context.store_name).has_kit:
        warn(f"the store {context.store_name!r}: {context.no_kit()}")
    if not context.as_json:
        click.echo(f"The store {context.store_name!r} is whole.")
