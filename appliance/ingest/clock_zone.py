"""The zone of a meter's own clock, which knows whether it was needed: many meters state no local time at all."""

from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo


class ClockZone(ZoneInfo):
    """`is_assumed`: nobody said one. `was_needed`: the meter has stated a local time since."""

    is_assumed = False
    was_needed = False

    @classmethod
    def of(cls, name: str | None) -> Self:
        """The zone of that name; UTC, assumed, where nobody said one."""
        zone = cls.no_cache(name or "UTC")  # each meter has its own
        zone.is_assumed = not name
        return zone

    def utcoffset(self, when: datetime | None, /) -> timedelta | None:
        self.was_needed = True
        return super().utcoffset(when)
