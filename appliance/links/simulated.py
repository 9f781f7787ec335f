"""A simulated house behind a real pseudo-terminal: its meter's telegrams take the way that a P1 cable's would.

The registers are those of the anchor and all that the house has used since then, so that they go on where they were
after a restart. Without an anchor it is the first of this month, with numbers that each month raises by more than a
house can use: a restart in a new month may leap ahead, and never goes back.
"""

import os
import select
import threading
import time
import tty
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance.errors import SourceError, UserError
from appliance.house import House, Registers, advance, telegram
from appliance.links import serial

TITLE = "A simulated house"

_MONTHLY_IMPORT_KWH = Decimal(250)  # of each tariff
_MONTHLY_EXPORT_KWH_PER_KWP = Decimal(110)
_MONTHLY_GAS_M3 = Decimal(300)
_FIRST_YEAR = 2020
_DAY_MS = 86_400_000
_REGISTERS = ("import_t1_kwh", "import_t2_kwh", "export_t1_kwh", "export_t2_kwh", "gas_m3")


@dataclass(frozen=True, slots=True)
class Options:
    """The house, and what its meter showed at the anchor; a register that is not given has a number of its own."""

    zone: str = field(default="UTC", metadata={"title": "Time zone of the house"})
    seed: int = field(default=1, metadata={"title": "Which of all possible houses"})
    solar_kwp: float = field(default=4.0, metadata={"title": "Solar panels, kWp"})
    anchor: str = field(default="", metadata={"title": "When the registers were as below (ISO 8601 with its offset)"})
    import_t1_kwh: Decimal | None = field(default=None, metadata={"title": "Taken, low tariff, kWh"})
    import_t2_kwh: Decimal | None = field(default=None, metadata={"title": "Taken, normal tariff, kWh"})
    export_t1_kwh: Decimal | None = field(default=None, metadata={"title": "Given, low tariff, kWh"})
    export_t2_kwh: Decimal | None = field(default=None, metadata={"title": "Given, normal tariff, kWh"})
    gas_m3: Decimal | None = field(default=None, metadata={"title": "Gas, m3"})
    interval_s: float = field(default=1.0, metadata={"title": "Seconds between telegrams"})

    def __post_init__(self) -> None:
        problems = [*_zone_problems(self.zone), *_anchor_problems(self.anchor)]
        if not 0 <= self.solar_kwp <= 100:
            problems.append(f"solar_kwp: {self.solar_kwp} is no roof; write 0 to 100")
        if not 0.01 <= self.interval_s <= 3600:
            problems.append(f"interval_s: {self.interval_s} is out of range; write 0.01 to 3600 seconds")
        for name in _REGISTERS:
            value = getattr(self, name)
            if value is not None and not (Decimal(value).is_finite() and 0 <= value < 10**5):
                problems.append(f"{name}: {value} is no register; write 0 to 99999.999")
        if problems:
            raise UserError(problems)

    @classmethod
    def from_text(cls, text: str) -> "Options":
        """Reads `NAME=VALUE,...`, as in `zone=Europe/Paris,seed=7`; nothing for a house of its own."""
        problems = []
        values: dict[str, str | int | float | Decimal] = {}
        for part in filter(None, text.split(",")):
            name, _, value = part.partition("=")
            try:
                values[name] = _typed(name, value)
            except (KeyError, ValueError, InvalidOperation):
                problems.append(f"{part!r} sets nothing; write NAME=VALUE, where NAME is one of {', '.join(_TYPES)}")
        if problems:
            raise UserError(problems)
        return cls(**values)  # type: ignore[arg-type]

    def anchored(self) -> tuple[int, Registers]:
        """The anchor in milliseconds since 1970 UTC, and the registers then."""
        now = datetime.now(UTC)
        at = datetime.fromisoformat(self.anchor) if self.anchor else datetime(now.year, now.month, 1, tzinfo=UTC)
        months = max(1, (at.year - _FIRST_YEAR) * 12 + at.month)
        exported = Decimal(str(self.solar_kwp)) * _MONTHLY_EXPORT_KWH_PER_KWP
        a_month = (_MONTHLY_IMPORT_KWH, _MONTHLY_IMPORT_KWH, exported, exported, _MONTHLY_GAS_M3)
        given: list[Decimal | None] = [getattr(self, name) for name in _REGISTERS]
        shown = [each * months if own is None else own for own, each in zip(given, a_month, strict=True)]
        return int(at.timestamp()) * 1000, Registers.of(*shown)


