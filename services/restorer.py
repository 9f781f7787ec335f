"""Brings a backup back for the claim page, and says how far it is: one JSON object a line.

    {"step": "bringing it back", "percent": 40}        what is done now; null where nobody knows how far
    {"problems": ["..."]}                              why it ended

Where it is, who it lets in and the 24 words come on stdin, as one JSON object of `where`, `user`, `password` and
`words`: among a command's arguments they would be seen.
"""

import argparse
import json
import sys
from pathlib import Path

from appliance.backup import restoring
from appliance.config import load
from appliance.errors import UserError
from services.process import end_on_user_error


def main() -> None:
    """Ends with DIR/restored made, or with 2 and what kept it from that."""
    parser = argparse.ArgumentParser(prog="inglenook-restorer", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    config, said = load(parser.parse_args().data), json.load(sys.stdin)
    try:
        restoring.bring(config, said["where"], said["user"], said["password"], said["words"], _tell)
    except UserError as error:
        print(json.dumps({"problems": error.problems}), flush=True)
        sys.exit(2)


def _tell(step: str, percent: int | None) -> None:
    print(json.dumps({"step": step, "percent": percent}), flush=True)


if __name__ == "__main__":
    end_on_user_error(main)
