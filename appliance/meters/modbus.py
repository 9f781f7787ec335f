"""Modbus RTU and TCP: meters whose registers are asked for, by the map of the device (`_modbus_registers`).

Every `interval_s` a round of questions begins (`_modbus_frames`), one after the other, each when the last one was
answered or its time was up. What a round brings is one frame, all of it at the time of its first question.

On a serial line nothing tells an answer that comes too late from the next one, but its length. So after a question that
was not answered, all that comes is passed over until the line was quiet for a second. What remains: an answer that is
later than that, or to another master on the line, where it has the unit, the function and the length of ours.
"""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from appliance.errors import UserError
from appliance.meters import SILENT_ROUNDS, SILENT_S, Counters, Search
from appliance.meters._modbus_frames import RTU, TCP, Answer, Listening, Question
from appliance.meters._modbus_registers import Block, Register, device, devices
from appliance.meters._spans import left_ms
from appliance.obis import plausible
from appliance.records import Frame, MeterReading

TITLE = "Modbus meter (RTU or TCP)"

CALLED = "a Modbus meter"
SEARCHED_AT = ("9600,8N1", "2400,8N1", "9600,8E1", "19200,8E1", "19200,8N1", "2400,8E1")
"""As Eastron's are delivered, as Modbus itself would have it (over serial line 1.02, section 2.5.1), and the others."""

_SEARCHED_UNITS, _EVERY_UNIT = range(1, 11), range(1, 248)
_SEARCHED_DEVICES = ("sdm630", "sdm120")
"""Three phases first: what a one-phase meter has at its places is not all there is. An SDM230 reads as an SDM120."""

TIMEOUT_MS = 2_000
"""How long an answer may take: a gateway with several meters behind it asks them one by one."""

QUIET_MS = 1_000
"""How long a serial line must be quiet after a question that was not answered."""

GAP_MS = 20
"""How long it must be quiet after an answer: 3.5 characters, which are 16 ms at 2400 baud."""

NUMBER_ROUNDS = 3
"""In so many rounds a device may leave the question for its number unanswered."""

_NEVER = (1, 2, 3)  # exceptions that mean: no such function, address, or count
_FRAMINGS = {"rtu": RTU, "tcp": TCP}


@dataclass(frozen=True, slots=True)
class Options:
    """Which device, and how it is reached."""

    device: str = field(default="sdm630", metadata={"title": "Device", "choices": tuple(devices())})
    framing: str = field(default="rtu", metadata={"title": "Framing", "choices": tuple(_FRAMINGS)})
    unit_id: int = field(default=1, metadata={"title": "Unit (Modbus address of the meter)"})
    interval_s: int = field(default=10, metadata={"title": "Seconds between readings"})

    def __post_init__(self) -> None:
        problems = []
        if self.device not in devices():
            problems.append(f"device: no map is called {self.device!r}; there are {', '.join(devices())}")
        if self.framing not in _FRAMINGS:
            problems.append(f"framing: {self.framing!r} is not possible; write rtu (serial line) or tcp")
        if not (1 <= self.unit_id <= 247 or (self.framing == "tcp" and self.unit_id in (0, 255))):
            problems.append(
                f"unit_id: {self.unit_id} is no unit; write 1 to 247 (over tcp 255 is the device itself, as is 0)"
            )
        if not 1 <= self.interval_s <= 3600:
            problems.append(f"interval_s: {self.interval_s} is out of range; write 1 to 3600 seconds")
        if problems:
            raise UserError(problems)


def search_of(baudrate: int, *, everywhere: bool) -> Search:
    """A search for devices at the usual units, or at every one."""
    from appliance.meters._modbus_search import search  # loaded by who looks for meters, and not by who reads them

    return search(_EVERY_UNIT if everywhere else _SEARCHED_UNITS, _SEARCHED_DEVICES, baudrate)


