"""The plan: when each feed is due, in files that the scheduler reads without opening a store; and how far a fetch is.

    DIR/run/feeds/STORE.json        {"ID": {"said_us": ..., "next_us": ..., "watch": "/media"}}, but for stopped ones
    DIR/run/feeds/STORE-ID.now      how far a fetch is, while it runs
    DIR/run/feeds/STORE-ID.cancel   a person wants it ended
    DIR/run/feeds/STORE-ID.lock     is locked while it runs

The stores have the truth: a plan is written anew after every change, and at every start. Nothing secret is in one.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.config import Config

if TYPE_CHECKING:  # the scheduler opens none, and stays small
    from appliance.store.database import Store

SLACK_US = 60_000_000  # clocks are put right by less than this all the time


@dataclass(frozen=True, slots=True)
class Planned:
    """When a feed of a store is due: at `next_us`, as was said at `said_us`. `watch` is a folder that may appear."""

    store: str
    feed: int
    said_us: int
    next_us: int
    watch: str = ""

    def due_us(self, now_us: int, met_us: int) -> int:
        """When it is due by a clock that may have been put back since: `met_us` is when this plan was first met.

        One that was made later than now waits as long as it was to wait, and not until that day comes again.
        """
        if now_us >= self.said_us - SLACK_US:
            return self.next_us
        return min(self.next_us, met_us + self.next_us - self.said_us)


def folder(config: Config) -> Path:
    return config.run / "feeds"


def write(config: Config, store: "Store") -> None:
    """Writes the plan of a store that is open."""
    from appliance.store import feeds

    with store.read() as connection:
        every = [each for each in feeds.every(connection) if not each.stopped]
        ended = {each.id: feeds.last_end_us(connection, each.id) for each in every}
    now_us = time.time_ns() // 1000
    plan = {
        str(each.id): {
            "said_us": ended[each.id] or min(each.next_us, now_us),
            "next_us": each.next_us,
            "watch": str(each.options.get("path", "")) if each.connector == "folder" else "",
        }
        for each in every
    }
    _write(folder(config) / f"{store.name}.json", plan)


def forget(config: Config, store: str) -> None:
    """Removes the plan of a store: one that is locked is not fetched for."""
    (folder(config) / f"{store}.json").unlink(missing_ok=True)


def stores(config: Config) -> set[str]:
    """The stores that have a plan."""
    return {path.stem for path in folder(config).glob("*.json")}


def read(config: Config) -> Iterator[Planned]:
    """Every feed that will be due; a plan that cannot be read has none, until it is written anew."""
    for path in sorted(folder(config).glob("*.json")):
        with suppress(OSError, ValueError, TypeError, AttributeError):
            for feed, said in json.loads(path.read_bytes()).items():
                yield Planned(path.stem, int(feed), **said)


# ---- a fetch that runs ----


@contextmanager
def alone(config: Config, store: str, feed: int) -> Iterator[bool]:
    """Whether nobody else fetches this feed, for as long as the block lasts."""
    path = _lock(config, store, feed)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            _now(config, store, feed).unlink(missing_ok=True)
            _cancel(config, store, feed).unlink(missing_ok=True)


def say(config: Config, store: str, feed: int, files: int, name: str) -> None:
    """Says how far a fetch is."""
    _write(_now(config, store, feed), {"files": files, "name": name})


def said(config: Config, store: str, feed: int) -> dict[str, Any] | None:
    """How far a fetch is; None where it does not run."""
    try:
        with _lock(config, store, feed).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None  # what it said before the power went
    except BlockingIOError:
        with suppress(OSError, ValueError):
            return dict(json.loads(_now(config, store, feed).read_bytes()))
        return {}
    except FileNotFoundError:
        return None


def cancel(config: Config, store: str, feed: int) -> None:
    """Has a fetch that runs ended."""
    if _now(config, store, feed).exists():
        _cancel(config, store, feed).touch(mode=0o600)


def is_cancelled(config: Config, store: str, feed: int) -> bool:
    return _cancel(config, store, feed).exists()


def _lock(config: Config, store: str, feed: int) -> Path:
    return folder(config) / f"{store}-{feed}.lock"


def _now(config: Config, store: str, feed: int) -> Path:
    return folder(config) / f"{store}-{feed}.now"


def _cancel(config: Config, store: str, feed: int) -> Path:
    return folder(config) / f"{store}-{feed}.cancel"


def _write(path: Path, content: Any) -> None:
    """Whole or not at all; what a power cut takes is written anew at the next start."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    partial.write_text(json.dumps(content))
    partial.chmod(0o600)
    partial.replace(path)
