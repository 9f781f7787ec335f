"""Serial ports: which there are, what their adapters call themselves, and which of them are read already."""

import glob
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.config import MeterConfig
from appliance.finding import words

SYSTEM = Path("/sys/class/tty")

_BY_ID = re.compile(r"usb-(.+?)(?:-if[0-9]+)?(?:-port[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Port:
    """One port: the name by which it is opened, best one that stays the same, and what a person calls it."""

    path: str
    device: Path
    where: str


def ports(patterns: Iterable[str], system: Path = SYSTEM) -> list[Port]:
    """Every port that one of the patterns names, under the first name that it has. `system` is the kernel's list."""
    found: dict[Path, Port] = {}
    for path in (each for pattern in patterns for each in sorted(glob.glob(pattern))):  # noqa: PTH207 - absolute
        device = Path(path).resolve()
        if device not in found and _is_one(device, system):
            found[device] = Port(path, device, where(path))
    return list(found.values())


def where(path: str) -> str:
    """As in: on the USB cable FTDI FT232R USB UART."""
    name = Path(path).name
    if match := _BY_ID.fullmatch(name):
        return f"on the USB cable {words.plain(match[1].replace('_', ' '))}"
    return f"on the serial port {words.plain(name)}"


def read_already(configured: Iterable[MeterConfig]) -> dict[Path, str]:
    """Port -> the name of the meter that is configured on it."""
    serial = [meter for meter in configured if meter.link == "serial"]
    return {device: meter.name for meter in serial for device in _devices(str(meter.link_options.get("path", "")))}


def _devices(path: str) -> Iterator[Path]:
    """The port that a configured path or pattern means: of several, the first, as the link takes it."""
    if Path(path).exists():
        yield Path(path).resolve()
    else:
        yield from (Path(each).resolve() for each in sorted(glob.glob(path))[:1])  # noqa: PTH207 - absolute


def _is_one(device: Path, system: Path) -> bool:
    """Whether there is hardware behind it, as the kernel says, and the kernel does not speak there itself."""
    return _said(system / device.name / "type") != "0" and device.name not in _said(system / "console/active").split()


def _said(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
