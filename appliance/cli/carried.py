"""`inglenook midata`: what a comparison site asks for."""

from datetime import datetime
from pathlib import Path

import click

from appliance import midata_energy, supplies
from appliance.cli.context import Context, common, print_json, warn
from appliance.errors import UserError


@click.command("midata")
@click.argument("supply", default="", metavar="[SUPPLY]")
@click.option("--to", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write it here; else on stdout.")
@click.option("--zone", default="Europe/London", show_default=True, help="The zone of days.")
@common
def midata_command(context: Context, supply: str, file: Path | None, zone: str) -> None:
    """The midata file of a supply in Great Britain: meter point, product, contract's end, exit fee, a year of use."""
    in_zone = context.zone(zone)
    with context.open_store(measured=True) as store:
        made = datetime.now(in_zone).date()
        found = midata_energy.midata(store, supplies.named(store, supply, in_zone), in_zone, made)
    for said in found.told:
        warn(said)
    if file is not None:
        try:
            file.write_text(found.csv(), encoding="utf-8", newline="")
        except OSError as error:
            raise UserError(f"{file}: {error.strerror}; name another file with --to") from None
    elif context.as_json:
        print_json(found.fields)
    else:
        click.echo(found.csv(), nl=False)
