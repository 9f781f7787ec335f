r"""The lines of one sound P1 telegram, taken apart; `dsmr` draws the telegram and names the standards.

Beside the lines `id(value*unit)` there are:

    0-1:24.2.1(190324150000W)(01234.567*m3)                 an M-Bus value with its own time (P1 5.0.2, section 6.10)
    0-1:24.3.0(121030140000)(00)(60)(1)(0-1:24.2.1)(m3)     the same in DSMR 2.2 and 3, over two lines
    (00024.123)
    1-0:99.97.0(2)(0-0:96.7.19)(101208152415W)(0000000240*s)(101208151004W)(0000000301*s)
                                                            long power failures: the end of each, and its length (6.12)
    1-0:1.6.0(230502114500S)(04.329*kW)                     Belgium: the peak of this month, and when it was
    0-0:98.1.0(2)(1-0:1.6.0)(1-0:1.6.0)(230401000000S)(230319101500W)(03.695*kW)(230501000000S)(230427...
                                                            Belgium: up to 13 months, each with the time at which it
                                                            ended, that of its peak, and the peak (e-MUCS P1, 3.6)

Hungary has another 0-0:98.1.0, which does not say what its numbers are: it is passed over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from appliance.meters._p1_times import Clock, never_set
from appliance.obis import MBUS_DEVICES, PEAKS, REGISTERS, Quantity, in_unit, plausible
from appliance.records import MeterReading, Outage

_NUMBER = r"([0-9]{1,12}(?:\.[0-9]{1,7})?)"
_UNIT = r"([A-Za-z0-9]{1,5})"
_STAMP = r"([0-9]{12}[SW]?)"

_VALUE = re.compile(rf"{_NUMBER}(?:\*{_UNIT})?\)")
_STAMPED = re.compile(rf"\({_STAMP}\)\({_NUMBER}\*{_UNIT}\)")
_MBUS = re.compile(r"0-([1-4]):(?:24\.1\.0|24\.2\.[123]|24\.3\.0)")
_MBUS_SPLIT = re.compile(rf"\(([0-9]{{12}})\)\([^()]*\)\([^()]*\)\([^()]*\)\([^()]*\)\({_UNIT}\)\({_NUMBER}\)")

_PEAK_HISTORY = re.compile(r"\([0-9]+\)\((1-0:[12]\.6\.0)\)\(\1\)((?:\([^()]*\)\([^()]*\)\([^()]*\)){0,13})")
_PAST_PEAK = re.compile(r"\([^()]*\)\(([^()]*)\)\(([^()]*)\)")
_FAILURE_LOG = re.compile(r"\([0-9]+\)\(0-0:96\.7\.19\)((?:\([^()]*\)\([^()]*\)){0,10})")
_FAILURE = re.compile(rf"\({_STAMP}\)\(([0-9]{{1,10}})\*s\)")

_LONGEST_OUTAGE_S = 10 * 366 * 86_400
"""A log that was never cleared begins with a failure of 2,147,483,647 seconds."""

_IDENTITIES = ("0-0:96.1.1", "0-0:96.1.0", "0-0:42.0.0")
"""What a meter calls itself, the best first: its number, the same in Hungary, its name as a COSEM device."""


@dataclass(slots=True)
class _Channel:
    """What a telegram says of one M-Bus channel."""

    device_type: str = ""
    stamp: str = ""
    value: str = ""
    unit: str = ""


def lines_of(text: str) -> list[str]:
    return text.replace("\r", "").split("\n")


class Telegram:
    """The lines of one sound telegram, taken apart. `refused` tells that some of it could not be used."""

    def __init__(self, text: str, clock: Clock) -> None:
        self.refused = False
        self._clock = clock
        self._stated: list[tuple[Quantity, str]] = []
        self._channels: dict[int, _Channel] = {}
        self._identities: dict[str, str] = {}
        self._stamp = self._failures = ""
        self._peaks: list[tuple[str, str]] = []
        lines = lines_of(text)
        self._header = lines[0][1:].strip()
        for line, following in pairwise(lines[1:]):
            self._line(line, following)

    @property
    def device(self) -> str:
        """The meter's own number, else its header."""
        stated = next((self._identities[code] for code in _IDENTITIES if self._identities.get(code)), "")
        return _from_hexadecimal(stated) or self._header

    def readings(self) -> list[MeterReading]:
        """The meter's own readings in the telegram's order, the peaks of its months, and the M-Bus channels'."""
        at_ms = self._at_ms()
        if at_ms is None:
            return self._refuse()
        readings = []
        for quantity, stated in self._stated:
            match = _VALUE.fullmatch(stated)
            unit = (match[2] or "") if match else ""
            readings += self._reading(quantity, at_ms, match[1], unit, self._has_time) if match else self._refuse()
        readings += [reading for code, rest in self._peaks for reading in self._peak_readings(code, rest)]
        for channel in sorted(self._channels):
            readings += self._channel_readings(channel, {reading.role for reading in readings})
        return readings

    def outages(self) -> tuple[Outage, ...]:
        """The long power failures of the meter's log, as it lists them; one whose end it does not know is none."""
        match = _FAILURE_LOG.fullmatch(self._failures)
        said = _FAILURE.findall(match[1]) if match else []
        spans = [(self._clock.utc_ms(stamp), int(seconds)) for stamp, seconds in said if not never_set(stamp)]
        return tuple(
            Outage(end_ms - seconds * 1000, end_ms)
            for end_ms, seconds in spans
            if end_ms is not None and 0 < seconds <= _LONGEST_OUTAGE_S
        )

    def _line(self, line: str, following: str) -> None:
        """Sorts one line `id(value)...`; `following` may be the rest of an M-Bus value of DSMR 2.2."""
        code, _, rest = line.partition("(")
        code = code.removesuffix("*255")
        if quantity := REGISTERS.get(code):
            self._stated += [(quantity, rest)] if rest != ")" else []
        elif code in PEAKS or code == "0-0:98.1.0":
            self._peaks.append((code, f"({rest}"))
        elif code == "0-0:1.0.0":
            self._stamp = rest.removesuffix(")")
        elif code in _IDENTITIES:
            self._identities[code] = rest.removesuffix(")")
        elif code == "1-0:99.97.0":
            self._failures = f"({rest}"
        elif match := _MBUS.fullmatch(code):
            channel = self._channels.setdefault(int(match[1]), _Channel())
            self._mbus_line(channel, code, f"({rest}", following)

    def _mbus_line(self, channel: _Channel, code: str, values: str, following: str) -> None:
        """Notes what one line says of an M-Bus channel; a channel without a device states empty values."""
        if code.endswith(":24.1.0"):
            channel.device_type = values[1:-1]
        elif code.endswith(":24.3.0"):
            if match := _MBUS_SPLIT.fullmatch(values + following):
                channel.stamp, channel.unit, channel.value = match[1], match[2], match[3]
        elif match := _STAMPED.fullmatch(values):
            channel.stamp, channel.value, channel.unit = match[1], match[2], match[3]

    def _channel_readings(self, number: int, taken: set[str]) -> list[MeterReading]:
        """The reading of one M-Bus channel, if it has any; a second device of a kind has its channel in its role."""
        channel = self._channels[number]
        device_type = int(channel.device_type) if channel.device_type.isdecimal() else 0
        quantity = MBUS_DEVICES.get(device_type)
        if quantity is None or not channel.value:
            return []
        if quantity.role in taken:
            quantity = Quantity(f"{quantity.role}.channel{number}", quantity.unit)
        return self._stamped_reading(quantity, channel.stamp, channel.value, channel.unit)

    def _peak_readings(self, code: str, values: str) -> Iterator[MeterReading]:
        """The peak of this month, or those of the months before; a month without one has a zero and no time."""
        history = _PEAK_HISTORY.fullmatch(values)
        if history:
            code, values = history[1], "".join(f"({stamp})({peak})" for stamp, peak in _PAST_PEAK.findall(history[2]))
        for stamp, value, unit in _STAMPED.findall(values) if code in PEAKS else []:
            if Decimal(value) or not never_set(stamp):
                yield from self._stamped_reading(PEAKS[code], stamp, value, unit)

    @property
    def _has_time(self) -> bool:
        return bool(self._stamp) and not never_set(self._stamp)

    def _at_ms(self) -> int | None:
        """The telegram's own time, or that of its arrival where it has none; None where its own cannot be."""
        return self._clock.utc_ms(self._stamp) if self._has_time else self._clock.now_ms

    def _stamped_reading(self, quantity: Quantity, stamp: str, value: str, unit: str) -> list[MeterReading]:
        """A reading with a time of its own; none where that time cannot be: nobody knows how old the value is."""
        at_ms = None if never_set(stamp) else self._earlier_ms(stamp)
        return self._refuse() if at_ms is None else self._reading(quantity, at_ms, value, unit)

    def _earlier_ms(self, stamp: str) -> int | None:
        """When a value was read that this telegram tells of.

        Where W would make it later than the telegram, whoever wrote the stamp leaves the flag as it is all year (in a
        gas meter's own time it is one bit, and optional: EN 13757-3, data type F), and the zone alone decides.
        """
        at_ms, own_ms = self._clock.utc_ms(stamp), self._at_ms()
        if at_ms is None or own_ms is None or not self._has_time or at_ms <= own_ms:
            return at_ms
        return self._clock.utc_ms(f"{stamp[:12]}S")

    def _reading(
        self, quantity: Quantity, at_ms: int, text: str, unit: str, has_time: bool = True
    ) -> list[MeterReading]:
        """One reading; none, and a note of it, where the unit or the value cannot be."""
        value = in_unit(Decimal(text), unit, quantity.unit)
        if value is None or not plausible(value, quantity.unit):
            return self._refuse()
        return [MeterReading(quantity.role, at_ms, value, quantity.unit, stated=has_time)]

    def _refuse(self) -> list[MeterReading]:
        self.refused = True
        return []


def _from_hexadecimal(text: str) -> str:
    """The text that hexadecimal digits stand for; as it is where it is none."""
    try:
        decoded = bytes.fromhex(text).decode("ascii")
    except ValueError:
        return text
    return decoded.strip() if decoded.isprintable() else text
