"""Looks for meters once, and ends: each thing that is found, and each step that is taken, a line of JSON on stdout.

A process of its own, so that what it needs in memory is given back, and so that the page's own process opens no port.
"""

import argparse
import json
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance.config import Config, load
from appliance.finding import Wanted, find
from appliance.finding.offers import to_dict
from services.process import end_on_user_error, stop_on_signal


def main() -> None:
    """Looks until all was listened to, or until SIGTERM: what was found so far has been said then."""
    parser = argparse.ArgumentParser(prog="inglenook-finder", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--ask", action="store_true", help="also ask meters that speak only when they are spoken to")
    said = parser.parse_args()
    stopping = stop_on_signal()
    try:
        for found in find(_wanted(load(said.data), asks=said.ask), stopping):
            print(json.dumps(to_dict(found)), flush=True)
    except BrokenPipeError:  # who asked has gone
        stopping.set()


def _wanted(config: Config, *, asks: bool) -> Wanted:
    return Wanted(
        ports=config.ports,
        broker=config.broker,
        network=config.network,
        asks=asks,
        zone=ZoneInfo(config.zone or "UTC"),
        configured=config.meters,
    )


if __name__ == "__main__":
    end_on_user_error(main)
