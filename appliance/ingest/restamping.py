"""Restamping: readings that the box stamped by a wrong clock get the time at which they were taken.

A machine that has just started may believe any time until somebody sets its clock. Each frame with such a reading says
how long the machine had run then, so that one frame of the same run from after the clock was set tells when all of
them were; where no time server ever does, a meter that states its own time tells. Until one is there they wait in
the spool, a day at most. Where there never was one (the power failed before), what a clock that could not have been
right stamped is put before the next run began, and marked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from appliance.ingest.clock import Instant
from appliance.ingest.frames import SpooledFrame

PATIENCE_MS = 600_000
"""A machine that has run this long, and whose clock nobody set, is one that has no time server."""

MOST_MS = 86_400_000
"""Nothing waits longer than this: all that was spooled after it waits too."""

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
    _by_meters: dict[str, int] = field(default_factory=dict)  # when each run began, as a meter's own time says
    _last: dict[str, int] = field(default_factory=dict)  # what each run stamped last before its clock was set
    _order: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.now.synced:
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
                if stated := [each.at_ms for each in frame.readings if each.stated and not each.seconds]:
                    self._by_meters.setdefault(boot, max(stated) - clock.mono_ms)

    def settle(self) -> None:
        """Takes what no time server told by now, and it had long enough, from a meter, else from the box's own clock
        where that may be right.
        """
        if self.now.mono_ms < self.patience_ms:
            return
        for boot, began_ms in self._by_meters.items():
            self.starts.setdefault(boot, began_ms)
        if self.now.at_ms >= EARLIEST_MS:
            self.starts.setdefault(self.boot, self.now.at_ms - self.now.mono_ms)

    def waits(self, frame: SpooledFrame) -> bool:
        """Whether it may yet become known when the frame was: some clock may still be set."""
        clock, boot = frame.clock, frame.origin.boot
        if clock is None or clock.synced or boot in self.starts or all(each.stated for each in frame.readings):
            return False
        return self._begun_after(boot) is None and self.now.mono_ms < max(self.patience_ms, MOST_MS)

    def right(self, frame: SpooledFrame) -> SpooledFrame:
        """The frame, with the readings that the box stamped at the time at which they were taken."""
        clock, boot = frame.clock, frame.origin.boot
        if clock is None or clock.synced or all(each.stated for each in frame.readings):
            return frame
        if boot in self.starts:
            return _shifted(frame, self.starts[boot] + clock.mono_ms - clock.at_ms, "")
        begun_ms, last_ms = self._begun_after(boot), self._last[boot]
        if begun_ms is None:
            return _shifted(frame, max(0, EARLIEST_MS + clock.mono_ms - clock.at_ms), ESTIMATED)
        if clock.at_ms >= EARLIEST_MS and last_ms <= begun_ms:
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
