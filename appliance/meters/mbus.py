"""M-Bus over its two wires: heat, water, gas and electricity meters that are asked (EN 13757-2 and -3).

Every `interval_s` the meter is reset (SND_NKE), selected where it is called by its number, and asked (REQ_UD2) for its
telegrams, until one says that it is the last. A question without a good answer is asked again, twice.

    10 40 05 45 16                     reset of the meter at address 5
    E5                                 it heard
    10 7B 05 80 16                     what does it say?
    68 13 13 68 08 05 72 ... 3C 16     its telegram (`_mbus_frames`, `_mbus_records`)

A converter makes a serial or network port of the two wires: mostly 2400 baud, 8 data bits, even parity. Only
current values are kept. Their time is the box's: a meter's own clock is set once, at the factory, and keeps to winter.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from appliance.errors import UserError
from appliance.meters import SILENT_ROUNDS, Counters, Search
from appliance.meters import SILENT_S as LEAST_SILENT_S
from appliance.meters._mbus_frames import SELECTED, Listening, Long, request, reset, select
from appliance.meters._mbus_records import HEADER_BYTES, Header, Record, StructureError, header, records
from appliance.meters._spans import left_ms
from appliance.obis import MBUS_DEVICES, in_unit, plausible
from appliance.records import Frame, MeterReading

TITLE = "M-Bus meter (wired)"
TRIED = "62 telegrams of heat, water, gas and electricity meters, from the tests of rscada/libmbus"
SILENT_S = 2_700.0  # at the usual interval; a meter's own `silent_s` follows from its options
CALLED = "an M-Bus meter"
SEARCHED_AT = ("2400,8E1", "300,8E1", "9600,8E1")  # as they are delivered first (EN 13757-2, section 5)
_SEARCHED_ADDRESSES, _EVERY_ADDRESS = range(11), range(251)

TIMEOUT_MS = 2_000
"""How long a meter may be silent: at 300 baud it begins to answer after 1.2 seconds at most (330 bits and 50 ms)."""

UNANSWERED_MS = 500
"""How long is waited after a reset of the selected meter, which none answers."""

ATTEMPTS = 3
TELEGRAMS = 16
"""The most telegrams of one meter: one that says on and on that another follows is broken."""

_VARIABLE_DATA = 0x72
_ELECTRICITY = 2
_BUSY, _ERROR = 1, 2  # of the status' two lowest bits
_PHASE = {"voltage": "electricity.voltage.l1", "current": "electricity.current.l1"}
_BOTH_WAYS = (_ELECTRICITY, 13)  # media whose power is negative where it flows the other way
_BACKWARD = {
    "electricity.import": "electricity.export",
    "electricity.power": "electricity.power.export",
    "heat": "cooling",
    "heat.power": "cooling.power",
    "heat.volume": "cooling.volume",
}
"""What is counted in the other direction."""


@dataclass(frozen=True, slots=True)
class Options:
    """Which meter, by its address or by its number."""

    address: int = field(default=0, metadata={"title": "Primary address (0 to 250)"})
    number: str = field(default="", metadata={"title": "Or its number, eight digits, as printed on it"})
    interval_s: int = field(default=900, metadata={"title": "Seconds between readings"})

    def __post_init__(self) -> None:
        problems = []
        if not 0 <= self.address <= 250:
            problems.append(f"address: {self.address} is no primary address; write 0 to 250")
        if self.number and not (self.number.isascii() and self.number.isdecimal() and len(self.number) == 8):
            problems.append(f'number: {self.number!r} is no meter\'s number; write its eight digits, as in "12345678"')
        if not 10 <= self.interval_s <= 86_400:
            problems.append(
                f"interval_s: {self.interval_s} is out of range; write 10 to 86400 seconds (a meter that "
                "runs on a battery may allow a few readings a day only)"
            )
        if problems:
            raise UserError(problems)


def search_of(baudrate: int, *, everywhere: bool) -> Search:
    """A search for meters at the usual addresses, or at every one, and by their numbers."""
    from appliance.meters._mbus_search import search  # loaded by who looks for meters, and not by who reads them

    return search(_EVERY_ADDRESS if everywhere else _SEARCHED_ADDRESSES, baudrate)


class Meter:
    """Asks one meter round by round. `status` is what the meter last said of itself (EN 13757-3, the status byte)."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        self.counters = Counters()
        self.silent_s = max(LEAST_SILENT_S, SILENT_ROUNDS * options.interval_s)
        self.status = 0
        self._options = options
        self._address = SELECTED if options.number else options.address
        self._steps = ("reset", "select", "request") if options.number else ("reset", "request")
        self._step = self._attempt = self._telegram = 0
        self._listening: Listening | None = None
        self._round_ms: int | None = None
        self._heard_ms = 0

    def poll(self, now_ms: int) -> bytes:
        """The next question, where it is due and the last one was answered or had its time."""
        if self._listening is not None:
            if self.wait_ms(now_ms):
                return b""
            self._unanswered(self._listening)
        if self.wait_ms(now_ms):
            return b""
        if (self._step, self._attempt) == (0, 0):
            self._round_ms = now_ms
        self._listening = Listening()
        self._heard_ms = now_ms
        return self._question()

    @property
    def is_asking(self) -> bool:
        """Whether the round goes on: a meter that was selected must not be lost to another's question."""
        return self._listening is not None or self._step > 0

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        """The frame of a telegram that `data` ends; what nobody asked for is passed over."""
        listening = self._listening
        if listening is None or not data:
            return []
        self._heard_ms = now_ms
        if self._steps[self._step] != "request":
            if listening.acknowledged(data):
                self._go_on()
            return []
        long = listening.long(data, self._is_ours)
        return self._frames(long) if long else []

    def _is_ours(self, long: Long) -> bool:
        """Whether it is the answer of the meter that was asked, and not of another one that took itself for it."""
        return long.number == self._options.number if self._options.number else long.address == self._options.address

    @property
    def _patience_ms(self) -> int:
        deselecting = self._address == SELECTED and self._step == 0
        return UNANSWERED_MS if deselecting else TIMEOUT_MS

    def wait_ms(self, now_ms: int) -> int:
        """In how long there is a question to ask, or the one that was asked has had its time.

        In the midst of a round at once; a new one begins when its time has come, or where the clock was set back.
        """
        if self._listening is not None:
            return left_ms(self._heard_ms, now_ms, self._patience_ms)
        if self._step or self._round_ms is None:
            return 0
        return left_ms(self._round_ms, now_ms, self._options.interval_s * 1000)

    def _question(self) -> bytes:
        step = self._steps[self._step]
        if step == "reset":
            return reset(self._address)
        if step == "select":
            return select(self._options.number)
        return request(self._address, self._telegram % 2 == 0)

    def _unanswered(self, listening: Listening) -> None:
        """Counts what became of a question whose time is up. A reset needs no answer; all else is asked again."""
        self._listening = None
        deselecting = self._address == SELECTED and self._step == 0
        self.counters.crc_errors += listening.wrong_checksum
        self.counters.partial += listening.heard and not listening.wrong_checksum
        self.counters.missed += not listening.heard and not deselecting
        self._attempt += 1
        if self._steps[self._step] == "reset":
            self._go_on()
        elif self._attempt == ATTEMPTS:
            self._end()

    def _go_on(self) -> None:
        self._listening = None
        self._step, self._attempt = self._step + 1, 0

    def _end(self) -> None:
        self._listening = None
        self._step = self._attempt = self._telegram = 0

    def _frames(self, long: Long) -> list[Frame]:
        """The frame of a telegram, and on to the next one or to the round's end."""
        telegram = _Telegram(long, self._round_ms or 0)
        self._listening, self._attempt = None, 0
        self._telegram += 1
        if not telegram.more or self._telegram == TELEGRAMS:
            self._end()
        self.status = telegram.header.status if telegram.header else self.status
        self.counters.refused += telegram.refused
        self.counters.telegrams += bool(telegram.readings)
        return [Frame(telegram.device, tuple(telegram.readings))] if telegram.readings else []


