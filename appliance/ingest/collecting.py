"""Collecting: the bytes of a link through a meter into the spool, reconnecting for as long as it takes.

Loads no more than it must: this is what runs all day in 25 MB. What seals the spool into a store is `sealing`.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from appliance import links, meters
from appliance.config import MeterConfig, options_from
from appliance.errors import SourceError, UserError
from appliance.ingest import frames
from appliance.ingest.asking import Asking
from appliance.ingest.clock import Clock, Instant, boot_id
from appliance.ingest.clock_zone import ClockZone
from appliance.ingest.frames import Origin
from appliance.ingest.sharing import Lines
from appliance.ingest.spool import Spool
from appliance.ingest.watching import Health, Watch
from appliance.links import EndedError, Link
from appliance.meters import Counters, Meter
from appliance.records import Frame

log = logging.getLogger(__name__)

READ_S = 0.5
BACKOFF_S = (1, 2, 3)
"""A port that is plugged in again is read within seconds; asking for it costs next to nothing."""

AHEAD_MS = 86_400_000
"""A meter's own time that is further ahead than this of a clock that was set is not believed."""


class Spooling:
    """The spool, shared by every meter's thread."""

    def __init__(self, spool: Spool) -> None:
        self._spool, self._lock = spool, threading.Lock()
        self.readings = 0

    @property
    def dropped(self) -> int:
        """Frames that were lost, since the disk took none for longer than memory lasts."""
        return self._spool.dropped

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


def _warn_of_assumed(name: str, at: datetime) -> None:
    log.warning(
        '%s: nobody said in which time zone its clock is: its %s is taken as UTC; write zone = "Europe/Amsterdam", or '
        "where it is, into inglenook.toml below [household]",
        name,
        at.strftime("%Y-%m-%d %H:%M:%S"),
    )


