"""What started this service, and is told how it goes: systemd, or nobody (sd_notify(3)).

The address is taken out of the environment: no child of a service speaks for it, nor does gunicorn, which says that it
is ready before anything answers.
"""

import logging
import os
import socket
from collections.abc import MutableMapping
from dataclasses import dataclass

log = logging.getLogger(__name__)

SLACK_S = 30.0
"""What a busy disk or processor may take beside the beat: a card stalls for seconds."""


@dataclass(frozen=True, slots=True)
class Manager:
    """Of one service. `address` is a socket's path, or its abstract name behind an @; "" where nobody is to be told."""

    address: str = ""

    @classmethod
    def of(cls, environment: MutableMapping[str, str] = os.environ) -> "Manager":
        """Whoever started this process. It asks once: the second one is told nothing."""
        return cls(environment.pop("NOTIFY_SOCKET", ""))

    def ready(self, beat_s: float) -> None:
        """The service does its work from now on, and says so again at least every `beat_s` seconds."""
        self._tell(f"READY=1\nWATCHDOG_USEC={round((3 * beat_s + SLACK_S) * 1_000_000)}\nWATCHDOG=1")

    def alive(self) -> None:
        """The service still does its work; it is killed and started again where this is not said for too long."""
        self._tell("WATCHDOG=1")

    def _tell(self, state: str) -> None:
        if not self.address:
            return
        name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as telling:
                telling.sendto(state.encode(), name)
        except OSError as error:
            log.error("systemd was not told %s: %s", state.partition("\n")[0], error.strerror)