class _Telegram:
    """What one telegram says: `readings`, whether it was `refused` in whole or in part, and whether `more` follow."""

    def __init__(self, long: Long, at_ms: int) -> None:
        self.readings: list[MeterReading] = []
        self.header: Header | None = None
        self.more = False
        self._at_ms = at_ms
        try:
            self.refused = not self._taken(long)
        except StructureError:
            self.refused = True

    @property
    def device(self) -> str:
        return f"{self.header.maker} {self.header.number}" if self.header else ""

    def _taken(self, long: Long) -> bool:
        """Takes the readings; whether all that it says could be used."""
        if long.kind != _VARIABLE_DATA:
            return False
        self.header = header(long.data)
        medium = self.header.medium
        if self.header.encrypted or self.header.status & 3 in (_BUSY, _ERROR):
            return False
        said, self.more = records(long.data[HEADER_BYTES:])
        known = [(role, unit, each.value, each.measure.unit) for each in said for role, unit in _roles(medium, each)]
        refused = [each for each in known if not self._reading(*each, signed=medium in _BOTH_WAYS)]
        return not refused and (bool(known) or self.more)

    def _reading(self, role: str, unit: str, stated: Decimal | None, stated_unit: str, *, signed: bool) -> bool:
        """Takes one value; of a role that comes twice, the first. Whether it could be used."""
        if any(each.role == role for each in self.readings):
            return True
        value = None if stated is None else in_unit(stated, stated_unit, unit)
        if value is None:
            return False
        parts = [(role, value)]
        if signed and unit == "kW" and role in _BACKWARD:
            nothing = value - value  # with the same decimals
            parts = [(role, max(value, nothing)), (_BACKWARD[role], max(-value, nothing))]
        if not all(plausible(part, unit) for _, part in parts):
            return False
        self.readings += [MeterReading(name, self._at_ms, part, unit) for name, part in parts]
        return True


def _roles(medium: int, record: Record) -> Iterator[tuple[str, str]]:
    """The role and unit of a value of a meter of that medium, if it has one."""
    quantity, measure = MBUS_DEVICES.get(medium), record.measure
    if quantity is None:
        return
    electric = medium == _ELECTRICITY
    whole = "electricity.import" if electric else quantity.role
    counted = "volume" if quantity.unit == "m3" else "energy"
    if measure.kind == counted:
        role, unit = whole, quantity.unit
    elif electric:
        role, unit = _PHASE.get(measure.kind, f"electricity.{measure.kind}"), measure.unit
    else:
        role, unit = f"{whole}.{measure.kind}", measure.unit
    if record.backward:
        role = _BACKWARD.get(role, "")
    if record.tariff and not (electric and measure.kind == counted and record.tariff <= 4):
        return
    if role:
        yield (f"{role}.t{record.tariff}" if record.tariff else role), unit
