"""First start: the folders and the home store, with their keys. Ends at once where they are there."""

import argparse
from contextlib import suppress
from pathlib import Path

from appliance.config import DELETING, RESTORED, load
from appliance.errors import UserError
from appliance.store.database import HOME, open_store


def main() -> None:
    """Makes what the other services expect."""
    parser = argparse.ArgumentParser(prog="inglenook-setup", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    make(parser.parse_args().data)


def make(data: Path) -> None:
    """The home store and its inbox."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = load(data)
    if (config.data / DELETING).exists():  # a power cut stopped it
        from appliance.deleting import whole

        whole.finish(config)
        config = load(data)
    if (config.data / RESTORED).exists():  # it stopped a restore
        from appliance.backup import restoring

        with suppress(UserError):  # somebody claimed the box meanwhile
            restoring.take_over(config)
        config = load(data)
    open_store(config, HOME, make=True).close()
    (config.inbox / HOME).mkdir(mode=0o700, parents=True, exist_ok=True)


if __name__ == "__main__":
    from services.process import end_on_user_error

    end_on_user_error(main)
