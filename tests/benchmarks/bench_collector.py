"""The collector at work: its memory and its share of a core, what reaches the card, and what is lost of pulses."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.config import Config
from appliance.house import House, Registers, telegram
from appliance.ingest.frames import to_bytes
from appliance.ingest.sealing import seal
from appliance.ingest.spool import Spool
from appliance.store.database import HOME, open_store
from services import setup
from tests import mosquitto
from tests.benchmarks.bench_card import BEGIN_MS, DAY_S, FLUSH_S, ORIGIN, three_channels
from tests.benchmarks.row import Row
from tests.benchmarks.store import scratch_config

ZONE = "Europe/Amsterdam"
METERS = 8
SETTLE_S, WORK_S, CARD_S = 8, 20, 180
EXT4_BYTES = 256 << 20
WEEK_S = 7 * DAY_S


def rows() -> list[Row]:
    one_mb, _ = _at_work(1)
    _, share = _at_work(METERS)
    found = [
        Row("The collector with one serial meter at 1 Hz, PSS", one_mb, 25, "MB"),
        Row(f"The collector with {METERS} meters at 1 Hz, of one core", share, 5, "%"),
    ]
    if (many_mb := _many_protocols_mb()) is not None:
        found.append(Row("The collector with Modbus, M-Bus and MQTT configured, PSS", many_mb, 35, "MB"))
    if (card := _card_mb_a_day()) is not None:
        found.append(Row("Reaching an ext4's block device, 3 channels at 1 Hz", card, 60, "MB a day"))
    lost, spool_mb, seconds = _week_in_the_spool()
    return [
        *found,
        Row("Readings lost of a week that waits in the spool", lost, 0, "readings"),
        Row("A week of 3 channels at 1 Hz in the spool", spool_mb, None, "MB"),
        Row("A week in the spool, sealed into the store", seconds, None, "s"),
    ]


def _at_work(count: int) -> tuple[float, float]:
    """The memory in MB, and the share of a core in per cent, with so many P1 cables that speak each second."""
    with scratch_config() as config, _cables(config.data, count) as names:
        text = "".join(_p1(number, name) for number, name in enumerate(names))
        with _collector(config, text) as process:
            time.sleep(SETTLE_S)
            before_s = _cpu_s(process.pid)
            time.sleep(WORK_S)
            return _pss_mb(process.pid), 100 * (_cpu_s(process.pid) - before_s) / WORK_S


def _p1(number: int, name: str) -> str:
    return f'[meters.house{number}]\nlink = "serial"\nmeter = "dsmr"\nzone = "{ZONE}"\nserial = {{ path = "{name}" }}\n'


def _many_protocols_mb() -> float | None:
    """With a P1 cable, M-Bus, Modbus over TCP, and a broker that is there; None where no mosquitto is."""
    if (program := mosquitto.program()) is None:
        return None
    with scratch_config() as config, _cables(config.data, 2) as names, tempfile.TemporaryDirectory() as folder:
        broker = mosquitto.Broker(program, Path(folder))
        text = _p1(0, names[0]) + (
            f'[meters.heat]\nlink = "serial"\nmeter = "mbus"\nserial = {{ path = "{names[1]}", baudrate = 2400 }}\n'
            '[meters.board]\nlink = "tcp"\nmeter = "modbus"\ntcp = { host = "127.0.0.1", port = 9 }\n'
            'modbus = { device = "sdm630", framing = "tcp" }\n'
            '[meters.plugs]\nlink = "mqtt"\nmeter = "tasmota"\n'
            f'mqtt = {{ host = "127.0.0.1", port = {broker.port}, topic = "tele/+/SENSOR" }}\n'
        )
        try:
            with _collector(config, text) as process:
                time.sleep(SETTLE_S)
                return _pss_mb(process.pid)
        finally:
            broker.stop()


@contextmanager
def _collector(config: Config, text: str) -> Iterator["subprocess.Popen[bytes]"]:
    setup.make(config.data)
    (config.data / "inglenook.toml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "services.collector", "--data", str(config.data)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextmanager
def _cables(folder: Path, count: int) -> Iterator[list[str]]:
    """So many terminals, into each of which a P1 telegram is said every second."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = [os.openpty() for _ in range(count)]
    for meter_end, port_end in ends:
        tty.setraw(port_end)
        os.set_blocking(meter_end, False)
    stop = threading.Event()
    speaker = threading.Thread(target=_speak, args=([meter_end for meter_end, _ in ends], stop))
    speaker.start()
    try:
        yield [os.ttyname(port_end) for _, port_end in ends]
    finally:
        stop.set()
        speaker.join()
        for number in (number for pair in ends for number in pair):
            os.close(number)


def _speak(meter_ends: list[int], stop: threading.Event) -> None:
    house, number = House(1, ZoneInfo(ZONE), 4.0), 0
    while not stop.wait(1):
        number += 1
        data = telegram(house, Registers.of(Decimal(number) / 1000), BEGIN_MS + number * 1000)
        for meter_end in meter_ends:
            with suppress(BlockingIOError):  # nobody reads it yet
                os.write(meter_end, data)


def _pss_mb(pid: int) -> float:
    said = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert said
    return int(said[1]) / 1024


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _card_mb_a_day() -> float | None:
    """What reaches the block device under an ext4 in real time, journal and all; None where none can be mounted."""
    if os.geteuid() or not shutil.which("mkfs.ext4"):
        return None
    with tempfile.TemporaryDirectory() as folder, _ext4(Path(folder)) as mounted:
        public = X25519PrivateKey.generate().public_key().public_bytes_raw()
        spool, counter = Spool(mounted / "spool", public), _sectors_of(mounted)
        _collected(spool, range(FLUSH_S))
        os.sync()
        before = int(counter.read_text().split()[6])
        _collected(spool, range(FLUSH_S, FLUSH_S + CARD_S))
        sectors = int(counter.read_text().split()[6]) - before
        spool.close()
    return sectors * 512 * DAY_S / CARD_S / 1e6


def _collected(spool: Spool, seconds: range) -> None:
    """A frame each second, in real time: the file system's own writes come by the clock."""
    begun_s = time.monotonic()
    for number, second in enumerate(seconds, 1):
        spool.append(to_bytes(ORIGIN, three_channels(second)))
        if number % FLUSH_S == 0:
            spool.flush()
        time.sleep(max(0.0, begun_s + number - time.monotonic()))


@contextmanager
def _ext4(folder: Path) -> Iterator[Path]:
    image, mounted = folder / "card.img", folder / "card"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(EXT4_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(mounted)], check=True)
    try:
        yield mounted
    finally:
        subprocess.run(["umount", str(mounted)], check=True)


def _sectors_of(folder: Path) -> Path:
    device = folder.stat().st_dev
    return Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")


def _week_in_the_spool() -> tuple[float, float, float]:
    """Of a week in which no store could be written: what was lost, the spool's size, and how long sealing takes."""
    with scratch_config() as config, open_store(config, HOME, make=True) as home:
        spool = Spool(config.spool, home.key.private.public_key().public_bytes_raw())
        for second in range(WEEK_S):
            spool.append(to_bytes(ORIGIN, three_channels(second)))
        spool.close()
        size = sum(path.stat().st_size for path in config.spool.iterdir())
        begun_s = time.perf_counter()
        sealed = seal(home, config.spool)
        return 3 * WEEK_S - sealed.read, size / 1e6, time.perf_counter() - begun_s
