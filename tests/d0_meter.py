"""A D0 meter of mode C on a pseudo-terminal: it answers when asked at the right speed, as a real one would."""

import select
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from os import read, write
from pathlib import Path
from time import monotonic

from tests.contracts.links import TerminalRig

PATIENCE_S = 30.0
REQUEST, ACKNOWLEDGEMENT = b"/?!\r\n", b"\x06050\r\n"
IDENTIFICATION = b"/ING5TEST 1\r\n"


def readout(import_kwh: Decimal, power_kw: Decimal) -> bytes:
    """The data of a readout, with their check character."""
    lines = [
        "F.F(00)",
        "C.1.0(00000042)",
        f"1.8.0({import_kwh:010.3f}*kWh)",
        f"1.7.0({power_kw:06.3f}*kW)",
        "!",
        "\x03",
    ]
    said = "\r\n".join(lines).encode()
    bcc = 0
    for byte in said:
        bcc ^= byte
    return b"\x02" + said + bytes([bcc])


class ModeC:
    """The meter's end. Each readout has a tenth of a kilowatt-hour more than the one before it."""

    def __init__(self, folder: Path, *, deaf: int = 0) -> None:
        self.rig = TerminalRig(folder)
        self.readouts = 0
        self.asked: list[tuple[bytes, int]] = []  # with the speed of the line at that moment
        self._deaf = deaf  # that many requests are not heard
        self._stopping = threading.Event()

    @contextmanager
    def listening(self) -> Iterator["ModeC"]:
        thread = threading.Thread(target=self._answer_on)
        thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            thread.join(PATIENCE_S)
            self.rig.hang_up()

    def _answer_on(self) -> None:
        while self._hears(REQUEST):
            self.asked.append((REQUEST, self._speed()))
            if self._deaf:
                self._deaf -= 1
            elif self._speed() == termios.B300:
                write(self.rig.meter_end, IDENTIFICATION)
                if self._hears(ACKNOWLEDGEMENT) and self._is_tuned(termios.B9600):
                    self.readouts += 1
                    write(self.rig.meter_end, readout(Decimal(1000) + Decimal(self.readouts) / 10, Decimal("0.25")))

    def _hears(self, expected: bytes) -> bool:
        """Whether exactly that arrives before it is told to stop."""
        data = b""
        while len(data) < len(expected) and not self._stopping.is_set():
            if select.select([self.rig.meter_end], [], [], 0.05)[0]:
                data += read(self.rig.meter_end, len(expected) - len(data))
        return data == expected

    def _is_tuned(self, speed: int) -> bool:
        """Whether the other end listens at that speed, soon: what is said before is not understood."""
        end_s = monotonic() + PATIENCE_S
        while self._speed() != speed and monotonic() < end_s and not self._stopping.is_set():
            self._stopping.wait(0.005)
        return self._speed() == speed

    def _speed(self) -> int:
        with self.rig.path.open("rb", buffering=0) as terminal:
            return int(termios.tcgetattr(terminal)[4])
