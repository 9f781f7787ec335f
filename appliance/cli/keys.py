"""`inglenook key` and `kit`: what opens a store, and the way back when that is lost."""

from pathlib import Path

import click

from appliance.cli import asking
from appliance.cli.context import Context, common, print_json, warn
from appliance.errors import UserError
from appliance.store.keys import Facts, KeyRing

NEW_PASSPHRASE = click.option(
    "--new-passphrase-file", "new_file", type=click.Path(path_type=Path), help="The passphrase from now on."
)
UNATTENDED, LOCKED = "unattended", "locked"
MODES = {
    UNATTENDED: "opens with the box's key, so that imports run at night",
    LOCKED: "opens with its passphrase alone; what arrives meanwhile waits, sealed",
}


@click.group("key", invoke_without_command=True)
@common
def key_command(context: Context) -> None:
    """How a store opens: with the box's key, or with a passphrase alone."""
    facts = _facts(context)
    mode = LOCKED if facts.is_locked else UNATTENDED
    if context.as_json:
        times = {"kit_made": facts.kit_made or None, "kit_proved": facts.kit_proved or None}
        print_json({"store": context.store_name, "mode": mode, "kit": facts.has_kit, **times})
        return
    click.echo(f"The store {context.store_name!r} is {mode}: it {MODES[mode]}.")
    click.echo(_said_of_kit(context, facts))


def _said_of_kit(context: Context, facts: Facts) -> str:
    if not facts.has_kit:
        return f"It has no recovery kit yet. Make it: {context.command('kit make')}"
    made = f"made {facts.kit_made[:10]}" if facts.kit_made else "made"
    proved = f"proved {facts.kit_proved[:10]}" if facts.kit_proved else f"never tried: {context.command('kit prove')}"
    return f"Its recovery kit: {made}, {proved}."


@key_command.command("mode")
@click.argument("mode", type=click.Choice(list(MODES)))
@NEW_PASSPHRASE
@common
def mode_command(context: Context, mode: str, new_file: Path | None) -> None:
    """Lock a store with a passphrase, or give it back to the box's key."""
    keys = KeyRing(context.config.data)
    with context.open_store() as store:
        if mode == UNATTENDED:
            keys.unlock(store.name, store.key)
        elif not keys.facts(store.name).is_locked:
            keys.need_lockable(store.name)
            keys.lock(store.name, store.key, asking.new("the new passphrase", new_file, "--new-passphrase-file"))
        elif new_file:
            raise UserError(
                f"the store {store.name!r} is locked already; to change its passphrase: "
                + context.command("key passphrase")
            )
    _say(context, {"mode": mode}, f"The store {context.store_name!r} is {mode}: it {MODES[mode]}.")
    if mode == LOCKED:
        warn(
            "copies of this box that were made before still open with its key; for another key: "
            + context.command("key rotate")
        )


@key_command.command("passphrase")
@NEW_PASSPHRASE
@common
def passphrase_command(context: Context, new_file: Path | None) -> None:
    """Change the passphrase of a locked store. Nothing in it is encrypted anew."""
    keys = KeyRing(context.config.data)
    with context.open_store() as store:
        keys.need_locked(store.name)
        keys.lock(store.name, store.key, asking.new("the new passphrase", new_file, "--new-passphrase-file"))
    _say(context, {"mode": LOCKED}, f"The store {context.store_name!r} opens with the new passphrase from now on.")


@key_command.command("rotate")
@common
def rotate(context: Context) -> None:
    """Encrypt a store anew, with another key. Its recovery kit stops working; the new one is shown, once."""
    from appliance.store.database import change_key

    _show_kit(context, change_key(context.config, context.store_name, context.passphrase()))


@click.group("kit", invoke_without_command=True)
@common
def kit_command(context: Context) -> None:
    """The recovery kit of a store: 24 words that open it when the box's key or the passphrase is lost."""
    facts = _facts(context)
    if context.as_json:
        print_json({"store": context.store_name, "kit": facts.has_kit})
    else:
        click.echo(f"The store {context.store_name!r}. {_said_of_kit(context, facts)}")


@kit_command.command("make")
@common
def make(context: Context) -> None:
    """Make a new kit and show it, once. The one before it stops working."""
    with context.open_store(hint=False) as store:
        words = KeyRing(context.config.data).make_kit(store.name, store.key)
    _show_kit(context, words)


@kit_command.command("prove")
@common
def prove(context: Context) -> None:
    """Type the kit's words (or pipe them in) to see that they open the store."""
    _facts(context)  # where there is no such store, that is said
    KeyRing(context.config.data).prove_kit(context.store_name, asking.words())
    _say(context, {"opened": True}, f"These words open the store {context.store_name!r}.")


@kit_command.command("use")
@common
def use(context: Context) -> None:
    """Open a store by its kit, and give it this box's key, which is made where it is missing."""
    keys = KeyRing(context.config.data)
    was_locked = _facts(context).is_locked
    keys.use_kit(context.store_name, asking.words())
    _say(context, {"opened": True}, f"The store {context.store_name!r} opens with this box's key again.")
    if was_locked:
        context.open_store().close()  # what came meanwhile is imported
        warn(f"it is unattended from now on; to lock it again: {context.command('key mode locked')}")


def _facts(context: Context) -> Facts:
    keys = KeyRing(context.config.data)
    if context.store_name not in keys.store_names():
        context.open_store(hint=False).close()
    return keys.facts(context.store_name)


def _show_kit(context: Context, words: list[str]) -> None:
    if context.as_json:
        print_json({"store": context.store_name, "words": words})
        return
    click.echo(f"Recovery kit of the store {context.store_name!r}. Write it down, and keep it away from the box.\n")
    for row in range(6):
        click.echo("   ".join(f"{number + 1:2} {words[number]:<9}" for number in range(row, 24, 6)))
    prove_it = context.command("kit prove")
    click.echo(f"\nWhoever has these words and this box's disk can read the store. Prove them: {prove_it}")


def _say(context: Context, facts: dict[str, object], message: str) -> None:
    if context.as_json:
        print_json({"store": context.store_name, **facts})
    else:
        click.echo(message)
