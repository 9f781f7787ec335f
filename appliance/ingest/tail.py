"""The spool's tail: what the meters said since the spool was last sealed, down to the newest telegram."""

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.ingest import frames, spool
from appliance.ingest.frames import SpooledFrame
from appliance.ingest.spool import SegmentReader

RECENT_FRAMES = 20_000  # five hours of a meter that speaks each second, far more than lies unsealed


@dataclass(frozen=True, slots=True)
class Said:
    """The newest value of one role of one source, and when it was; `seconds` where it is what was used in so many."""

    at_ms: int
    value: Decimal
    seconds: int = 0


class Tail:
    """Follows every segment of the spool. Safe for several threads."""

    def __init__(self, folder: Path, private_keys: Sequence[X25519PrivateKey], roles: frozenset[str]) -> None:
        """`private_keys` are the home store's; `roles` are those of which every recent value is kept, not only the
        newest.
        """
        self._folder, self._keys, self._roles = folder, private_keys, roles
        self._readers: dict[Path, SegmentReader] = {}
        self._lock = threading.Lock()
        self.newest: dict[tuple[str, str], Said] = {}
        self._recent: deque[tuple[str, dict[str, Said]]] = deque(maxlen=RECENT_FRAMES)

    def update(self) -> None:
        """Reads what was written since the last call."""
        with self._lock:
            for gone in [path for path, reader in self._readers.items() if reader.is_deleted()]:
                self._readers.pop(gone).close()
            for path in spool.segments(self._folder):
                with suppress(FileNotFoundError, ValueError):  # sealed a moment ago, or not yet begun
                    reader = self._readers.get(path) or SegmentReader(path, *self._keys)
                    self._readers[path] = reader
                    for payload in reader.new():
                        self._take(frames.from_bytes(payload))

    def close(self) -> None:
        """Lets go of the segments."""
        with self._lock:
            for reader in self._readers.values():
                reader.close()
            self._readers.clear()

    def recent(self, source: str, after_ms: int) -> list[dict[str, Said]]:
        """The followed roles' values of one source after an instant, telegram by telegram."""
        with self._lock:
            every = [said for name, said in self._recent if name == source]
        return [said for said in every if max(each.at_ms for each in said.values()) > after_ms]

    def _take(self, frame: SpooledFrame) -> None:
        followed = {}
        for reading in frame.readings:
            said = Said(reading.at_ms, reading.value, reading.seconds)
            self.newest[frame.origin.source, reading.role] = said
            if reading.role in self._roles:
                followed[reading.role] = said
        if followed:
            self._recent.append((frame.origin.source, followed))
