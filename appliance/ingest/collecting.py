"""Collecting: the bytes of a link through a meter into the spool, reconnecting for as long as it takes.

Loads no more than it must: this is what runs all day in 25 MB. What seals the spool into a store is `sealing`.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from appliance import links, meters
from appliance.config import MeterConfig, options_from
from appliance.errors import SourceError, UserError
from appliance.ingest import frames
from appliance.ingest.frames import Origin
from appliance.ingest.spool import Spool
from appliance.links import EndedError, Link
from appliance.meters import Counters, Meter

log = logging.getLogger(__name__)

READ_S = 0.5
BACKOFF_S = (1, 2, 5, 5, 10)


class Spooling:
    """The spool, shared by every meter's thread."""

    def __init__(self, spool: Spool) -> None:
        self._spool, self._lock = spool, threading.Lock()
        self.readings = 0

    def append(self, payload: bytes, readings: int) -> None:
        with self._lock:
            self._spool.append(payload)
            self.readings += readings

    def flush(self) -> None:
        with self._lock:
            self._spool.flush()

    def close(self) -> None:
        with self._lock:
            self._spool.close()


class Collection:
    """One configured meter being read. UserError, at once, where its configuration is wrong."""

    def __init__(self, config: MeterConfig, zone: ZoneInfo, spooling: Spooling, *, once: bool = False) -> None:
        self.config, self.spooling, self.once = config, spooling, once
        self.stopping = threading.Event()
        problems: list[str] = []
        with _gathered(problems):
            self._link = link_of(config)
        with _gathered(problems):
            self._meter = meter_of(config, zone)
        if problems:
            raise UserError(problems)
        self._origin = Origin(config.name, config.link, config.meter, boot_id())

    @property
    def counters(self) -> Counters:
        return self._meter.counters

    def run(self) -> None:
        """Reads until it is stopped or the link ends; a link that fails is opened again, later and later.

        SourceError where trying again changes nothing.
        """
        failures = 0
        while not self.stopping.is_set():
            try:
                self._link.open()
                log.info("%s: reading %s over %s", self.config.name, self.config.meter, self.config.link)
                failures = 0
                self._read_on()
                return
            except SourceError as error:
                if self.once or error.permanent:
                    raise
                wait_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]
                log.warning("%s: %s; trying again in %d s", self.config.name, error, wait_s)
                failures += 1
                self.stopping.wait(wait_s)
            finally:
                self._link.close()

    def stop(self) -> None:
        """Ends `run`, from another thread."""
        self.stopping.set()

    def _read_on(self) -> None:
        while not self.stopping.is_set():
            try:
                data = self._link.read(READ_S)
            except EndedError:
                return
            now_ms = time.time_ns() // 1_000_000
            if question := self._meter.poll(now_ms):
                self._link.write(question)
            found = self._meter.feed(data, now_ms) if data else []
            for frame in found:
                self.spooling.append(frames.to_bytes(self._origin, frame), len(frame.readings))
            if self.once and found and self.config.link != "replay":
                return


def link_of(config: MeterConfig) -> Link:
    """The configured link, not yet open."""
    module = links.named(config.link)
    return module.Link(options_from(module.Options, config.link_options, f"meters.{config.name}.{config.link}"))


def meter_of(config: MeterConfig, zone: ZoneInfo) -> Meter:
    """The configured meter, which has heard nothing yet."""
    module = meters.named(config.meter)
    place = f"meters.{config.name}.{config.meter}"
    return module.Meter(options_from(module.Options, config.meter_options, place), zone)


@contextmanager
def _gathered(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        problems += error.problems


def boot_id() -> str:
    """This run of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def flush_until(stopping: threading.Event, spooling: Spooling, seconds: float, changed: Callable[[], bool]) -> None:
    """Flushes the spool every so often, until it is time to stop or `changed` says that it is."""
    while not stopping.wait(seconds) and not changed():
        try:
            spooling.flush()
        except OSError as error:
            log.error("the spool cannot be written: %s; readings wait in memory", error.strerror)
