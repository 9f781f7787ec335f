"""`inglenook meters`: the protocols that this box speaks, and which of them are heard here."""

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from appliance import meters
from appliance.cli.context import Context, common, instant_ms, instant_text, warn
from appliance.errors import UserError

if TYPE_CHECKING:
    from appliance.devices.ledger import Missing

UNTRIED = "not yet tried on a real meter"
COLUMNS = {"meter": "Meter", "title": "What it is", "tried": "Tried on", "options": "Options"}

DEVICES = {
    "source": "Source",
    "device": "Device",
    "link": "Link",
    "meter": "Meter",
    "from": "From",
    "to": "To",
    "roles": "Series",
}
GAPS = {"source": "Source", "from": "From", "to": "To", "why": "Why", "times": "Times", "known": "What is known"}
MOST_GAPS = 1_000
_FILE = click.Path(path_type=Path)


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


@meters_command.command("devices")
@common
def devices_command(context: Context) -> None:
    """Which device served which series, and when, the newest first."""
    from appliance.devices import episodes

    with context.open_store(measured=True) as store, store.read() as connection:
        found = episodes.every(connection)
    rows = [
        {
            "source": each.source,
            "device": each.device,
            "link": each.link,
            "meter": each.meter,
            "from": instant_text(each.first_ms),
            "to": instant_text(each.last_ms),
            "roles": list(each.roles),
        }
        for each in found
    ]
    context.show(rows, DEVICES)


@meters_command.command("gaps")
@click.option("--source", default="", help="Of this source alone.")
@click.option("--from", "from_", default="", metavar="D", help="That last beyond this date or time.")
@click.option("--to", default="", metavar="D", help="That begin before the end of this date, or before this time.")
@common
def gaps_command(context: Context, source: str, from_: str, to: str) -> None:
    """When nothing was heard of a meter, why, and what is known of that time all the same."""
    from appliance.derive import rollups
    from appliance.devices import ledger
    from appliance.store import sources

    zone = context.zone() if from_ or to else ZoneInfo("UTC")
    from_ms = instant_ms(from_, zone, "--from") if from_ else None
    to_ms = instant_ms(to, zone, "--to", end=True) if to else None
    with context.open_store(measured=True) as store:
        rollups.refresh(store)
        with store.read() as connection:
            known = [name for name, _, _ in sources.every(connection)]
            if source and source not in known:
                raise UserError(f"no source is called {source!r}; there are: {', '.join(known) or 'none yet'}")
            names = [source] if source else sorted(ledger.totals(connection))
            found = [each for name in names for each in ledger.of(connection, name, from_ms, to_ms, MOST_GAPS)]
    rows = list(map(_gap, found))
    if not context.as_json:
        rows = [row | {"known": [f"{each['quantity']}: {each['state']}" for each in row["closed"]]} for row in rows]
    context.show(rows, GAPS)


def _gap(missing: "Missing") -> dict[str, Any]:
    return {
        "source": missing.source,
        "from": instant_text(missing.first_ms),
        "to": instant_text(missing.last_ms),
        "seconds": round((missing.last_ms - missing.first_ms) / 1000),
        "why": missing.why,
        "times": missing.times,
        "closed": [
            {"quantity": each.quantity, "state": each.state.value, "by": list(each.by), "estimated": each.estimated}
            for each in missing.closed
        ],
    }


@meters_command.command("detect")
@click.option(
    "--port", "ports", multiple=True, metavar="PATH", help="Only this serial port, and nothing else; repeatable."
)
@click.option("--broker", default="", metavar="HOST", help="The MQTT broker to listen to; else one on this machine.")
@click.option(
    "--ask", "asks", is_flag=True, help="Also ask meters that speak only when spoken to: sends to every port."
)
@click.option("--ask-everywhere", "everywhere", is_flag=True, help="The same at every address: a quarter of an hour.")
@click.option("--key-file", type=_FILE, metavar="FILE", help="Its first line is the key of an encrypted P1 meter.")
@click.option("--user", default="", metavar="NAME", help="With --broker: the user name that it knows us by.")
@click.option("--password-file", type=_FILE, metavar="FILE", help="With --broker: its first line is the password.")
@click.option("--tls", is_flag=True, help="With --broker: the connection is encrypted.")
@click.option("--ca-file", default="", metavar="FILE", help="With --tls: the certificate of its own authority.")
@click.option("--pin", default="", metavar="CHIP/LINE", help="Count the pulses at a GPIO line, as in gpiochip0/17.")
@click.option("--counts", default="electricity", type=click.Choice(["electricity", "gas", "water"]), help="With --pin.")
@click.option("--per-unit", default="", metavar="N", help="With --pin: pulses to one kWh or m3, as its plate says.")
@click.option("--add", "name", default="", metavar="NAME", help="Have the meter that is found read, under this name.")
@click.option("--measures", default="", metavar="WHAT", help="With --add: house, solar, plug or room; else as it says.")
@common
def detect(context: Context, name: str, measures: str, **told: Any) -> None:
    """Listen for meters, and say what was heard.

    A key or a password that something needs is read from the file that is named, or asked for on a terminal.
    Ends with 0 where a meter was found, 1 where none was. --add needs exactly one.
    """
    from appliance.cli import detecting

    if name:
        detecting.need_name(context.config, name)
    elif measures:
        raise UserError("--measures is said of a meter that is added: give it a name with --add")
    offers = detecting.look(context, detecting.Told(**told))
    if name:
        detecting.add(context.config, offers, name, measures)
    elif offers and not context.as_json:
        warn("to have one read: inglenook meters detect --port ITS_PORT --add NAME, or Find a meter on the page")
    sys.exit(0 if offers else 1)
