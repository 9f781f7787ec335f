"""Watching one meter: when it was last heard, what went wrong, and what was missed meanwhile.

A link that is down and a meter that is silent are gaps: the frame that ends one says since when nothing was heard, and
why, so that the ledger of what is missing is written where the readings are.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from appliance.config import MeterConfig
from appliance.ingest import frames
from appliance.ingest.clock import Instant
from appliance.ingest.frames import LINK, METER, START, Gap
from appliance.meters import Counters
from appliance.records import Frame

WAITING, READING, SILENT, DOWN, WRONG = "waiting", "reading", "silent", "down", "wrong"
"""Open, and nothing came yet; as it should be; open, and nothing comes any more; not open; not to be read as it is
configured."""

KINDS_OF_TROUBLE = 20
"""Messages that are counted apart: they may name what changes."""


@dataclass(frozen=True, slots=True)
class Health:
    """How one meter is being read. Times are milliseconds since 1970 UTC, None where it has not happened.

    `said_ms` is what the newest frame was of, by the meter's own clock where it has one. `trouble` is the newest
    failure of the link in words, "" while it is open. `note`, `status` and `exceptions` are the meter's own
    (`meters.Meter`).
    """

    source: str
    link: str
    meter: str
    state: str
    opened_ms: int | None
    byte_ms: int | None
    frame_ms: int | None
    said_ms: int | None
    bytes: int
    counters: dict[str, int]
    failures: dict[str, int]
    trouble: str
    note: str = ""
    status: int = 0
    exceptions: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def misconfigured(config: MeterConfig, problems: Sequence[str]) -> Health:
    """Of a meter that is not read, as its configuration is wrong."""
    return Health(
        source=config.name,
        link=config.link,
        meter=config.meter,
        state=WRONG,
        opened_ms=None,
        byte_ms=None,
        frame_ms=None,
        said_ms=None,
        bytes=0,
        counters=asdict(Counters()),
        failures={},
        trouble="; ".join(problems),
    )


@dataclass(slots=True)
class Watch:
    """What happens to one meter. `silent_s`: after how long without a good frame something is wrong; 0: never."""

    silent_s: float
    started: Instant
    trouble: str = ""
    is_new_trouble: bool = False
    gave_up: bool = False  # trying again changes nothing
    failures_in_a_row: int = 0
    bytes: int = 0
    _failures: Counter[str] = field(default_factory=Counter)
    _opened: Instant | None = None
    _byte: Instant | None = None
    _frame: Instant | None = None
    _said_ms: int | None = None
    _why: str = START

    def opened(self, now: Instant) -> None:
        """The link is open."""
        self._opened, self.trouble = now, ""

    def failed(self, why: str) -> None:
        """The link could not be opened, or is gone."""
        self.is_new_trouble = why != self.trouble
        self._opened, self.trouble = None, why
        self.failures_in_a_row += 1
        named = why in self._failures or len(self._failures) < KINDS_OF_TROUBLE
        self._failures[why if named else "other"] += 1
        if self._why != START:
            self._why = LINK

    def heard(self, count: int, now: Instant) -> None:
        """So many bytes came."""
        if count:
            self._byte = now
            self.bytes += count
            self.failures_in_a_row = 0

    def frame(self, frame: Frame, now: Instant) -> Gap | None:
        """A good frame came. The gap that it ends, if there is one."""
        gap = self._ended_gap(now)
        self._frame, self._why = now, ""
        self._said_ms = frames.newest_ms(frame.readings) or now.at_ms
        return gap

    def _ended_gap(self, now: Instant) -> Gap | None:
        if self._why:
            return Gap(self._said_ms, self._why)
        return Gap(self._said_ms, METER) if self._is_silent(now) else None

    def _is_silent(self, now: Instant) -> bool:
        since = self._frame or self._opened or self.started
        return bool(self.silent_s) and now.mono_ms - since.mono_ms > self.silent_s * 1000

    def health(self, config: MeterConfig, counters: Counters, now: Instant) -> Health:
        """How it goes."""
        return Health(
            source=config.name,
            link=config.link,
            meter=config.meter,
            state=self._state(now),
            opened_ms=_at_ms(self._opened),
            byte_ms=_at_ms(self._byte),
            frame_ms=_at_ms(self._frame),
            said_ms=self._said_ms,
            bytes=self.bytes,
            counters=asdict(counters),
            failures=dict(self._failures),
            trouble=self.trouble,
        )

    def _state(self, now: Instant) -> str:
        if self.gave_up:
            return WRONG
        if self._opened is None:
            return DOWN if self.trouble else WAITING
        if self._is_silent(now):
            return SILENT
        return READING if self._frame else WAITING


def _at_ms(instant: Instant | None) -> int | None:
    return None if instant is None else instant.at_ms