class Link:
    """The house's meter, which writes into one end of a pseudo-terminal, and the serial link on the other end."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.interval_s = options.interval_s
        self._house = House(options.seed, ZoneInfo(options.zone), options.solar_kwp)
        self._at_ms, self._registers = options.anchored()
        self._serial: serial.Link | None = None
        self._ends: tuple[int, int] | None = None
        self._stop = threading.Event()
        self._meter: threading.Thread | None = None

    def open(self) -> None:
        """Plugs the meter in; its first telegram comes at once."""
        self.close()
        try:
            meter_end, port_end = os.openpty()
        except OSError as error:
            raise SourceError(f"no pseudo-terminal is to be had: {error.strerror}") from error
        self._ends = (meter_end, port_end)
        tty.setraw(port_end)
        os.set_blocking(meter_end, False)
        self._serial = serial.Link(serial.Options(path=os.ttyname(port_end)))
        self._serial.open()
        self._stop = threading.Event()
        self._meter = threading.Thread(target=self._speak, args=(meter_end, self._stop), name="simulated", daemon=True)
        self._meter.start()

    def read(self, timeout_s: float) -> bytes:
        """What the meter has said, as the serial port gives it."""
        return self._port().read(timeout_s)

    def write(self, data: bytes) -> None:
        """A P1 port hears nothing, but takes it."""
        self._port().write(data)

    def close(self) -> None:
        self._stop.set()
        meter, self._meter = self._meter, None
        port, self._serial = self._serial, None
        ends, self._ends = self._ends, None  # all taken first: two threads may close at once
        if meter is not None:
            meter.join()
        if port is not None:
            port.close()
        for number in ends or ():
            os.close(number)

    def _port(self) -> serial.Link:
        if self._serial is None:
            raise SourceError("the simulated house is not open")
        return self._serial

    def _speak(self, meter_end: int, stop: threading.Event) -> None:
        """Writes a telegram every interval until told to stop, on a beat that the work itself does not shift."""
        beat_s = time.monotonic()
        while not stop.is_set():
            self._count(stop)
            _send(meter_end, telegram(self._house, self._registers, self._at_ms), stop)
            beat_s = max(beat_s + self._options.interval_s, time.monotonic())
            stop.wait(beat_s - time.monotonic())

    def _count(self, stop: threading.Event) -> None:
        """Brings the registers to this second. With a clock that was set back they wait until it is there again."""
        now_ms = int(time.time()) * 1000
        while self._at_ms < now_ms and not stop.is_set():
            until_ms = min(now_ms, self._at_ms + _DAY_MS)  # by days, so that years since the anchor do not delay a stop
            self._registers = advance(self._house, self._registers, self._at_ms, until_ms)
            self._at_ms = until_ms


def _send(meter_end: int, data: bytes, stop: threading.Event) -> None:
    """Writes what the other end takes; the rest is lost when stopped, as on a cable that nobody reads."""
    while data and not stop.is_set():
        _, ready, _ = select.select([], [meter_end], [], 0.1)
        try:
            data = data[os.write(meter_end, data) :] if ready else data
        except BlockingIOError:
            continue
        except OSError:
            return  # the other end is gone


def _typed(name: str, value: str) -> str | int | float | Decimal:
    return _TYPES[name](value)


_TYPES: dict[str, type[str] | type[int] | type[float] | type[Decimal]] = {
    each.name: Decimal if each.name in _REGISTERS else type(each.default)  # type: ignore[misc]
    for each in fields(Options)
}


def _zone_problems(zone: str) -> list[str]:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return [f"zone: {zone!r} is not known; write a name such as Europe/Amsterdam"]
    return []


def _anchor_problems(anchor: str) -> list[str]:
    try:
        aware = not anchor or datetime.fromisoformat(anchor).tzinfo is not None
    except ValueError:
        aware = False
    return [] if aware else [f"anchor: {anchor!r} is no instant; write one such as 2026-01-01T00:00:00+00:00"]
