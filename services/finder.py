"""Looks for meters once, and ends: each thing that is found, and each step that is taken, a line of JSON on stdout.

A process of its own, so that what it needs in memory is given back, and so that the page's own process opens no port.
With `--prove` it looks once more at one thing that was found, with what a person said of it. That comes on stdin, as
one JSON object of `needs` and `said`, since a secret would be seen among a command's arguments.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

from appliance.config import Config, load
from appliance.errors import UserError
from appliance.finding import Found, Needs, Wanted, answered, find, prove
from appliance.finding.offers import from_dict, to_dict
from services.process import end_on_user_error, stop_on_signal


def main() -> None:
    """Looks until all was listened to, or until SIGTERM: what was found so far has been said then."""
    parser = argparse.ArgumentParser(prog="inglenook-finder", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--ask", action="store_true", help="also ask meters that speak only when they are spoken to")
    parser.add_argument("--everywhere", action="store_true", help="with --ask: at every address a meter may have")
    parser.add_argument("--prove", action="store_true", help="look at the one thing that stdin names")
    said = parser.parse_args()
    stopping = stop_on_signal()
    wanted = _wanted(load(said.data), asks=said.ask, everywhere=said.everywhere)
    try:
        for found in _proved(wanted, stopping) if said.prove else find(wanted, stopping):
            print(json.dumps(to_dict(found, secrets=True)), flush=True)
    except BrokenPipeError:  # who asked has gone
        stopping.set()


def _proved(wanted: Wanted, stopping: Event) -> Iterator[Found]:
    asked = json.load(sys.stdin)
    needs = from_dict(asked["needs"])
    if not isinstance(needs, Needs):
        raise UserError(f"needs: {type(needs).__name__} is nothing that needs to be told more; write what was found")
    return prove(needs, answered(needs, asked["said"]), wanted, stopping)


def _wanted(config: Config, *, asks: bool, everywhere: bool) -> Wanted:
    return Wanted(
        ports=config.ports,
        broker=config.broker,
        network=config.network,
        one_wire=config.one_wire,
        gpio=config.gpio,
        asks=asks,
        everywhere=everywhere,
        zone=ZoneInfo(config.zone or "UTC"),
        configured=config.meters,
    )


if __name__ == "__main__":
    end_on_user_error(main)
