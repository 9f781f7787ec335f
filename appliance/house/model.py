"""The house itself, as pure functions of time; for demonstrations and tests.

Power comes in minutes of constant watts, so that registers are exact integers however the time is cut. Behind every
choice stands an integer hash of the seed and the time, and no state: the same house gives the same value for the same
instant for ever. Seasons are the northern hemisphere's, at the latitude of 52 degrees.
"""

from array import array
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from math import cos, pi, sin
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000

_MASK = 2**64 - 1
_LATITUDE = 52 * pi / 180
_TILT = 35 * pi / 180
_HOT_WATER_MM3_MS = 500  # 1.8 m3 an hour
_BOILER_MM3_MS = 390  # 1.4 m3 an hour
_DAYS_KEPT = 4

_Event = tuple[int, int, int, int]
"""Something that runs: the minute of the clock at which it starts, for how many minutes, watts, and on which phase."""


class _Stream(IntEnum):
    """Each use of the hash has its own numbers."""

    WARMTH = 1
    CLOUDS = 2
    CLOUD = 3
    HABIT = 4
    STANDBY = 5
    FRIDGE = 6
    FREEZER = 7
    FLICKER = 8
    VOLTAGE = 9


class _Day:
    """One local day by the minute: watts of each phase (below 0: to the grid), gas in mm3/ms, and the low tariff."""

    __slots__ = ("day", "end_ms", "gas", "low", "minutes", "phases", "start_ms", "zone")

    def __init__(self, day: date, zone: ZoneInfo) -> None:
        self.day = day
        self.zone = zone
        self.start_ms = _local_ms(day, 0, zone)
        self.end_ms = _local_ms(day + timedelta(days=1), 0, zone)
        self.minutes = (self.end_ms - self.start_ms) // MINUTE_MS
        self.phases = tuple(array("i", bytes(4 * self.minutes)) for _ in range(3))
        self.gas = array("i", bytes(4 * self.minutes))
        self.low = bytearray(b"\1" * self.minutes)

    def index(self, clock_minute: int) -> int:
        """The place in the tables of a minute of the wall clock, on the days that clocks change too."""
        return (_local_ms(self.day, clock_minute, self.zone) - self.start_ms) // MINUTE_MS

    def add(self, table: "array[int]", first: int, count: int, amount: int) -> None:
        """Adds `amount` to `count` minutes from the place `first`, as far as the day goes."""
        for place in range(max(0, first), min(first + count, self.minutes)):
            table[place] += amount


