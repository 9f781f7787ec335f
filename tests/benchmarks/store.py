"""A store in a folder of its own, for a benchmark."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.config import Config
from appliance.store.database import HOME, Store, open_store


@contextmanager
def scratch_store() -> Iterator[Store]:
    """An empty, encrypted home store on this machine's disk."""
    with scratch_config() as config, open_store(config, HOME, make=True) as store:
        yield store


@contextmanager
def scratch_config() -> Iterator[Config]:
    """A data folder of its own."""
    with tempfile.TemporaryDirectory(prefix="inglenook-bench-") as folder:
        yield Config(Path(folder))
