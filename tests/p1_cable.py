"""A P1 cable, and others: numbered telegrams on a pseudo-terminal, and what of them a collector has in its spool."""

import os
import select
import threading
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from time import monotonic, sleep
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.house import House, Registers, telegram
from appliance.ingest import frames, spool
from appliance.ingest.frames import SpooledFrame
from appliance.ingest.spool import SegmentReader
from tests.contracts.links import TerminalRig
from tests.p1_sealing import sealed

PATIENCE_S = 60.0
"""How long a test waits for what must come; one that passes waits for none of it."""

ZONE = "Europe/Amsterdam"
FIRST_MS = 1_767_225_600_000  # 2026-01-01T00:00Z: telegram N says it is N seconds later
COUNTER = "electricity.import.t1"  # telegram N says N Wh


class Talker(ABC):
    """A device's end of a serial cable. What it says is numbered from 1 on, and each is said once."""

    def __init__(self, folder: Path) -> None:
        self.rig = TerminalRig(folder)
        self.said = 0

    @abstractmethod
    def spoken(self) -> bytes:
        """What it says at the number `said`."""

    def say(self, count: int, stop: threading.Event | None = None) -> None:
        """Says that many more, as fast as they are read; fewer where it is told to stop."""
        for _ in range(count):
            self.said += 1
            self.write(self.spoken(), stop)

    @contextmanager
    def talking(self) -> Iterator[None]:
        """Says more all the while."""
        stop = threading.Event()

        def talk() -> None:
            while not stop.is_set():
                self.say(1, stop)

        thread = threading.Thread(target=talk)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(PATIENCE_S)

    def write(self, data: bytes, stop: threading.Event | None = None) -> None:
        """Puts bytes on the cable as they are read from it."""
        os.set_blocking(self.rig.meter_end, False)
        end_s = monotonic() + PATIENCE_S
        while data and not (stop and stop.is_set()):
            assert monotonic() < end_s, "nobody reads the port"
            if select.select([], [self.rig.meter_end], [], 0.1)[1]:
                data = data[os.write(self.rig.meter_end, data) :]


class Cable(Talker):
    """A P1 port."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._house = House(1, ZoneInfo(ZONE), 4.0)

    def configuration(self, more: str = "") -> str:
        """The inglenook.toml of a box that reads this cable."""
        path, by_id = self.rig.options.path, self.rig.options.by_id
        return f"""
[collector]
flush_seconds = 0.2
{more}
[meters.house]
link = "serial"
meter = "dsmr"
zone = "{ZONE}"
serial = {{ path = "{path}", by_id = "{by_id}" }}
"""

    def spoken(self) -> bytes:
        wh = Registers.of(Decimal(self.said) / 1000)
        return telegram(self._house, wh, FIRST_MS + self.said * 1000)


class SealedCable(Cable):
    """The encrypted P1 port of Luxembourg."""

    def spoken(self) -> bytes:
        return sealed(super().spoken(), self.said)


class Display(Talker):
    """A CurrentCost display: message N says N W for the whole house, and N + 1 for an appliance."""

    def spoken(self) -> bytes:
        return b"".join(
            f"<msg><src>CC128-v0.11</src><dsb>00089</dsb><time>13:02:39</time><tmpr>18.7</tmpr><sensor>{sensor}</sensor>"
            f"<id>0123{sensor}</id><type>1</type><ch1><watts>{self.said + sensor:05}</watts></ch1></msg>".encode()
            for sensor in (0, 1)
        )


class Spooled:
    """Follows a spool: every frame that could be read so far, those of segments that were deleted since as well."""

    def __init__(self, folder: Path, private_key: X25519PrivateKey) -> None:
        self._folder, self._key = folder, private_key
        self._readers: dict[int, SegmentReader] = {}  # by inode: names come again
        self.frames: list[SpooledFrame] = []
        self._said: dict[str, dict[int, int]] = defaultdict(dict)
        self._counted = 0

    def update(self) -> int:
        """Reads on; how many frames there are now."""
        for inode in [each for each, reader in self._readers.items() if reader.is_deleted()]:
            self._readers.pop(inode).close()
        for path in spool.segments(self._folder):
            try:
                inode = path.stat().st_ino
                if inode not in self._readers:
                    self._readers[inode] = SegmentReader(path, self._key)
            except (FileNotFoundError, ValueError):  # sealed a moment ago, or not yet begun
                continue
            self.frames += map(frames.from_bytes, self._readers[inode].new())
        return len(self.frames)

    def readings(self) -> dict[str, dict[int, int]]:
        """What the frames say: of each role, time -> value in millionths of its unit."""
        for frame in self.frames[self._counted :]:
            for each in frame.readings:
                self._said[each.role][each.at_ms] = int(each.value.scaleb(6))
        self._counted = len(self.frames)
        return dict(self._said)

    def numbers(self) -> list[int]:
        """The numbers of the telegrams, in the order of the frames."""
        return [int(each.value * 1000) for frame in self.frames for each in frame.readings if each.role == COUNTER]

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()


def until(happened: Callable[[], object], what: str) -> None:
    """Waits for something that another process does; fails, saying what, where it does not come."""
    end_s = monotonic() + PATIENCE_S
    while not happened():
        assert monotonic() < end_s, f"{what}: it did not happen in {PATIENCE_S} s"
        sleep(0.005)
