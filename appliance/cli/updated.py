"""`inglenook update`: which version runs here, which is at hand, and what the last update did."""

import click

from appliance.cli.context import Context, common, print_json, warn
from appliance.errors import UserError

WORDS = {"good": "runs", "back": "was taken back", "refused": "was not put in"}


@click.group("update", invoke_without_command=True)
@common
@click.pass_context
def update_command(ctx: click.Context, context: Context) -> None:
    """Say which version runs here, which is at hand, and what the last update did."""
    if ctx.invoked_subcommand:
        return
    from appliance.updating.at_hand import look
    from appliance.updating.places import Places

    places = Places()
    found, problems = look(context.config, places)
    last = places.last()
    if context.as_json:
        print_json(
            {
                "version": places.running(),
                "at_hand": found.release.version if found else None,
                "fixes_until": found.release.ends_support_of_others().isoformat() if found else None,
                "problems": problems,
                "last": last.as_dict() if last else None,
            }
        )
        return
    click.echo(f"Inglenook {places.running()} runs here.")
    if found:
        click.echo(f"{found.release.version} of {found.release.released} is at hand: {found.release.news}")
    if last:
        click.echo(
            f"The last update, to {last.version or 'what was at hand'}, {WORDS[last.state]}. {last.problem}".strip()
        )
    for problem in problems:
        warn(problem)


@update_command.command("now")
@common
def now(context: Context) -> None:
    """Put in the version that is at hand, and go back by itself where it does not do well."""
    from appliance.updating.at_hand import look
    from appliance.updating.places import Places, want

    found, problems = look(context.config, Places())
    if found is None:
        raise UserError(problems or ["no update is at hand: plug in a stick with one, or see inglenook update fetch"])
    want(context.config.run)
    if context.as_json:
        print_json({"wanted": found.release.version})
    else:
        click.echo(f"{found.release.version} is put in; inglenook update says what came of it.")


@update_command.command("fetch")
@common
def fetch(context: Context) -> None:
    """Look at the address that the configuration names, and fetch a newer version. The box also does so every day."""
    from appliance.updating import at_hand
    from appliance.updating.places import Places
    from appliance.web import Web

    found = at_hand.fetch(context.config, Places(), Web())
    if context.as_json:
        print_json({"fetched": found.release.version if found else None})
    else:
        click.echo(f"{found.release.version} is at hand." if found else "There is no newer version.")
