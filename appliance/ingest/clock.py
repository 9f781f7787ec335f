"""The box's clock as a collector needs it: it runs evenly under the readings, and it is known whether anybody set it.

A box without a clock chip begins at a time that may be years off, until a time server sets it. So a reading that the
box itself stamps is kept with the time since the machine started, which no setting changes, and with whether the
clock was right by then: what was stamped before is put right when that is known.
"""

import ctypes
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

JUMP_MS = 1_000
"""A clock that differs by more from what it was, beside the time since the start, was set."""

_ASKED_EVERY_MS = 5_000
_TIMEX_BYTES = 208
_STATUS = slice(40, 44)  # of struct timex, on 64-bit machines
_STA_UNSYNC = 0x40


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment: milliseconds since 1970 UTC as the box has it, since the machine started, and whether the former was
    set by a time server."""

    at_ms: int
    mono_ms: int
    synced: bool


def boot_id() -> str:
    """This run of the machine: as the service was told, which sees no such file, else as the kernel says."""
    said = os.environ.get("INGLENOOK_BOOT") or Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return str(UUID(said))  # one spelling of it


def mono_ms() -> int:
    """Milliseconds since the machine started, its sleep included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def wall_ms() -> int:
    """Milliseconds since 1970 UTC, as the box's clock has it."""
    return time.time_ns() // 1_000_000


def is_synced() -> bool:
    """Whether something keeps the kernel's clock right. Where it may not be asked, the clock is believed.

    A service that may not ask is told which file is there once the clock was set, and believes in nothing else.
    """
    if sign := os.environ.get("INGLENOOK_CLOCK"):
        return Path(sign).exists()
    timex = (ctypes.c_byte * _TIMEX_BYTES)()
    if ctypes.CDLL(None).adjtimex(timex) < 0:
        return True
    return not int.from_bytes(bytes(timex)[_STATUS], "little") & _STA_UNSYNC


class Clock:
    """Goes evenly from one moment to the next, and takes a new time over only where the box's clock was set."""

    def __init__(
        self,
        wall: Callable[[], int] = wall_ms,
        mono: Callable[[], int] = mono_ms,
        synced: Callable[[], bool] = is_synced,
    ) -> None:
        self.jumps = 0
        self._wall, self._mono, self._synced = wall, mono, synced
        self._started_ms = wall() - mono()
        self._asked_ms: int | None = None
        self._is_synced = False

    def now(self) -> Instant:
        """This moment."""
        mono = self._mono()
        started_ms = self._wall() - mono
        if abs(started_ms - self._started_ms) > JUMP_MS:
            self.jumps += 1
            self._started_ms = started_ms
            self._asked_ms = None  # whoever set it may have set it right
        return Instant(self._started_ms + mono, mono, self._known(mono))

    def _known(self, mono: int) -> bool:
        if self._asked_ms is None or mono - self._asked_ms >= _ASKED_EVERY_MS:
            self._asked_ms, self._is_synced = mono, self._synced()
        return self._is_synced
