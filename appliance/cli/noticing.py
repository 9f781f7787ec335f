"""`inglenook notices`: what the box has to say by itself, from when on, and by which mail server."""

import sys
from datetime import UTC, datetime
from typing import Any

import click

from appliance import mailing
from appliance.cli import asking
from appliance.cli.context import NUMBER, Context, common, instant_text, print_json, warn
from appliance.store import notices
from appliance.store.database import Store
from appliance.store.notices import Notice
from appliance.switching import watching

COLUMNS = {"id": "", "at": "When", "title": "What", "text": ""}
MAIL = {"host": "Server", "to": "To", "encryption": "Encryption", "state": "State"}


@click.group("notices", invoke_without_command=True)
@click.option("--all", "every", is_flag=True, help="Those that were dismissed or are past, too.")
@common
def notices_command(context: Context, every: bool) -> None:
    """What the box has to say by itself: a silent meter, a leak, a budget, another tariff that is worth it."""
    with context.open_store() as store, store.read() as connection:
        found = notices.every(connection, only_open=not every)
        least = watching.saving_from(connection)
    context.show(map(_row, found), COLUMNS)
    if least is None:
        warn(
            "nobody said from what saving a year on another tariff is worth a word, so that none is said; say it: "
            f"{context.command('notices saving')} 200 EUR"
        )


@notices_command.command("dismiss")
@click.argument("notice", type=NUMBER, metavar="ID")
@common
def dismiss(context: Context, notice: int) -> None:
    """Show a notice no more. The same is not said again."""
    with context.open_store() as store, store.write() as connection:
        done = notices.dismiss(connection, notice, round(datetime.now(UTC).timestamp() * 1_000_000))
    context.show([_row(done)], COLUMNS)


@notices_command.command("saving")
@click.argument("amount")
@click.argument("currency", default="")
@common
def saving(context: Context, amount: str, currency: str) -> None:
    """From what saving a year on another tariff is worth a word, such as: 200 EUR; off for never."""
    with context.open_store() as store:
        if amount == "off":
            watching.unset_saving_from(store)
            return
        said = watching.set_saving_from(store, amount, currency or context.currency())
    if context.as_json:
        print_json({"amount": str(said.amount), "currency": said.currency})
    else:
        click.echo(f"You hear of it when another tariff would save you {said.amount} {said.currency} a year or more.")


@notices_command.command("mail")
@click.option(
    "--set",
    "said",
    multiple=True,
    metavar="NAME=VALUE",
    help="Such as host, to, user; also sender, port, encryption, certificate. password=@FILE, or it is asked for.",
)
@click.option("--try", "try_it", is_flag=True, help="Send a message now that says that it works.")
@click.option("--off", is_flag=True, help="Send nothing any more, and forget the password.")
@common
def mail(context: Context, said: tuple[str, ...], try_it: bool, off: bool) -> None:
    """Send notices by e-mail too, through your own mail server. Nothing is sent until you say so."""
    with context.open_store() as store:
        if off:
            mailing.forget(store)
        elif said:
            mailing.state(store, _said(said))
        if try_it:
            mailing.try_out(store)
        context.show(_mailers(store), MAIL)


def _said(said: tuple[str, ...]) -> dict[str, str]:
    """What was stated; a password comes from a file, or is asked for: a command line is seen by others."""
    given = asking.told(mailing.Options, said)
    if given.get("user") and "password" not in given and sys.stdin.isatty():
        given["password"] = click.prompt("Password", hide_input=True, err=True)
    return given


def _mailers(store: Store) -> list[dict[str, Any]]:
    found = mailing.known(store)
    if found is None:
        return []
    state = found.stopped or found.problem or "sends"
    return [{**found.options, "state": state, "failures": found.failures}]


def _row(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "at": instant_text(notice.at_us // 1000),
        "title": notice.title,
        "text": notice.text,
        "kind": notice.kind,
        "about": notice.about,
        "details": notice.details,
        "open": notice.is_open,
        "mailed": None if notice.mailed_us is None else instant_text(notice.mailed_us // 1000),
    }
