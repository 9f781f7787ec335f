"""The `inglenook` command. Each command ends; the services are started by `inglenook run`.

Exit 0: all was read; 1: something was rejected; 2: the command could not do its job.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from appliance.errors import SourceError, UserError

# Where each command lives: a module is loaded when its command is asked for, so that `run` stays small.
COMMANDS = {
    "run": "running",
    "import": "importing",
    "imports": "importing",
    "records": "facts",
    "add": "stating",
    "correct": "stating",
    "withdraw": "stating",
    "restore": "stating",
    "annotate": "stating",
    "history": "stating",
    "kinds": "stating",
    "sources": "facts",
    "people": "people",
    "same": "deriving",
    "quality": "deriving",
    "reference": "deriving",
    "readings": "measured",
    "series": "measured",
    "costs": "costing",
    "tariffs": "costing",
    "compare": "comparing",
    "notices": "noticing",
    "formats": "known",
    "meters": "meters",
    "links": "known",
    "connectors": "known",
    "feeds": "feeds",
    "collect": "collect",
    "export": "carrying",
    "mart": "carrying",
    "key": "keys",
    "kit": "keys",
    "archive": "retention",
    "retention": "retention",
    "delete": "retention",
    "check": "keeping",
    "backup": "backup",
    "certificate": "trusting",
    "bills": "billed",
    "insight": "seen",
    "midata": "carried",
    "budgets": "budgeted",
    "upgrade": "upgrading",
    "update": "updated",
}


class Commands(click.Group):
    """Loads a command's module when it is called, and turns what a person can mend into exit 2 without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"appliance.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UserError as error:
            for problem in error.problems:
                click.echo(f"inglenook: {problem}", err=True)
            sys.exit(2)
        except SourceError as error:
            click.echo(f"inglenook: {error}", err=True)
            sys.exit(2)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--data", type=click.Path(path_type=Path), help="Where the box keeps everything.")
@click.option("--store", default="", help="Whose store: a person's name, or home (the default).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout, and nothing else there.")
@click.option("--passphrase-file", type=click.Path(path_type=Path), help="What opens a locked store.")
@click.version_option(package_name="inglenook")
@click.pass_context
def main(ctx: click.Context, data: Path | None, store: str, as_json: bool, passphrase_file: Path | None) -> None:
    """A household's personal cloud: meters, statements and bills brought home, encrypted, and put to use."""
    ctx.obj = {"data": data, "store": store, "as_json": as_json, "passphrase_file": passphrase_file}
