"""What every meter must do, and the samples that say what it reads.

A sample is a file in `tests/samples/meters/<protocol>/`, with its expectation beside it as `<file>.json`:

- given: `zone` of the meter, its `options`, `now_ms` of its feeding, `checksums` (whether each of its frames has one),
  and `origin`: a capture, a standard's annex, a maker's manual, or what it was made from;
- of a protocol that must be asked, `echoed_bytes`; `tests.contracts.conversations` has the form of such files;
- expected: `frames` with their device and readings, values as decimal strings, and `counters`.

`python -m tests.contracts.meters` writes what is expected anew, to be read as a difference before it is committed.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from appliance import meters
from appliance.meters import Counters, Meter
from appliance.records import Frame, MeterReading
from tests.contracts.conversations import SUFFIX, Turn, held, turns

SAMPLES = Path(__file__).parents[1] / "samples" / "meters"

_GIVEN: dict[str, Any] = {
    "origin": "made for this project, with fictional identities",
    "zone": "Europe/Amsterdam",
    "options": {},
    "now_ms": 1_700_000_000_000,
    "checksums": True,
}
_ASKED: dict[str, Any] = {"echoed_bytes": 0}


@dataclass(frozen=True)
class Sample:
    """A recorded stream of one protocol, and under which circumstances it is read."""

    protocol: str
    path: Path

    @property
    def data(self) -> bytes:
        return self.path.read_bytes()

    @property
    def expectation(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def given(self) -> dict[str, Any]:
        known = json.loads(self.expectation.read_text()) if self.expectation.exists() else {}
        names = _GIVEN | _ASKED if self.is_conversation else _GIVEN
        return {name: known.get(name, default) for name, default in names.items()}

    @property
    def is_conversation(self) -> bool:
        return self.path.suffix == SUFFIX

    @property
    def turns(self) -> list[Turn]:
        return turns(self.path)

    def meter(self) -> Meter:
        module = meters.named(self.protocol)
        return module.Meter(module.Options(**self.given["options"]), ZoneInfo(self.given["zone"]))

    def __str__(self) -> str:
        return f"{self.protocol}/{self.path.name}"


_UNUSUAL = ("seconds", "stated", "quality")


def samples_of(protocol: str) -> list[Sample]:
    """The samples of one protocol; every protocol has some."""
    paths = sorted(path for path in (SAMPLES / protocol).glob("*") if path.suffix != ".json" and path.is_file())
    return [Sample(protocol, path) for path in paths]


def samples() -> list[Sample]:
    """The recorded streams of all protocols that are discovered."""
    return [sample for sample in _every() if not sample.is_conversation]


def conversations() -> list[Sample]:
    """The recorded conversations of all protocols that are discovered."""
    return [sample for sample in _every() if sample.is_conversation]


def _every() -> list[Sample]:
    return [sample for protocol in meters.names() for sample in samples_of(protocol)]


def fed(meter: Meter, pieces: Iterable[bytes], now_ms: int) -> list[Frame]:
    """The frames from feeding these pieces one after the other."""
    return [frame for piece in pieces for frame in meter.feed(piece, now_ms)]


def read(sample: Sample, data: bytes | None = None) -> tuple[list[Frame], Counters]:
    """What a new meter makes of the sample, or of `data` in the place of a stream, fed whole."""
    meter = sample.meter()
    if sample.is_conversation:
        return held(meter, sample.turns, sample.given["now_ms"], sample.given["echoed_bytes"]).frames, meter.counters
    frames = fed(meter, [sample.data if data is None else data], sample.given["now_ms"])
    return frames, meter.counters


def as_json(frames: list[Frame], counters: Counters) -> dict[str, Any]:
    """Frames and counters as an expectation states them."""
    return {
        "counters": asdict(counters),
        "frames": [_frame(frame) for frame in frames],
    }


def _frame(frame: Frame) -> dict[str, Any]:
    """A frame's device and readings, and the outages that some remember."""
    said = {"device": frame.device, "readings": [_reading(reading) for reading in frame.readings]}
    return said | ({"outages": [asdict(outage) for outage in frame.outages]} if frame.outages else {})


def _reading(reading: MeterReading) -> dict[str, Any]:
    """What every reading says, and what only some do."""
    said = asdict(reading) | {"value": str(reading.value)}
    return {name: value for name, value in said.items() if name not in _UNUSUAL or value}


def write_expectations() -> None:
    for sample in _every():
        expected = sample.given | as_json(*read(sample))
        sample.expectation.write_text(json.dumps(expected, indent=1) + "\n")
        print(sample, expected["counters"])


if __name__ == "__main__":
    write_expectations()
