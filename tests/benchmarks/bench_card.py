"""What the collector writes to the card in a day, by the kernel's own counter (/proc/self/io, write_bytes).

A day of telegrams is replayed into the real spool: a frame each second, synced every ten.
"""

import math
from decimal import Decimal
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.house import House, Registers, telegram
from appliance.ingest.frames import Origin, to_bytes
from appliance.ingest.spool import Spool
from appliance.meters import dsmr
from appliance.records import Frame, MeterReading
from tests.benchmarks.row import Row
from tests.benchmarks.store import scratch_config

DAY_S, FLUSH_S = 86_400, 10
SAMPLED_S = 7_200  # two hours are measured, and twelve times that is a day
BEGIN_MS = 1_780_000_000_000
ORIGIN = Origin("house", "serial", "dsmr", "3f0c2a9e-7f5d-4f4c-9c0e-1f2d3c4b5a69")


def rows() -> list[Row]:
    three = _written([three_channels(second) for second in range(SAMPLED_S)])
    whole = _written(_telegrams())
    return [
        Row("Written to the card, 3 channels at 1 Hz", three, 60, "MB a day"),
        Row("Written to the card, whole DSMR 5 telegrams at 1 Hz", whole, None, "MB a day"),
    ]


def three_channels(second: int) -> Frame:
    watts = round(400 + 300 * math.sin(second / 700) + (second * 7919) % 37)
    at_ms = BEGIN_MS + second * 1000
    return Frame(
        "E0043007051904219",
        (
            MeterReading(
                "electricity.import.t1", at_ms, Decimal(3_432_827 + second // 9).scaleb(-3), "kWh", stated=True
            ),
            MeterReading("electricity.export.t1", at_ms, Decimal(812_403).scaleb(-3), "kWh", stated=True),
            MeterReading("electricity.power", at_ms, Decimal(watts).scaleb(-3), "kW", stated=True),
        ),
    )


def _telegrams() -> list[Frame]:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("Europe/Amsterdam")
    house, registers, meter = House(1, zone, 4.0), Registers(), dsmr.Meter(dsmr.Options(), zone)
    frames: list[Frame] = []
    for second in range(SAMPLED_S):
        at_ms = BEGIN_MS + second * 1000
        frames += meter.feed(telegram(house, registers, at_ms), at_ms)
    return frames


def _written(frames: list[Frame]) -> float:
    public = X25519PrivateKey.generate().public_key().public_bytes_raw()
    with scratch_config() as config:
        spool = Spool(config.spool, public)
        before = _write_bytes()
        for number, frame in enumerate(frames, 1):
            spool.append(to_bytes(ORIGIN, frame))
            if number % FLUSH_S == 0:
                spool.flush()
        written = _write_bytes() - before
        spool.close()
    return written * DAY_S / len(frames) / 1e6


def _write_bytes() -> int:
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["write_bytes"])
