"""`inglenook meters`: the protocols that this box speaks, and which of them are heard here."""

import dataclasses
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from appliance import meters
from appliance.cli.context import Context, common, instant_ms, instant_text, warn
from appliance.errors import UserError

if TYPE_CHECKING:
    from appliance.devices.ledger import Missing

UNTRIED = "not yet tried on a real meter"
COLUMNS = {"meter": "Meter", "what": "What it is", "options": "Options"}
DEVICES = {"source": "Source", "device": "Device", "span": "From, to", "roles": "Series"}
GAPS = {"source": "Source", "span": "From, to", "known": "Why, and what is known of that time"}
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
            "links": list(meters.links_of(name)),
            "tried": meters.tried(name) or UNTRIED,
            "options": [each.name for each in dataclasses.fields(meters.named(name).Options)],
        }
        for name in meters.names()
    ]
    context.show(rows if context.as_json else [row | {"what": _what(row)} for row in rows], COLUMNS)


def _what(row: Mapping[str, Any]) -> str:
    tried = row["tried"] if row["tried"] == UNTRIED else f"tried on {row['tried']}"
    return f"{row['title']}\nover {', '.join(row['links'])}\n{tried}"


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
    context.show(rows if context.as_json else map(_device_told, rows), DEVICES)


def _device_told(row: Mapping[str, Any]) -> dict[str, Any]:
    number = row["device"] or "without a number"
    return {**row, "device": f"{number}\n{row['meter']} over {row['link']}", "span": _span(row)}


def _span(row: Mapping[str, Any]) -> str:
    """From and to, one under the other, to the second."""
    return "\n".join(re.sub(r"\.[0-9]+Z", "Z", row[name]) for name in ("from", "to"))


@meters_command.command("gaps")
@click.option("--source", default="", help="Of this source alone.")
@click.option("--from", "from_", default="", metavar="D", help="That last beyond this date or time.")
@click.option("--to", default="", metavar="D", help="That begin before the end of this date, or before this time.")
@click.option("--zone", default="", help="The zone of days, such as Europe/London; else the household's.")
@common
def gaps_command(context: Context, source: str, from_: str, to: str, zone: str) -> None:
    """When nothing was heard of a meter, why, and what is known of that time all the same."""
    from appliance.derive import rollups
    from appliance.devices import ledger, words
    from appliance.store import sources

    in_zone = context.zone(zone if zone or from_ or to else "UTC")
    from_ms = instant_ms(from_, in_zone, "--from") if from_ else None
    to_ms = instant_ms(to, in_zone, "--to", end=True) if to else None
    with context.open_store(measured=True) as store:
        rollups.refresh(store)
        with store.read() as connection:
            titles = {name: title for name, title, _ in sources.every(connection)}
            need_source(source, titles)
            names = [source] if source else sorted(ledger.totals(connection))
            found = [each for name in names for each in ledger.of(connection, name, from_ms, to_ms, MOST_GAPS)]
    rows = map(_gap, found)
    if context.as_json:
        context.show(rows, {})
    elif found:
        told = ([words.why(each), *words.known(each, titles)] for each in found)
        lines = ({**row, "span": _span(row), "known": "\n".join(each)} for row, each in zip(rows, told, strict=True))
        context.show(lines, GAPS)
    else:
        click.echo("No gap is known: nothing was missed since the box listens.")


def need_source(source: str, known: Iterable[str]) -> None:
    """UserError, naming those that there are, where a source is named that is none."""
    if source and source not in known:
        raise UserError(f"no source is called {source!r}; there are: {', '.join(known) or 'none yet'}")


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


@meters_command.command("events")
@click.option("--source", default="", help="At this source alone.")
@common
def events_command(context: Context, source: str) -> None:
    """What happened at the meters (another one, a reset, ...): what rules found, and what people said."""
    from appliance.cli import metered

    metered.show_events(context, source)


@meters_command.command("drift")
@click.option("--source", default="", help="Of this source alone.")
@common
def drift_command(context: Context, source: str) -> None:
    """What you read on the meters, held against what the box counted, and where each register stands."""
    from appliance.cli import metered

    metered.show_drift(context, source)


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
@click.option("--zone", default="", help="With --add: the zone of the meter's clock; else the household's.")
@common
def detect(context: Context, name: str, measures: str, zone: str, **told: Any) -> None:
    """Listen for meters, and say what was heard.

    A key or a password that something needs is read from the file that is named, or asked for on a terminal.
    Ends with 0 where a meter was found, 1 where none was. --add needs exactly one.
    """
    from appliance.cli import detecting

    context.zone_name(zone)
    if name:
        detecting.need_name(context.config, name)
    elif measures or zone:
        option = "--measures" if measures else "--zone"
        raise UserError(f"{option} is said of a meter that is added: give it a name with --add")
    offers = detecting.look(context, detecting.Told(**told))
    if name:
        detecting.add(context.config, offers, name, measures, zone)
    elif offers and not context.as_json:
        warn(detecting.how_to_add(context.config, offers))
    sys.exit(0 if offers else 1)
