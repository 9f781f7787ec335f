r"""Pulses on a GPIO line: an S0 output, a reed contact, a photodiode over a meter's light.

    {"topic": "gpiochip0/17", "payload": "{\"edge_ns\": 8123456789012, \"read_ns\": 8123456912345, \"seq\": 42}", ...}

Each edge is one such message of `appliance.messages`: when it happened and when it was read, both in nanoseconds of
CLOCK_MONOTONIC, and its number since the line was opened. Numbers that are missing are edges that nobody could keep.

With libgpiod (its binding `gpiod` 2) the kernel stamps, debounces, numbers and keeps the edges (GPIO_V2_LINE_EVENT in
linux/gpio.h): a busy box finds them later, and knows it where there were more than BUFFERED_EDGES. Without it gpiozero
calls this process at each edge, with whatever library of pins it finds or GPIOZERO_PIN_FACTORY names; stamps and
numbers are this link's own then, and what that library does not tell of is not known.
"""

import errno
import json
import os
import select
import threading
import warnings
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from time import monotonic_ns
from typing import Any, NamedTuple, Protocol

from appliance.errors import SourceError, UserError
from appliance.links._permissions import forbidden
from appliance.messages import to_line

TITLE = "GPIO line (pulses)"

BUFFERED_EDGES = 1024
"""The most that the kernel keeps for one line that is not read: ten seconds at 100 Hz. Then the oldest are dropped."""

_QUEUED_EDGES = 16_384  # where this process keeps them itself

_EDGES = ("falling", "rising")
_BIASES = ("pull-up", "pull-down", "none")
_DRIVERS = ("auto", "gpiod", "gpiozero")


@dataclass(frozen=True, slots=True)
class Options:
    """Which line, and how it is wired. An S0 output (DIN 43864, EN 62053-31) is a switch to ground that closes for 30
    ms or more: falling edges, pull-up. A photodiode's pulses are shorter: debounce it with less than a pulse.
    """

    line: int = field(default=17, metadata={"title": "Line (on a Raspberry Pi the number of the GPIO)"})
    chip: str = field(default="/dev/gpiochip0", metadata={"title": "Chip"})
    edge: str = field(default="falling", metadata={"title": "Edge that counts", "choices": _EDGES})
    bias: str = field(default="pull-up", metadata={"title": "Resistor in the chip", "choices": _BIASES})
    debounce_ms: Decimal = field(
        default=Decimal(5), metadata={"title": "Milliseconds for which a level must last (0: no debounce)"}
    )
    driver: str = field(default="auto", metadata={"title": "Library", "choices": _DRIVERS})

    def __post_init__(self) -> None:
        checks = {
            f"line: {self.line} is no line of a chip; write a number from 0 to 1023": 0 <= self.line < 1024,
            "chip: name the chip, as in /dev/gpiochip0": bool(self.chip),
            f"edge: {self.edge!r} is not possible; write {' or '.join(_EDGES)}": self.edge in _EDGES,
            f"bias: {self.bias!r} is not possible; write {', '.join(_BIASES)}": self.bias in _BIASES,
            f"debounce_ms: {self.debounce_ms} is out of range; write 0 to 1000": 0 <= self.debounce_ms <= 1000,
            f"driver: {self.driver!r} is not possible; write {', '.join(_DRIVERS)}": self.driver in _DRIVERS,
        }
        if problems := [problem for problem, good in checks.items() if not good]:
            raise UserError(problems)

    @classmethod
    def from_text(cls, text: str) -> "Options":
        """Reads `CHIP/LINE[,EDGE[,BIAS[,DEBOUNCE_MS]]]`, as in `gpiochip0/17,falling`."""
        where, edge, bias, debounce, *rest = [*text.split(","), "", "", ""][: max(4, text.count(",") + 1)]
        chip, _, line = where.rpartition("/")
        checks = {
            f"{where!r} is no line; write CHIP/LINE, as in gpiochip0/17": bool(chip) and line.isdecimal(),
            f"{text!r} has too many parts; write CHIP/LINE,EDGE,BIAS,DEBOUNCE_MS": not rest,
            f"{debounce!r} is no number of milliseconds; write one such as 5": not debounce or _is_number(debounce),
        }
        if problems := [problem for problem, good in checks.items() if not good]:
            raise UserError(problems)
        path = chip if "/" in chip else f"/dev/{chip}"
        return cls(int(line), path, edge or "falling", bias or "pull-up", Decimal(debounce or 5))

    @property
    def topic(self) -> str:
        """As a person and `appliance.messages` name the line."""
        return f"{Path(self.chip).name}/{self.line}"

    @property
    def debounce(self) -> timedelta:
        return timedelta(microseconds=int(self.debounce_ms * 1000))


