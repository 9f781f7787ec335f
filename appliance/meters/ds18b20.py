"""DS18B20 and its kin: 1-wire thermometers, as the kernel's driver w1_therm shows them.

A message of `appliance.links.w1` has the sensor's number as its topic and the text of its file as its payload. Of
`w1_slave` (Documentation/w1/slaves/w1_therm.rst) that is two lines:

    72 01 4b 46 7f ff 0e 10 57 : crc=57 YES     (1) the nine bytes of the scratchpad, their CRC, whether it was right
    72 01 4b 46 7f ff 0e 10 57 t=23125          (2) the bytes of the last good read, thousandths of a degree Celsius

The scratchpad (DS18B20 data sheet, figure 9): temperature in sixteenths of a degree, low byte first; TH; TL;
configuration; three reserved; CRC-8 over the eight before it. The CRC is computed here as well, and t must be what the
scratchpad says. Of `temperature` it is t alone, which the kernel gives only where its CRC was right.

Two values are no temperatures: 85.000 stands in the scratchpad from power-on to the end of the first conversion, so
that a sensor whose supply fails for a moment says it (a true 85.000 is lost with it), and -127 is what other programs
write for a sensor that is gone. Nine zeros, which a short circuit reads as, have a right CRC.
"""

import re
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

from appliance.crc import crc8_maxim
from appliance.errors import UserError
from appliance.messages import Message
from appliance.meters._messages import LineMeter
from appliance.records import Frame, MeterReading

TITLE = "Thermometer DS18B20 (1-wire)"
LINKS = ("w1",)
CALLED = "a thermometer (1-wire)"
TRIED = "w1_slave of 28-000004da2313, as its owner showed it on the Raspberry Pi forum (topic 91982)"

_SENSOR = re.compile(r"[0-9a-f]{2}-[0-9a-f]{12}")
_ROLE = re.compile(r"temperature(\.[A-Za-z0-9_-]+)*")
_BYTES = "((?:[0-9a-f]{2} ){9})"
_W1_SLAVE = re.compile(_BYTES + r": crc=([0-9a-f]{2}) (YES|NO)\n" + _BYTES + r"t=(-?[0-9]{1,6})\n?")
_TEMPERATURE = re.compile(r"(-?[0-9]{1,6})\n?")

_COLDEST, _WARMEST = Decimal(-55), Decimal(125)  # degrees, by its data sheet
_POWER_ON = 85_000
_PLAIN_FAMILY = "28-"  # sixteenths of a degree; others count otherwise
_FINER = 0x80  # a bit of the configuration that is 0 in a DS18B20; clones that have more digits set it


@dataclass(frozen=True, slots=True)
class Options:
    """The roles of the sensors of one bus. One that is not named has its number in its role: `temperature.28-...`."""

    roles: str = field(
        default="", metadata={"title": "Roles, as in 28-00000623003b=temperature.attic, 28-031655c9d5ff=temperature"}
    )

    def __post_init__(self) -> None:
        named = [each.partition("=") for each in _parts(self.roles)]
        problems = [
            f"roles: {sensor}{sign}{role} names no sensor's role; write 28-00000623003b=temperature.attic"
            for sensor, sign, role in named
            if not _SENSOR.fullmatch(sensor) or not _ROLE.fullmatch(role)
        ]
        for what, values in (("sensor", [sensor for sensor, _, _ in named]), ("role", [role for *_, role in named])):
            problems += [f"roles: {each} is named twice; give each {what} once" for each in _twice(values)]
        if problems:
            raise UserError(problems)

    def by_sensor(self) -> dict[str, str]:
        """Sensor -> role."""
        named = (each.partition("=") for each in _parts(self.roles))
        return {sensor: role for sensor, _, role in named}


class Meter(LineMeter):
    """Decodes the messages of one 1-wire bus; each good one is a frame of its sensor."""

    def __init__(self, options: Options, zone: ZoneInfo) -> None:
        super().__init__()
        self._roles = options.by_sensor()

    def _frame(self, message: Message, now_ms: int) -> Frame | None:
        """The frame of one message; None, counted, where it says no temperature."""
        sensor, text = message.topic, message.payload
        match = _W1_SLAVE.fullmatch(text)
        if match and (match[3] == "NO" or crc8_maxim(bytes.fromhex(match[1]))):
            self.counters.crc_errors += 1
            return None
        value = _degrees(sensor, match, text) if _SENSOR.fullmatch(sensor) else None
        if value is None:
            self.counters.refused += 1
            return None
        self.counters.telegrams += 1
        return Frame(sensor, (MeterReading(self._role(sensor), now_ms, value, "°C"),))

    def _role(self, sensor: str) -> str:
        return self._roles.get(sensor, f"temperature.{sensor}")


def _degrees(sensor: str, w1_slave: re.Match[str] | None, text: str) -> Decimal | None:
    """What a file says whose CRC is right; None where that is no temperature, or a sensor is gone."""
    if w1_slave:
        thousandths = int(w1_slave[5])
        scratchpad = bytes.fromhex(w1_slave[1])
        if w1_slave[1] != w1_slave[4] or not any(scratchpad) or not _agree(sensor, scratchpad, thousandths):
            return None
    elif match := _TEMPERATURE.fullmatch(text):
        thousandths = int(match[1])
    else:
        return None
    value = Decimal(thousandths).scaleb(-3)
    return value if _COLDEST <= value <= _WARMEST and thousandths != _POWER_ON else None


def _agree(sensor: str, scratchpad: bytes, thousandths: int) -> bool:
    """Whether t is what the scratchpad says; the kernel cuts off what is less than a thousandth."""
    if not sensor.startswith(_PLAIN_FAMILY) or scratchpad[4] & _FINER:
        return True
    sixteenths = int.from_bytes(scratchpad[:2], "little", signed=True)
    return abs(thousandths * 16 - sixteenths * 1000) < 16


def _parts(roles: str) -> list[str]:
    return [each.strip() for each in roles.split(",") if each.strip()]


def _twice(values: list[str]) -> list[str]:
    return sorted({each for each in values if values.count(each) > 1})
