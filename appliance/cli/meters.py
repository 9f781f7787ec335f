"""`inglenook meters`: the protocols that this box speaks."""

import dataclasses

import click

from appliance import meters
from appliance.cli.context import Context, common

UNTRIED = "not yet tried on a real meter"
COLUMNS = {"meter": "Meter", "title": "What it is", "tried": "Tried on", "options": "Options"}


@click.group("meters", invoke_without_command=True)
@common
def meters_command(context: Context) -> None:
    """The meter protocols that this box speaks."""
    rows = [
        {
            "meter": name,
            "title": meters.named(name).TITLE,
            "tried": meters.tried(name) or UNTRIED,
            "options": [each.name for each in dataclasses.fields(meters.named(name).Options)],
        }
        for name in meters.names()
    ]
    context.show(rows, COLUMNS)
