"""Sensors on the 1-wire bus, through the kernel's own folder of them.

    /sys/bus/w1/devices/28-00000623003b/w1_slave        (else `temperature`, without the scratchpad's bytes)

Reading such a file is asking the sensor: it takes up to a second. Each sensor is one message every `interval_s`: its
number is the topic, the file's text the payload, and no text that of a sensor which did not answer.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from appliance.errors import SourceError, UserError
from appliance.messages import to_line

TITLE = "1-wire sensors (GPIO pin or USB adapter)"

_FILES = ("w1_slave", "temperature")
_PAGE_BYTES = 4096  # a file of sysfs is a page at most


@dataclass(frozen=True, slots=True)
class Options:
    """Which sensors, and how often. 28 is the family of the DS18B20, 10 of the DS18S20, 22 of the DS1822."""

    folder: str = field(default="/sys/bus/w1/devices", metadata={"title": "Folder of the sensors"})
    pattern: str = field(default="28-*", metadata={"title": "Pattern of the sensors' numbers"})
    interval_s: float = field(default=10.0, metadata={"title": "Seconds from one reading to the next"})

    def __post_init__(self) -> None:
        problems = [] if self.folder else ["folder: name the folder, as in /sys/bus/w1/devices"]
        if not self.pattern or "/" in self.pattern:
            problems.append(f"pattern: {self.pattern!r} is no pattern of a sensor's number; write 28-*")
        if not 0 < self.interval_s <= 86_400:
            problems.append(f"interval_s: {self.interval_s} is out of range; write 1 to 86400 seconds")
        if problems:
            raise UserError(problems)

    @classmethod
    def from_text(cls, text: str) -> "Options":
        """Reads `PATTERN` or `PATTERN,SECONDS`; the empty text is every DS18B20 each 10 seconds."""
        pattern, _, seconds = text.partition(",")
        try:
            interval_s = float(seconds or 10)
        except ValueError:
            raise UserError(f"{seconds!r} is no number of seconds; write PATTERN,SECONDS as in 28-*,30") from None
        return cls(pattern=pattern or "28-*", interval_s=interval_s)


class Link:
    """One bus, asked sensor by sensor: each read is one of them at most, so that its time is that of its arrival."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.interval_s = options.interval_s
        self._due_s: float | None = None  # None: not open
        self._round: deque[Path] = deque()
        self._reading = threading.RLock()
        self._closing = threading.Event()

    def open(self) -> None:
        """Looks for the sensors. Raises SourceError, never permanent: one may be plugged in."""
        self.close()
        self._sensors()
        self._due_s = time.monotonic()

    def read(self, timeout_s: float) -> bytes:
        """The next sensor's message; b"" where it is not time yet. Raises SourceError where no sensor is left."""
        if self._closing.is_set():  # or a reader that comes back at once would keep the one who closes out
            return b""
        with self._reading:
            if self._due_s is None:
                raise SourceError(f"the sensors in {self._options.folder} are not being read: open the link first")
            if not self._round and not self._begun(self._due_s, timeout_s):
                return b""
            sensor = self._round.popleft()
            return to_line(sensor.name, _text_of(sensor))

    def _begun(self, due_s: float, timeout_s: float) -> bool:
        """Begins the next round, once it is due."""
        wait_s = due_s - time.monotonic()
        if self._closing.wait(max(0.0, min(wait_s, timeout_s))) or wait_s > timeout_s:
            return False
        self._round = deque(self._sensors())
        self._due_s = max(due_s + self._options.interval_s, time.monotonic())
        return True

    def write(self, data: bytes) -> None:
        """Nothing is said to a sensor."""

    def close(self) -> None:
        self._closing.set()
        with self._reading:
            self._due_s = None
            self._round = deque()
            self._closing.clear()

    def _sensors(self) -> list[Path]:
        """The sensors that are there, by number."""
        folder = Path(self._options.folder)
        if not folder.is_dir():
            raise SourceError(
                f"there is no 1-wire bus at {folder}: on a Raspberry Pi write dtoverlay=w1-gpio into "
                "/boot/firmware/config.txt and restart it"
            )
        found = sorted(folder.glob(self._options.pattern))
        if not found:
            raise SourceError(
                f"no sensor {self._options.pattern} answers in {folder}: check its three wires and the resistor of "
                "4.7 kilohms between data and supply"
            )
        return found


def _text_of(sensor: Path) -> bytes:
    """The first of the sensor's files that is there; b"" where the sensor does not answer."""
    for name in _FILES:
        try:
            with (sensor / name).open("rb") as file:
                return file.read(_PAGE_BYTES)
        except FileNotFoundError:
            continue
        except OSError:
            break
    return b""