class Collection:
    """One configured meter being read. UserError, at once, where its configuration is wrong.

    `lines` are those that it may share with other meters of this process.
    Of a `ClockZone` that nobody said, `tell_assumed` hears of the first time of the meter's clock that is taken as UTC.
    """

    def __init__(
        self,
        config: MeterConfig,
        zone: ZoneInfo,
        spooling: Spooling,
        *,
        once: bool = False,
        clock: Clock | None = None,
        lines: Lines | None = None,
        tell_assumed: Callable[[str, datetime], None] = _warn_of_assumed,
    ) -> None:
        self.config, self.spooling, self.once = config, spooling, once
        self._zone, self._tell_assumed, self._has_told = zone, tell_assumed, False
        self.stopping = threading.Event()
        self._clock = clock or Clock()
        need_fitting(config.link, config.meter)
        with _gathered() as problems:
            with _heard(problems):
                self._link = link_of(config)
            with _heard(problems):
                self._meter = meter_of(config, zone)
        if lines is not None:
            self._link = lines.shared(config, self._link, self._meter)
        self.watch = Watch(self._silent_s(), self._clock.now())
        self._origin = Origin(config.name, config.link, config.meter, boot_id())
        self._asking = Asking(self._link, self._meter)

    @property
    def counters(self) -> Counters:
        return self._meter.counters

    def health(self) -> Health:
        """How it goes, at this moment."""
        exceptions: dict[int, int] = dict(getattr(self._meter, "exceptions", {}))  # in one go: another thread counts
        return replace(
            self.watch.health(self.config, self.counters, self._clock.now()),
            note=getattr(self._meter, "note", ""),
            status=getattr(self._meter, "status", 0),
            exceptions={str(code): number for code, number in exceptions.items()},
        )

    def _silent_s(self) -> float:
        """After how long without a good frame something is wrong: later, where the link brings one less often."""
        silent_s: float = getattr(self._meter, "silent_s", meters.silent_s(self.config.meter))
        between_s: float = getattr(self._link, "interval_s", 0.0)
        return max(silent_s, meters.SILENT_ROUNDS * between_s) if silent_s else 0.0

    def run(self) -> None:
        """Reads until it is stopped or the link ends; a link that fails is opened again, soon and for ever.

        SourceError where trying again changes nothing.
        """
        while not self.stopping.is_set():
            try:
                self._open()
                self._read_on()
                return
            except SourceError as error:
                self.watch.failed(str(error))
                if self.once or error.permanent:
                    raise
                self._wait(error)
            finally:
                self._link.close()

    def stop(self) -> None:
        """Ends `run`, from another thread."""
        self.stopping.set()

    def _open(self) -> None:
        self._link.open()
        self._asking = Asking(self._link, self._meter)
        self.watch.opened(self._clock.now())
        log.info("%s: reading %s over %s", self.config.name, self.config.meter, self.config.link)

    def _wait(self, error: SourceError) -> None:
        """Until it is time to try again. What is the same as before is not said again."""
        failures = self.watch.failures_in_a_row
        wait_s = BACKOFF_S[min(failures, len(BACKOFF_S)) - 1]
        if self.watch.is_new_trouble:
            log.warning("%s: %s; it is tried again every few seconds", self.config.name, error)
        self.stopping.wait(wait_s)

    def _read_on(self) -> None:
        while not self.stopping.is_set():
            try:
                data = self._asking.read(READ_S, self._clock.now().at_ms)
            except EndedError:
                return
            now = self._clock.now()
            self.watch.heard(len(data), now)
            found = self._meter.feed(data, now.at_ms)
            for frame in found:
                self._keep(frame, now)
                self._note_zone(frame)
            if self.once and found and self.config.link != "replay":
                return

    def _keep(self, frame: Frame, now: Instant) -> None:
        frame = in_role(_believed(frame, now), self.config.role)
        gap = self.watch.frame(frame, now) if self.config.link != "replay" else None
        self.spooling.append(frames.to_bytes(self._origin, frame, now, gap), len(frame.readings))

    def _note_zone(self, frame: Frame) -> None:
        zone = self._zone
        if not self._has_told and isinstance(zone, ClockZone) and zone.is_assumed and zone.was_needed:
            self._has_told = True
            self._tell_assumed(self.config.name, datetime.fromtimestamp(frames.newest_ms(frame.readings) // 1000, UTC))


def _believed(frame: Frame, now: Instant) -> Frame:
    """The frame, with the box's time where the meter's clock is far ahead of a box that knows what time it is."""
    if not now.synced or all(not each.stated or each.at_ms <= now.at_ms + AHEAD_MS for each in frame.readings):
        return frame
    readings = (
        replace(each, at_ms=now.at_ms, stated=False) if each.at_ms > now.at_ms + AHEAD_MS else each
        for each in frame.readings
    )
    return replace(frame, readings=tuple(readings))


def in_role(frame: Frame, role: str) -> Frame:
    """The frame with a role before those of its readings: `electricity.import` is `solar.electricity.import` there."""
    if not role:
        return frame
    return replace(frame, readings=tuple(replace(each, role=f"{role}.{each.role}") for each in frame.readings))


def need_fitting(link: str, meter: str) -> None:
    """UserError where there is no such link or meter, or where such a meter cannot be behind that link."""
    with _gathered() as problems:
        with _heard(problems):
            links.named(link)
        with _heard(problems):
            meters.named(meter)
    meters.need_link(meter, link)


def link_of(config: MeterConfig) -> Link:
    """The configured link, not yet open."""
    module = links.named(config.link)
    options = config.link_options
    if _is_one_table(config):
        of_meter = _names(meters.named(config.meter).Options) - _names(module.Options)
        options = {name: value for name, value in options.items() if name not in of_meter}
    return module.Link(options_from(module.Options, options, f"meters.{config.name}.{config.link}"))


def meter_of(config: MeterConfig, zone: ZoneInfo) -> Meter:
    """The configured meter, which has heard nothing yet."""
    module = meters.named(config.meter)
    options = config.meter_options
    if _is_one_table(config):
        of_link = _names(links.named(config.link).Options)
        options = {name: value for name, value in options.items() if name not in of_link}
    return module.Meter(options_from(module.Options, options, f"meters.{config.name}.{config.meter}"), zone)


def _is_one_table(config: MeterConfig) -> bool:
    """Whether the options of both stand in one table of the configuration, since link and meter have one name."""
    return config.link == config.meter and config.link_options == config.meter_options


def _names(kind: type[Any]) -> set[str]:
    return {each.name for each in fields(kind)}


@contextmanager
def _gathered() -> Iterator[list[str]]:
    """Raises one UserError of all the problems that were heard of."""
    problems: list[str] = []
    yield problems
    if problems:
        raise UserError(problems)


@contextmanager
def _heard(problems: list[str]) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        problems += error.problems


def flush_until(stopping: threading.Event, spooling: Spooling, seconds: float, changed: Callable[[], bool]) -> None:
    """Flushes the spool every so often, until it is time to stop or `changed` says that it is."""
    while not stopping.wait(seconds) and not changed():
        try:
            spooling.flush()
        except OSError as error:
            log.error("the spool cannot be written: %s; readings wait in memory", error.strerror)