class Meter:
    """Asks one device round by round. `exceptions` counts its refusals by their code (Application protocol, 7).

    Its number is asked for at first, and again after a question that was not answered: it may be another device by
    then. One that refuses to tell its number, or does not answer that question in NUMBER_ROUNDS rounds, has none.
    """

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        self.counters = Counters()
        self.silent_s = max(SILENT_S, SILENT_ROUNDS * options.interval_s)
        self.exceptions: dict[int, int] = {}
        self._options = options
        self._device = device(options.device)
        self._framing = _FRAMINGS[options.framing]
        self._listening: Listening | None = None
        self._left: list[Block] = []  # of this round, what is being asked for first
        self._transaction = 0
        self._round_ms: int | None = None
        self._asked_ms = self._heard_ms = 0
        self._quiet_ms = 0
        self._readings: list[MeterReading] = []
        self._refused = False
        self._due: list[Frame] = []
        self._number = None if self._device.number else ""
        self._asks_number = self._device.number is not None
        self._nameless_rounds = 0

    def poll(self, now_ms: int) -> bytes:
        """The next question, where it is due and the last one was answered or had its time."""
        if self._listening is not None:
            if left_ms(self._asked_ms, now_ms, TIMEOUT_MS):
                return b""
            self._unanswered(self._listening, now_ms)
        return b"" if self.wait_ms(now_ms) else self._asked(now_ms)

    def wait_ms(self, now_ms: int) -> int:
        """In how long there is a question to ask, or the one that was asked has had its time."""
        if self._listening is not None:
            return left_ms(self._asked_ms, now_ms, TIMEOUT_MS)
        return max(left_ms(self._heard_ms, now_ms, self._quiet_ms), self._until_due_ms(now_ms))

    @property
    def is_asking(self) -> bool:
        """Whether an answer may still come."""
        return self._listening is not None

    def feed(self, data: bytes, now_ms: int) -> list[Frame]:
        """The frame of a round that `data` ends; what nobody asked for is passed over."""
        if data:
            self._heard_ms = now_ms
        answer = self._listening.feed(data) if self._listening else None
        if answer is None:
            return []
        self._quiet_ms = GAP_MS if self._framing is RTU else 0
        self._take(answer, self._left[0])
        self._go_on()
        frames, self._due = self._due, []
        self.counters.telegrams += len(frames)
        return frames

    def _until_due_ms(self, now_ms: int) -> int:
        """0 in the midst of a round; a new one when its time has come, or where the clock was set back."""
        if self._left or self._round_ms is None:
            return 0
        return left_ms(self._round_ms, now_ms, self._options.interval_s * 1000)

    def _asked(self, now_ms: int) -> bytes:
        if not self._left:
            self._round_ms = now_ms
            self._left = [self._device.number] if self._device.number and self._asks_number else []
            self._left += self._device.blocks
        block = self._left[0]
        self._transaction = (self._transaction + 1) % 0x10000
        question = Question(self._options.unit_id, block.function, block.address, block.count, self._transaction)
        self._listening = Listening(self._framing, question)
        self._asked_ms = now_ms
        return self._framing.wrapped(question)

    def _unanswered(self, listening: Listening, now_ms: int) -> None:
        """Counts what became of a question whose time is up, and goes on to the next."""
        self.counters.crc_errors += listening.wrong_checksum
        self.counters.partial += listening.heard and not listening.wrong_checksum
        self.counters.missed += not listening.heard
        self._quiet_ms = QUIET_MS if self._framing is RTU else 0
        self._heard_ms = now_ms
        self._asks_number = self._device.number is not None and self._nameless_rounds < NUMBER_ROUNDS
        self._go_on()

    def _go_on(self) -> None:
        """To the next block, if the round is not over."""
        self._listening = None
        del self._left[0]
        if not self._left:
            self._end()

    def _take(self, answer: Answer, block: Block) -> None:
        if block is self._device.number:
            self._take_number(answer, block)
        elif answer.exception:
            self._count(answer.exception)
        else:
            for register in block.registers:
                self._read(register, block.bytes_of(register, answer.registers))

    def _take_number(self, answer: Answer, block: Block) -> None:
        """Its number, or that it has none: one of nothing but 0 or of nothing but 1 bits is none either."""
        if answer.exception:
            self._count(answer.exception)
            self._asks_number = answer.exception not in _NEVER
            self._number = self._number if self._asks_number else self._number or ""
            return
        [register] = block.registers
        data = block.bytes_of(register, answer.registers)
        self._asks_number = False
        self._number = "" if data in (bytes(len(data)), b"\xff" * len(data)) else str(int.from_bytes(data, "big"))

    def _count(self, exception: int) -> None:
        self.exceptions[exception] = self.exceptions.get(exception, 0) + 1

    def _read(self, register: Register, data: bytes) -> None:
        value = register.value(data)
        parts = [] if value is None else list(register.readings(value))
        if parts and all(plausible(part, register.unit) for _, part in parts):
            at_ms = self._round_ms or 0
            self._readings += [MeterReading(role, at_ms, part, register.unit) for role, part in parts]
        else:
            self._refused = True

    def _end(self) -> None:
        """The frame of the round is due, with the next answer at the latest; it waits until the device is known."""
        self.counters.refused += self._refused
        self._refused = False
        if not self._readings:
            return
        if self._number is None:
            self._nameless_rounds += 1
            if self._nameless_rounds < NUMBER_ROUNDS:
                return
            self._number, self._asks_number = "", False
        name = f"{self._device.title} {self._number or f'at unit {self._options.unit_id}'}"
        self._due.append(Frame(name, tuple(self._readings)))
        self._readings = []