class House:
    """A house whose every watt follows from the seed, the zone and the peak power of the panels on its roof."""

    def __init__(self, seed: int, zone: ZoneInfo, solar_kwp: float) -> None:
        self.zone = zone
        self.serial = f"SIM{seed % 10**11:011d}"
        self._solar_w = solar_kwp * 1000
        self._seed = (seed * 0xD6E8FEB86659FD93) & _MASK
        self._days: dict[date, _Day] = {}
        self._today = _Day(date(2000, 1, 1), zone)

    def power_w(self, at_ms: int) -> tuple[int, int]:
        """What flows in from the grid, and out to it, at this second; one of them is 0."""
        net_w = sum(self.phases_w(at_ms))
        return max(net_w, 0), max(-net_w, 0)

    def phases_w(self, at_ms: int) -> tuple[int, int, int]:
        """What each phase takes from the grid (below 0: gives to it): the minute's watts and a second's flicker."""
        day, place = self._place(at_ms)
        first, second, third = (table[place] for table in day.phases)
        flicker = (self._random(_Stream.FLICKER, at_ms // 1000) - 0.5) * (8 + abs(first) / 40)
        return first + int(flicker), second, third

    def volts(self, at_ms: int) -> tuple[float, float, float]:
        """The voltage of each phase, which wanders by itself and sags a little under load."""
        loads_w = self.phases_w(at_ms)
        first, second, third = (
            228.5 + 4 * self._random(_Stream.VOLTAGE, at_ms // 5000 * 4 + phase) - loads_w[phase] / 1500
            for phase in range(3)
        )
        return first, second, third

    def minute(self, at_ms: int) -> tuple[int, int, bool]:
        """The minute that holds `at_ms`: net watts from the grid, gas in mm3/ms, and whether the low tariff holds."""
        day, place = self._place(at_ms)
        first, second, third = day.phases
        return first[place] + second[place] + third[place], day.gas[place], bool(day.low[place])

    def _place(self, at_ms: int) -> tuple[_Day, int]:
        day = self._today
        if not day.start_ms <= at_ms < day.end_ms:
            day = self._today = self._day(datetime.fromtimestamp(at_ms / 1000, self.zone).date())
        return day, min(max((at_ms - day.start_ms) // MINUTE_MS, 0), day.minutes - 1)

    def _day(self, day: date) -> _Day:
        """The day's tables, of which a few are kept: telegrams look back over midnight."""
        if day not in self._days:
            while len(self._days) >= _DAYS_KEPT:
                del self._days[next(iter(self._days))]
            self._days[day] = self._lived(day)
        return self._days[day]

    def _lived(self, day: date) -> _Day:
        lived = _Day(day, self.zone)
        if day.weekday() < 5:
            for place in range(lived.index(7 * 60), lived.index(23 * 60)):
                lived.low[place] = 0
        self._standing(lived)
        for start, count, watts, phase in self._events(day):
            lived.add(lived.phases[phase], lived.index(start), count, watts)
        self._burn(lived)
        self._shine(lived)
        return lived

    def _standing(self, lived: _Day) -> None:
        """What runs by itself: standby and ventilation, a fridge and a freezer in cycles of their own."""
        first_minute = lived.start_ms // MINUTE_MS
        for block in range(first_minute // 10, (first_minute + lived.minutes) // 10 + 1):
            watts = 72 + int(24 * self._random(_Stream.STANDBY, block))
            lived.add(
                lived.phases[0], block * 10 - first_minute, min(10, first_minute - block * 10 + lived.minutes), watts
            )
        lived.add(lived.phases[1], 0, lived.minutes, 22)
        lived.add(lived.phases[2], 0, lived.minutes, 41)
        for stream, cycle, watts, phase in ((_Stream.FRIDGE, 43, 92, 0), (_Stream.FREEZER, 57, 74, 1)):
            for turn in range(first_minute // cycle, (first_minute + lived.minutes) // cycle + 1):
                run = cycle // 3 + int(5 * self._random(stream, turn))
                begin = turn * cycle - first_minute
                lived.add(lived.phases[phase], max(begin, 0), run + min(begin, 0), watts)

    def _events(self, day: date) -> Iterator[_Event]:
        """What people do in a day."""
        weekend = day.weekday() >= 5
        rise = (8 * 60 if weekend else 6 * 60 + 30) + self._about(day, 0, 30)
        bed = (23 * 60 if weekend else 22 * 60 + 20) + self._about(day, 1, 25)
        sunrise, sunset = _daylight(day)
        yield rise + 10, 3, 2000, 0  # kettle
        yield rise + 20, 5, 900, 0  # toaster
        yield rise, max(0, sunrise + 20 - rise), 110, 1  # lights, until it is day
        yield sunset - 20, max(0, bed - sunset + 20), 130, 1
        yield 19 * 60 + self._about(day, 2, 20), bed - 19 * 60 - 20, 150, 1  # television and computers
        if weekend or self._chance(day, 3) < 0.4:
            yield rise + 90, 7 * 60, 95, 1  # someone at home at a desk
            yield 12 * 60 + 30 + self._about(day, 4, 25), 12, 1300, 0
            yield 15 * 60 + self._about(day, 5, 40), 3, 2000, 0
        yield from self._cooking(day, weekend)
        yield from self._washing(day, weekend, bed)

    def _cooking(self, day: date, weekend: bool) -> Iterator[_Event]:
        """Dinner: the hob full on, then simmering in turns; on weekends the oven too; the kettle in the evening."""
        dinner = 17 * 60 + 40 + self._about(day, 6, 35)
        yield dinner, 9, 2100, 0
        for turn in range(6):
            yield dinner + 10 + 4 * turn, 2, 1500, 0
        if weekend and self._chance(day, 7) < 0.7:
            yield dinner - 15, 12, 2300, 1
            yield dinner, 30, 900, 1
        yield 20 * 60 + self._about(day, 8, 30), 3, 2000, 0

    def _washing(self, day: date, weekend: bool, bed: int) -> Iterator[_Event]:
        """Dishwasher on most evenings; washing on weekends and some days, and the dryer after it when it is cold."""
        if self._chance(day, 9) < 0.7:
            start = min(bed - 40, 20 * 60 + 30 + self._about(day, 10, 30))
            yield from ((start + 4, 16, 1900, 2), (start + 20, 40, 90, 2), (start + 60, 12, 1900, 2))
        if self._chance(day, 11) < (0.85 if weekend else 0.45):
            start = (10 * 60 if weekend else 18 * 60 + 50) + self._about(day, 12, 60)
            yield from ((start, 22, 2000, 2), (start + 22, 50, 180, 2), (start + 72, 12, 420, 2))
            if self._chance(day, 13) < (0.75 if self._warmth(day) < 10 else 0.3):
                yield start + 95, 70, 1500, 2

    def _burn(self, lived: _Day) -> None:
        """Gas: showers, dishes, and a boiler that runs for a part of each 20 minutes, the longer the colder it is."""
        rise, wake, bed = 6 * 60 + 40 + self._about(lived.day, 14, 15), lived.index(6 * 60), lived.index(22 * 60 + 30)
        for start, count in (
            (rise, 7),
            (rise + 25, 7),
            (18 * 60 + 45, 4),
            (21 * 60 + self._about(lived.day, 15, 30), 5),
        ):
            lived.add(lived.gas, lived.index(start), count, _HOT_WATER_MM3_MS)
        warmth = self._warmth(lived.day)
        for first in range(0, lived.minutes, 20):
            outside = warmth - 3 * cos(2 * pi * (first - 180) / 1440)
            need_m3_h = max(0.0, 16.0 - outside) * (0.0205 if wake <= first < bed else 0.012)
            run = min(20, round(20 * need_m3_h / 1.4))
            lived.add(lived.gas, first, run, _BOILER_MM3_MS)
            lived.add(lived.phases[1], first, run, 85)  # its pump and fan

    def _shine(self, lived: _Day) -> None:
        """Solar power on the first phase: direct and diffuse light on a roof that faces south, behind clouds."""
        if self._solar_w <= 0:
            return
        slant, height = (_sun(lived.day, latitude) for latitude in (_LATITUDE - _TILT, _LATITUDE))
        noon = _noon(lived)
        clear = self._random(_Stream.CLOUDS, lived.day.toordinal())
        table = lived.phases[0]
        for place in range(lived.minutes):
            turn = cos((place - noon) * pi / 720)
            elevation = height[0] + height[1] * turn
            if elevation > 0.02:
                direct = max(0.0, slant[0] + slant[1] * turn) * elevation / (elevation + 0.12)
                open_sky = self._open_sky(clear, lived.start_ms // MINUTE_MS + place)
                table[place] -= int(self._solar_w * (0.63 * direct * open_sky + 0.1 * elevation))

    def _open_sky(self, clear: float, minute: int) -> float:
        """The share of direct light that passes: bright and dull days, and clouds of some minutes in between."""
        block, part = divmod(minute, 12)
        here, next_ = (self._random(_Stream.CLOUD, block + step) for step in (0, 1))
        cloud = here + (next_ - here) * part / 12
        return min(1.0, max(0.02, 2.2 * clear - 1.3 * cloud * (1.15 - clear)))

    def _warmth(self, day: date) -> float:
        """The day's mean temperature outside in degrees Celsius: the season, and spells of some days."""
        block, part = divmod(day.toordinal(), 5)
        here, next_ = (self._random(_Stream.WARMTH, block + step) for step in (0, 1))
        return 10.5 - 7.5 * cos(2 * pi * (_day_of_year(day) - 20) / 365) + 9 * (here + (next_ - here) * part / 5 - 0.5)

    def _about(self, day: date, habit: int, minutes: int) -> int:
        """Some minutes earlier or later: people are no clocks."""
        return round((2 * self._chance(day, habit) - 1) * minutes)

    def _chance(self, day: date, habit: int) -> float:
        return self._random(_Stream.HABIT, day.toordinal() * 32 + habit)

    def _random(self, stream: _Stream, index: int) -> float:
        """0 <= x < 1 from seed, stream and index: the finishing steps of SplitMix64."""
        x = (self._seed + stream * 0xA0761D6478BD642F + index * 0x9E3779B97F4A7C15) & _MASK
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((x ^ (x >> 31)) >> 11) / 2**53


def _local_ms(day: date, clock_minute: int, zone: ZoneInfo) -> int:
    """The instant of a minute of the wall clock; minutes beyond the day are those of the next."""
    local = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=clock_minute)
    return int(local.timestamp()) * 1000


def _day_of_year(day: date) -> int:
    return day.timetuple().tm_yday


def _sun(day: date, latitude: float) -> tuple[float, float]:
    """(a, b): the sun stands a + b cos(hour angle) above a plane that is level at `latitude`, as a sine."""
    declination = 0.4091 * sin(2 * pi * (284 + _day_of_year(day)) / 365)
    return sin(latitude) * sin(declination), cos(latitude) * cos(declination)


def _daylight(day: date) -> tuple[int, int]:
    """Minutes of the wall clock between which it is light, roughly: 8 hours in winter, 16.5 in summer."""
    half = 368 - 128 * cos(2 * pi * (_day_of_year(day) + 10) / 365)
    return int(780 - half), int(780 + half)


def _noon(lived: _Day) -> int:
    """The place in the day's tables at which the sun stands highest: most zones' clocks are ahead of it."""
    january = datetime(lived.day.year, 1, 1, 12, tzinfo=lived.zone).utcoffset() or timedelta(0)
    noon_utc = datetime(lived.day.year, lived.day.month, lived.day.day, 12, 40, tzinfo=UTC) - january
    return (int(noon_utc.timestamp()) * 1000 - lived.start_ms) // MINUTE_MS
