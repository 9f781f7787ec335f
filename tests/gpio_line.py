"""A GPIO line without hardware: what libgpiod's binding would show of a kernel's line, on a real pipe.

`gpiod.request_lines` and `gpiod.Chip` are replaced, with the signatures of the real ones; settings and events are the
real classes. The queue is as the kernel's (gpiolib-cdev.c): of `event_buffer_size`, and where it is full the oldest
event goes.
"""

import errno
import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import gpiod

CHIP = "/dev/gpiochip0"
LINE = 17
LABEL = "pinctrl-bcm2711"


class KernelLine:
    """One line of one chip, which one program may have."""

    def __init__(self, path: str = CHIP) -> None:
        self.path = path
        self.settings: gpiod.LineSettings | None = None
        self.consumer = ""
        self.refusal: Exception | None = None
        self.request: Request | None = None

    def edge(self, at_ns: int) -> None:
        """An edge that survived the kernel's debounce."""
        assert self.request is not None
        self.request.put(at_ns)

    def unplug(self) -> None:
        """The chip goes, as one on a USB cable may."""
        assert self.request is not None
        self.request.unplug()

    def request_lines(
        self,
        path: str,
        config: dict[Iterable[int | str] | int | str, gpiod.LineSettings | None],
        consumer: str | None = None,
        event_buffer_size: int | None = None,
        output_values: dict[int | str, Any] | None = None,
    ) -> "Request":
        if self.refusal:
            raise self.refusal
        if path != self.path:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        if self.request is not None:
            raise OSError(errno.EBUSY, "Device or resource busy")
        (offset, self.settings), self.consumer = next(iter(config.items())), consumer or ""
        assert offset == LINE
        self.request = Request(self, event_buffer_size or 16)
        return self.request

    @contextmanager
    def chip(self, path: str) -> Iterator[SimpleNamespace]:
        if path != self.path:
            raise PermissionError(errno.EACCES, "Permission denied")
        yield SimpleNamespace(
            get_line_info=lambda line: SimpleNamespace(consumer=self.consumer),
            get_info=lambda: SimpleNamespace(label=LABEL),
        )


class Request:
    """What `gpiod.request_lines` gives: as much of a LineRequest as is used."""

    def __init__(self, line: KernelLine, size: int) -> None:
        self._line, self._size = line, size
        self._queue: deque[gpiod.EdgeEvent] = deque()
        self._seqno = 0
        self.fd, self._end = os.pipe()

    def put(self, at_ns: int) -> None:
        self._seqno += 1
        if len(self._queue) == self._size:
            self._queue.popleft()
        falling = gpiod.EdgeEvent.Type.FALLING_EDGE.value
        self._queue.append(gpiod.EdgeEvent(falling, at_ns, LINE, self._seqno, self._seqno))
        if len(self._queue) == 1:
            os.write(self._end, b"!")

    def unplug(self) -> None:
        os.close(self._end)
        self._end = -1

    def read_edge_events(self, max_events: int | None = None) -> list[gpiod.EdgeEvent]:
        if not os.read(self.fd, 1):
            raise OSError(errno.ENODEV, "No such device")
        events = [self._queue.popleft() for _ in range(min(len(self._queue), max_events or 64))]
        if self._queue:
            os.write(self._end, b"!")
        return events

    def release(self) -> None:
        for number in (self.fd, self._end):
            if number >= 0:
                os.close(number)
        self._line.request = None


@contextmanager
def kernel_line(path: str = CHIP) -> Iterator[KernelLine]:
    """Within, `gpiod` has one chip, at that path, with one line."""
    line = KernelLine(path)
    with patch.object(gpiod, "request_lines", line.request_lines), patch.object(gpiod, "Chip", line.chip):
        yield line
