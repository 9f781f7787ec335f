"""`inglenook formats`, `links` and `connectors`: what this box can read, and which options each has."""

import dataclasses
from typing import Any

import click

from appliance import connectors, importers, links
from appliance.cli.context import Context, common


def _rows(package: Any, key: str) -> list[dict[str, Any]]:
    modules = {name: package.named(name) for name in package.names()}
    return [
        {key: name, "title": module.TITLE, "options": [each.name for each in dataclasses.fields(module.Options)]}
        for name, module in modules.items()
    ]


def _command(package: Any, name: str, key: str, help_text: str) -> click.Command:
    @click.command(name, help=help_text)
    @common
    def command(context: Context) -> None:
        context.show(_rows(package, key), {key: key.capitalize(), "title": "What it is", "options": "Options"})

    return command


formats_command = _command(importers, "formats", "format", "The file formats that this box reads.")
connectors_command = _command(connectors, "connectors", "connector", "The services that this box can fetch from.")
links_command = _command(links, "links", "link", "The ways in which a meter's bytes can come.")
