"""`inglenook upgrade`: brings every store to this version, and goes on where it was stopped."""

import traceback
from importlib.metadata import version
from typing import Any

import click

from appliance.cli.context import Context, common, print_json
from appliance.config import Config
from appliance.errors import UserError
from appliance.store import migrations
from appliance.store.database import open_store
from appliance.store.keys import LockedError


@click.command("upgrade")
@common
def upgrade_command(context: Context) -> None:
    """Bring every store to this version; each is also brought when it is opened.

    A store that fails stays as it was and does not stop the others: mend what is said, and run it again.
    """
    names = context.config.store_names()
    problems: list[str] = []
    for number, name in enumerate(names, 1):
        row = _upgraded(context.config, name)
        problems += [f"{name}: {problem}" for problem in row.get("problems", ())]
        _show(context, row, f"{number} of {len(names)}")
    if problems:
        raise UserError(problems)
    if not context.as_json:
        click.echo(f"Ready for Inglenook {version('inglenook')}: {', '.join(names) or 'no store yet'}")


def _show(context: Context, row: dict[str, Any], place: str) -> None:
    if context.as_json:
        print_json(row)
    else:
        click.echo(f"{place}: {row['store']}: {_outcome(row)}", err=True)


def _outcome(row: dict[str, Any]) -> str:
    if "problems" in row:
        return "failed"
    if row.get("locked"):
        return "is locked, and is brought to this version at its next unlock"
    return f"{row['to']} already" if row["from"] == row["to"] else f"{row['from'] or 'new'} -> {row['to']}"


def _upgraded(config: Config, name: str) -> dict[str, Any]:
    """What became of a store: the versions it came from and to, that it is locked, or its problems."""
    try:
        with open_store(config, name) as store:
            before = store.came_from
    except LockedError:
        return {"store": name, "locked": True}
    except UserError as error:
        return {"store": name, "problems": error.problems}
    except Exception as error:  # noqa: BLE001 - a fault in one store's migration leaves the others theirs
        traceback.print_exc()
        return {"store": name, "problems": [f"{type(error).__name__}: {error}"]}
    return {"store": name, "from": before, "to": migrations.newest(), "version": version("inglenook")}
