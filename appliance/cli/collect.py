"""`inglenook collect`: one meter, read here and now, and sealed into the store before the command ends."""

import logging
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from appliance import links
from appliance.cli.context import Context, common, print_json, warn
from appliance.config import MeterConfig
from appliance.errors import UserError
from appliance.ingest.collecting import Collection, Spooling, need_fitting
from appliance.ingest.sealing import Sealed, seal
from appliance.ingest.spool import Spool
from appliance.store.database import HOME, Store
from appliance.store.keys import KeyRing


@click.command("collect")
@click.option("--link", "link_text", required=True, metavar="LINK", help="Such as serial:/dev/ttyUSB0 or replay:FILE.")
@click.option("--meter", required=True, metavar="METER", help="The protocol, such as dsmr; see: inglenook meters.")
@click.option("--zone", default="", help="The zone of the meter's local time, such as Europe/Amsterdam.")
@click.option("--source", default="", help="The source's name in the store; else the meter's.")
@click.option("--once", is_flag=True, help="To the end of a file, or to one good frame of a live link.")
@common
def collect_command(context: Context, link_text: str, meter: str, zone: str, source: str, once: bool) -> None:
    """Read a meter into the home store, and say what came."""
    logging.basicConfig(level=logging.WARNING, format="inglenook: %(message)s")
    if context.store_name != HOME:
        raise UserError("a meter is the household's: collect goes into the store 'home'")
    config = _meter_config(link_text, meter, source or meter)
    in_zone = context.zone(zone)
    with context.open_store() as store:
        folder = context.config.spool / f"collect-{os.getpid()}"
        spooling = Spooling(Spool(folder, KeyRing(context.config.data).public(store.name)))
        try:
            collection = Collection(config, in_zone, spooling, once=once)
            try:
                _run(collection)
            finally:
                sealed = _sealed(store, folder, spooling)
        finally:
            with suppress(OSError):  # not empty: what could not be sealed now is sealed by the box
                folder.rmdir()
    _say(context, collection, sealed)


def _sealed(store: Store, folder: Path, spooling: Spooling) -> Sealed:
    """Seals while the spool is still held, so that a box which runs beside does not take it for a dead one's."""
    try:
        spooling.flush()
        sealed = seal(store, folder, patience_ms=0)
        spooling.close()
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror}; free some space and read the meter again") from None
    return sealed + seal(store, folder, patience_ms=0)


def _meter_config(link_text: str, meter: str, source: str) -> MeterConfig:
    name, _, rest = link_text.partition(":")
    need_fitting(name, meter)
    options = links.named(name).Options.from_text(rest)
    return MeterConfig(source, name, meter, link_options=_as_section(options))


def _as_section(options: Any) -> dict[str, Any]:
    import dataclasses

    return {each.name: getattr(options, each.name) for each in dataclasses.fields(options)}


def _run(collection: Collection) -> None:
    """Until the link ends, or Ctrl-C, or a SIGTERM; what came until then is sealed all the same."""
    signal.signal(signal.SIGTERM, lambda *_: collection.stop())
    with suppress(KeyboardInterrupt):
        collection.run()


def _say(context: Context, collection: Collection, sealed: Sealed) -> None:
    counters = collection.counters
    row = {
        "telegrams": counters.telegrams,
        "crc_errors": counters.crc_errors,
        "partial": counters.partial,
        "read": sealed.read,
        "stored": sealed.stored,
        "duplicate": sealed.duplicate,
    }
    if context.as_json:
        print_json(row)
    else:
        click.echo(", ".join(f"{value} {name.replace('_', ' ')}" for name, value in row.items()))
    if counters.refused:
        warn(f"{counters.refused} frames said something impossible (a time that does not exist, a value out of range)")
    if not counters.telegrams:
        raise UserError("no telegram came: is it the right meter, speed and file? see: inglenook meters")
