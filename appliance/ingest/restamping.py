"""Restamping: readings that the box stamped by a wrong clock get the time at which they were taken.

A machine that has just started may believe any time until somebody sets its clock. Each frame with such a reading says
how long the machine had run then, so that one frame of the same run from after the clock was set tells when all of
them were. Until there is one they wait in the spool; where there never was one (the power failed before), what
a clock that could not have been right stamped is put before the next run began, and marked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from appliance.ingest.clock import Instant
from appliance.ingest.frames import SpooledFrame

PATIENCE_MS = 600_000
"""A machine that has run this long, and whose clock nobody set, is one that has no time server."""

EARLIEST_MS = 1_764_547_200_000  # 2025-12-01: no reading was taken before this program was written
ESTIMATED = "time estimated"


@dataclass(slots=True)
class Runs:
    """What is known of the machine's runs: from the frames in the spool, and `now`, a moment of the present one."""

    boot: str
    now: Instant
    patience_ms: int = PATIENCE_MS
    is_known: bool = False  # the whole spool was looked through
    starts: dict[str, int] = field(default_factory=dict)  # when each run whose clock was set began, milliseconds UTC
    _last: dict[str, int] = field(default_factory=dict)  # what each run stamped last before its clock was set
    _order: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        patient = self.now.mono_ms < self.patience_ms
        if self.now.synced or (not patient and self.now.at_ms >= EARLIEST_MS):
            self.starts[self.boot] = self.now.at_ms - self.now.mono_ms

    def note(self, frames: Iterable[SpooledFrame]) -> None:
        """Takes frames in the order in which they were spooled."""
        for frame in frames:
            boot, clock = frame.origin.boot, frame.clock
            if boot not in self._order:
                self._order.append(boot)
            if clock and clock.synced:
                self.starts.setdefault(boot, clock.at_ms - clock.mono_ms)
            elif clock:
                self._last[boot] = clock.at_ms

    def waits(self, frame: SpooledFrame) -> bool:
        """Whether it may yet become known when the frame was: some clock may still be set."""
        clock = frame.clock
        if clock is None or clock.synced or frame.origin.boot in self.starts:
            return False
        return self._begun_after(frame.origin.boot) is None

    def right(self, frame: SpooledFrame) -> SpooledFrame:
        """The frame, with the readings that the box stamped at the time at which they were taken."""
        clock, boot = frame.clock, frame.origin.boot
        if clock is None or clock.synced:
            return frame
        if boot in self.starts:
            return _shifted(frame, self.starts[boot] + clock.mono_ms - clock.at_ms, "")
        begun_ms, last_ms = self._begun_after(boot), self._last[boot]
        if begun_ms is None or (clock.at_ms >= EARLIEST_MS and last_ms <= begun_ms):
            return frame  # it could have been as it says
        return _shifted(frame, begun_ms - last_ms, ESTIMATED)

    def _begun_after(self, boot: str) -> int | None:
        """When the next run began of which that is known."""
        later = self._order[self._order.index(boot) + 1 :] if boot in self._order else []
        return next((self.starts[each] for each in (*later, self.boot) if each in self.starts and each != boot), None)


def _shifted(frame: SpooledFrame, shift_ms: int, quality: str) -> SpooledFrame:
    readings = tuple(
        each if each.stated else replace(each, at_ms=each.at_ms + shift_ms, quality=each.quality or quality)
        for each in frame.readings
    )
    gap = frame.gap and replace(frame.gap, since_ms=frame.gap.since_ms and frame.gap.since_ms + shift_ms)
    return replace(frame, readings=readings, gap=gap)
