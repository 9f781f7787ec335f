"""`inglenook export`, `kit`, `check` and `upgrade`: what keeps data safe and carries it away."""

import sys
from pathlib import Path

import click

from appliance.cli.context import Context, common, print_json, warn
from appliance.errors import UserError
from appliance.store.keys import KeyRing


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@common
def export_command(context: Context, folder: Path) -> None:
    """Write a whole store as open files, in clear, for you to carry away."""
    from appliance.exporting import export

    with context.open_store() as store:
        manifest = export(store, folder)
    if context.as_json:
        print_json(manifest)
    else:
        counts = ", ".join(f"{manifest[name]} {name}" for name in ("records", "readings", "originals"))
        click.echo(f"{folder}: {counts}")
    warn(f"{folder} is not encrypted: keep it where you keep your papers")


@click.group("kit", invoke_without_command=True)
@common
def kit_command(context: Context) -> None:
    """The recovery kit of a store: 24 words that open it when the box's key is lost."""
    context.open_store().close()
    has_kit = KeyRing(context.config.data).has_kit(context.store_name)
    if context.as_json:
        print_json({"store": context.store_name, "kit": has_kit})
    elif has_kit:
        click.echo(f"The store {context.store_name!r} has a recovery kit. Try it: inglenook kit prove")
    else:
        click.echo(f"The store {context.store_name!r} has no recovery kit yet. Make it: inglenook kit make")


@kit_command.command("make")
@common
def make(context: Context) -> None:
    """Make a new kit and show it, once. The one before it stops working."""
    context.open_store().close()
    words = KeyRing(context.config.data).make_kit(context.store_name)
    if context.as_json:
        print_json({"store": context.store_name, "words": words})
        return
    click.echo(f"Recovery kit of the store {context.store_name!r}. Write it down, and keep it away from the box.\n")
    for row in range(6):
        click.echo("   ".join(f"{number + 1:2} {words[number]:<9}" for number in range(row, 24, 6)))
    click.echo("\nWhoever has these words and this box's disk can read the store. Prove them: inglenook kit prove")


@kit_command.command("prove")
@common
def prove(context: Context) -> None:
    """Type the kit's words (or pipe them in) to see that they open the store."""
    KeyRing(context.config.data).prove_kit(context.store_name, _asked_words())
    _say_opened(context, f"These words open the store {context.store_name!r}.")


@kit_command.command("use")
@common
def use(context: Context) -> None:
    """Open a store by its kit, and give it this box's key, which is made where it is missing."""
    KeyRing(context.config.data).use_kit(context.store_name, _asked_words())
    _say_opened(context, f"The store {context.store_name!r} opens with this box's key again.")


def _say_opened(context: Context, message: str) -> None:
    if context.as_json:
        print_json({"store": context.store_name, "opened": True})
    else:
        click.echo(message)


def _asked_words() -> list[str]:
    if sys.stdin.isatty():
        said: str = click.prompt("The 24 words", hide_input=True)
        return _words(said)
    return _words(sys.stdin.read(4096))


def _words(said: str) -> list[str]:
    """The words alone, of a page that was copied with its numbers too."""
    return [word for word in said.split() if not word.strip(".:)").isdecimal()]


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


@click.command("upgrade")
@common
def upgrade_command(context: Context) -> None:
    """Bring every store to this version; each is also brought when it is opened."""
    from importlib.metadata import version

    from appliance.store.database import open_store

    for name in KeyRing(context.config.data).store_names():
        open_store(context.config, name).close()
        if context.as_json:
            print_json({"store": name, "version": version("inglenook")})
        else:
            click.echo(f"{name}: ready for Inglenook {version('inglenook')}")
