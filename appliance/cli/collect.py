"""`inglenook collect`: one meter, read here and now, and sealed into the store before the command ends."""

import logging
import os
import shlex
import signal
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from appliance import links
from appliance.cli.context import Context, common, counted, print_json, warn
from appliance.config import MeterConfig
from appliance.errors import UserError
from appliance.ingest.clock_zone import ClockZone
from appliance.ingest.collecting import Collection, Spooling, need_fitting
from appliance.ingest.sealing import Sealed, seal
from appliance.ingest.spool import Spool
from appliance.store import sources
from appliance.store.database import HOME, Store
from appliance.store.keys import KeyRing

CLOCK_ZONE = "clock_zone"
"""What is kept of a source: the zone in which its meter's clock was taken to be."""


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
    in_zone = ClockZone.of(context.zone_name(zone))
    again = shlex.join(["inglenook", "collect", "--link", link_text, "--meter", meter, "--source", config.name])
    with context.open_store() as store:
        _need_same_clock(store, config.name, in_zone, again)
        folder = context.config.spool / f"collect-{os.getpid()}"
        spooling = Spooling(Spool(folder, KeyRing(context.config.data).public(store.name)))
        try:
            collection = Collection(config, in_zone, spooling, once=once, tell_assumed=partial(_tell_assumed, again))
            try:
                _run(collection)
            finally:
                sealed = _sealed(store, folder, spooling)
                _keep_clock(store, config.name, in_zone)
        finally:
            with suppress(OSError):  # not empty: what could not be sealed now is sealed by the box
                folder.rmdir()
    _say(context, collection, sealed)


def _need_same_clock(store: Store, source: str, zone: ClockZone, again: str) -> None:
    """UserError where a source's clock was taken to be in another zone: all that is there would come a second time."""
    with store.read() as connection:
        before = sources.options(connection, source).get(CLOCK_ZONE, zone.key)
    if before == zone.key:
        return
    lines = [
        f"nothing was read: the clock of {source!r} was taken as {before} before, and as {zone.key} all that is stored "
        "would be stored once more, at other hours",
        f"  to go on as before: {again} --zone {before}",
    ]
    if not zone.is_assumed:
        lines += [f"  where {before} was wrong:", *_begun_again(source, again, zone.key)]
    raise UserError("\n".join([*lines, "  to keep both: say another name with --source"]))


def _begun_again(source: str, again: str, zone: str) -> list[str]:
    """What deletes a source's readings and reads them with another zone."""
    return [f"    inglenook delete source {shlex.quote(source)}", f"    {again} --zone {zone}"]


def _keep_clock(store: Store, source: str, zone: ClockZone) -> None:
    if zone.was_needed:
        with store.write() as connection:
            sources.state(connection, source, {CLOCK_ZONE: zone.key})


def _tell_assumed(again: str, source: str, at: datetime) -> None:
    """What was assumed of a clock whose zone nobody said, and what to do where that is wrong."""
    as_utc = f"its {at:%Y-%m-%d %H:%M:%S} is taken as {at:%H:%M:%S} UTC"
    lines = [
        f"nobody said in which time zone the meter's clock is: {as_utc}",
        "  where that is wrong, delete what is stored and read it again, with the zone where the meter is:",
        *_begun_again(source, again, "Europe/Amsterdam"),
    ]
    warn("\n".join(lines))


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

    said = {each.name: getattr(options, each.name) for each in dataclasses.fields(options)}
    return {name: value for name, value in said.items() if value is not None}


def _run(collection: Collection) -> None:
    """Until the link ends, or Ctrl-C, or a SIGTERM; what came until then is sealed all the same."""
    if not collection.once and collection.config.link != "replay":
        warn(f"reading {collection.config.meter} over {collection.config.link}; Ctrl-C ends it, and stores what came")
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
        heard = counted(counters.telegrams, "good telegram")
        read = counted(sealed.read, "reading")
        click.echo(
            f"{heard}, {counters.crc_errors:,} damaged, {counters.partial:,} broken off; "
            f"{read}: {sealed.stored:,} stored, {sealed.duplicate:,} known already"
        )
    if counters.refused:
        why = "nothing that such a meter says, or something impossible, such as a value out of range"
        warn(f"{counted(counters.refused, 'message')} not used: {why}")
    if not counters.telegrams:
        raise UserError("no telegram came: is it the right meter, speed and file? see: inglenook meters")