class _Edge(NamedTuple):
    edge_ns: int
    read_ns: int
    seq: int


class _Line(Protocol):
    """A line that is held. `edges` raises OSError where it is gone; `wake` ends it, from another thread."""

    def edges(self, timeout_s: float) -> list[_Edge]: ...

    def wake(self) -> None: ...

    def close(self) -> None: ...


class Link:
    """One line. The kernel gives it to one program only."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._line: _Line | None = None
        self._reading = threading.RLock()
        self._closing = False

    def open(self) -> None:
        """Takes the line. Raises SourceError, permanent only where no library can be had."""
        self.close()
        self._line = _kernel_line(self._options) if self._has_kernel_line() else _gpiozero_line(self._options)

    def read(self, timeout_s: float) -> bytes:
        """The edges that came, all of them; b"" where none did. Raises SourceError where the line is gone."""
        if self._closing:  # or a reader that comes back at once would keep the one who closes out
            return b""
        with self._reading:
            if self._line is None:
                raise SourceError(f"the line {self._options.topic} is not open")
            try:
                edges = self._line.edges(timeout_s)
            except OSError as error:
                self.close()
                raise SourceError(f"the line {self._options.topic} is gone; waiting for it to come back") from error
            return b"".join(to_line(self._options.topic, json.dumps(edge._asdict()).encode()) for edge in edges)

    def write(self, data: bytes) -> None:
        """A line that is an input hears nothing."""

    def close(self) -> None:
        self._closing = True
        line = self._line
        if line is not None:
            line.wake()
        with self._reading:  # a read in another thread has ended before its line is given away
            line, self._line = self._line, None
            if line is not None:
                line.close()
            self._closing = False

    def _has_kernel_line(self) -> bool:
        """Whether libgpiod takes the line, by choice or because it can."""
        if self._options.driver != "auto":
            return self._options.driver == "gpiod"
        return _imported("gpiod") and Path(self._options.chip).exists()


class _KernelLine:
    """A line whose edges the kernel keeps."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._waking = threading.Lock()

    def edges(self, timeout_s: float) -> list[_Edge]:
        ready, _, _ = select.select([self._request.fd, self._wake], [], [], timeout_s)
        if self._request.fd not in ready:
            return []
        events = self._request.read_edge_events(BUFFERED_EDGES)  # all at once: what is read is behind us
        return [_Edge(event.timestamp_ns, monotonic_ns(), event.line_seqno) for event in events]

    def wake(self) -> None:
        with self._waking:
            if self._wake >= 0:  # the reader itself may have closed it, and the number be another file's
                os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        self._request.release()
        with self._waking:
            os.close(self._wake)
            self._wake = -1


def _kernel_line(options: Options) -> _KernelLine:
    """Requests the line. Raises SourceError, saying what stands in the way."""
    if not _imported("gpiod"):
        raise SourceError(
            "libgpiod's binding for Python is not installed: install the package gpiod, or write driver = 'gpiozero'",
            permanent=True,
        )
    import gpiod  # loaded only by a box that counts pulses

    try:
        request = gpiod.request_lines(
            options.chip,
            {options.line: _settings(options)},
            consumer="inglenook",
            event_buffer_size=BUFFERED_EDGES,
        )
    except (OSError, ValueError) as error:
        raise SourceError(refusal(options, error)) from error
    return _KernelLine(request)


def _settings(options: Options) -> Any:
    import gpiod
    from gpiod.line import Bias, Clock, Direction, Edge

    edges = {"falling": Edge.FALLING, "rising": Edge.RISING}
    biases = {"pull-up": Bias.PULL_UP, "pull-down": Bias.PULL_DOWN, "none": Bias.DISABLED}
    return gpiod.LineSettings(
        direction=Direction.INPUT,
        edge_detection=edges[options.edge],
        bias=biases[options.bias],
        debounce_period=options.debounce,
        event_clock=Clock.MONOTONIC,
    )


