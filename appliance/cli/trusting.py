"""`inglenook certificate`: what phones and computers are to trust of a box that speaks HTTPS."""

import click

from appliance.certificates import authority
from appliance.cli.context import Context, common, print_json
from appliance.errors import UserError


@click.command("certificate")
@common
def certificate_command(context: Context) -> None:
    """Show the fingerprint of the box's certificate, to compare with what a device was given."""
    doors = context.config.doors
    if not doors.https:
        raise UserError(
            f"this box speaks plain HTTP, to its own machine alone; to serve the home by HTTPS write into "
            f"{context.config.data / 'inglenook.toml'} the section [dashboard] with https = true"
        )
    found = authority(context.config.data, doors.name)
    if context.as_json:
        print_json({"name": found.name, "sha256": found.fingerprint})
        return
    click.echo(f"{found.name}: {found.certificate.subject.rfc4514_string().removeprefix('CN=')}")
    click.echo(f"SHA-256 {found.fingerprint}")