def refusal(options: Options, error: Exception) -> str:
    """Why a chip or its line cannot be had, and what to do, by the error that libgpiod raised."""
    reason = getattr(error, "errno", None)
    if reason in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTTY):
        return f"there is no GPIO chip {options.chip}: `gpiodetect` lists those there are; waiting for it to come"
    if reason in (errno.EACCES, errno.EPERM):
        return forbidden(options.chip, "gpio")
    if reason == errno.EBUSY:
        return f"{_holder(options)} has the line {options.topic}: stop it, or choose another line; see `gpioinfo`"
    if isinstance(error, ValueError) or reason == errno.EINVAL:
        return f"{options.chip} has no line {options.line} that can be an input with edges: see `gpioinfo` ({error})"
    return f"the line {options.topic} cannot be had: {error}"


def _holder(options: Options) -> str:
    """Who has the line, by the name that it gave the kernel."""
    import gpiod

    try:
        with gpiod.Chip(options.chip) as chip:
            name = chip.get_line_info(options.line).consumer
    except (OSError, ValueError):
        name = ""
    return f"{name!r}" if name else "another program"


class _GpiozeroLine:
    """A line of gpiozero's, whose edges this process keeps itself."""

    def __init__(self) -> None:
        self.device: Any = None
        self._came = threading.Condition()
        self._queue: deque[tuple[int, int]] = deque(maxlen=_QUEUED_EDGES)  # the oldest are dropped, as the kernel does
        self._seq = 0
        self._woken = False

    def edge(self) -> None:
        """Called by gpiozero, in a thread of its own."""
        edge_ns = monotonic_ns()
        with self._came:
            self._seq += 1
            self._queue.append((edge_ns, self._seq))
            self._came.notify()

    def edges(self, timeout_s: float) -> list[_Edge]:
        with self._came:
            self._came.wait_for(lambda: self._queue or self._woken, timeout_s)
            found = [_Edge(edge_ns, monotonic_ns(), seq) for edge_ns, seq in self._queue]
            self._queue.clear()
        if not found and self.device.closed:
            raise OSError(errno.ENODEV, "gpiozero's pins were closed")
        return found

    def wake(self) -> None:
        with self._came:
            self._woken = True
            self._came.notify()

    def close(self) -> None:
        self.device.close()


def _gpiozero_line(options: Options) -> _GpiozeroLine:
    """Takes the line through gpiozero. Raises SourceError, saying what stands in the way."""
    if not _imported("gpiozero"):
        raise SourceError("neither gpiod nor gpiozero is installed: install the package gpiod", permanent=True)
    import gpiozero

    warnings.simplefilter("ignore", gpiozero.exc.PinWarning)  # which library it tries in vain: the refusal says enough
    pull_up = {"pull-up": True, "pull-down": False, "none": None}[options.bias]
    line = _GpiozeroLine()
    try:
        line.device = gpiozero.DigitalInputDevice(
            options.line,
            pull_up=pull_up,
            active_state=True if pull_up is None else None,
            bounce_time=options.debounce.total_seconds() or None,
        )
    except Exception as error:  # each library of pins has exceptions of its own
        raise SourceError(_gpiozero_refusal(options, error)) from error
    active_edge = "falling" if pull_up else "rising"  # with a pull-up a line is active while it is low
    if options.edge == active_edge:
        line.device.when_activated = line.edge
    else:
        line.device.when_deactivated = line.edge
    return line


def _gpiozero_refusal(options: Options, error: Exception) -> str:
    import gpiozero

    if isinstance(error, gpiozero.GPIOPinInUse):
        return f"another meter of this box has the GPIO {options.line}: choose another line"
    if isinstance(error, gpiozero.PinInvalidPin | gpiozero.PinFixedPull):
        return f"the GPIO {options.line} cannot be used so: {error}"
    if not Path(options.chip).exists():
        return (
            f"there is no GPIO chip {options.chip}, and gpiozero finds no pins either ({error}): "
            "`gpiodetect` lists the chips there are"
        )
    if isinstance(error, gpiozero.BadPinFactory):
        return "gpiozero finds no library of pins: install the package gpiod, or Debian's python3-lgpio"
    return f"gpiozero cannot have the GPIO {options.line}: {error}"


def _imported(name: str) -> bool:
    try:
        __import__(name)
    except ImportError:
        return False
    return True


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False
