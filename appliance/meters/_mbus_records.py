"""M-Bus records: the variable data structure that a meter answers with (EN 13757-3, section 6).

    number (4, BCD), maker (2), version, medium, access number, status, signature (2)      the header, CI 72
    DIF DIFE... VIF VIFE... value                                                          records, one after the other
    0F or 1F and what the maker likes                                                      1F: another telegram follows

Numbers have their low byte first. DIF and DIFE say how long the value is and whether it is the current one (function
0, storage 0), of which tariff and which part of the meter. VIF and VIFE say what it measures and to which power of ten.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from appliance.meters._float32 import shortest

HEADER_BYTES = 12
_CHAIN = 10  # the most DIFE or VIFE of one record

_LENGTHS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 4, 6: 6, 7: 8, 8: 0, 9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
_REAL, _VARIABLE, _SPECIAL = 5, 13, 15
_INTEGERS, _BCDS = (1, 2, 3, 4, 6, 7), (9, 10, 11, 12, 14)
_FILLER, _MAKERS, _MORE = 0x2F, 0x0F, 0x1F
_ENCRYPTIONS = range(1, 16)
"""Of the signature's high byte; what is beyond was a maker's own use of it, before it had any other."""

_REAL_DECIMALS = 3
"""Of a float before its power of ten: as many as a meter shows, so that a series has one number of them."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a VIF stands for: `kind` in `unit`, times `factor` and a power of ten."""

    kind: str
    unit: str
    exponent: int
    factor: int = 1


def _powers(first: int, count: int, kind: str, unit: str, exponent: int, factor: int = 1) -> dict[int, Measure]:
    """Consecutive codes, each ten times the one before."""
    return {first + step: Measure(kind, unit, exponent + step, factor) for step in range(count)}


_PRIMARY: dict[int, Measure] = {
    **_powers(0x00, 8, "energy", "kWh", -6),  # from 0.001 Wh on
    **_powers(0x08, 8, "energy", "GJ", -9),  # from 1 J on
    **_powers(0x10, 8, "volume", "m3", -6),
    **_powers(0x28, 8, "power", "kW", -6),  # from 0.001 W on
    **_powers(0x38, 8, "flow", "m3/h", -6),
    **_powers(0x40, 8, "flow", "m3/h", -7, 60),  # a minute
    **_powers(0x48, 8, "flow", "m3/h", -9, 3600),  # a second
    **_powers(0x58, 4, "temperature.flow", "°C", -3),
    **_powers(0x5C, 4, "temperature.return", "°C", -3),
    **_powers(0x60, 4, "temperature.difference", "K", -3),
    **_powers(0x64, 4, "temperature.external", "°C", -3),
}
"""EN 13757-3:2018, table 10."""

_EXTENDED: dict[int, dict[int, Measure]] = {
    0xFB: {
        **_powers(0x00, 2, "energy", "kWh", 2),  # from 0.1 MWh on
        **_powers(0x08, 2, "energy", "GJ", -1),
        **_powers(0x10, 2, "volume", "m3", 2),
        **_powers(0x28, 2, "power", "kW", 2),
    },
    0xFD: {
        **_powers(0x40, 16, "voltage", "V", -9),
        **_powers(0x50, 16, "current", "A", -12),
    },
}
"""The extension tables: what follows a VIF of FB or FD."""

_FORWARD, _BACKWARD, _THOUSANDFOLD = 0x3B, 0x3C, 0x7D  # of the combinable VIFE
_POWERS_OF_TEN = range(0x70, 0x78)


@dataclass(frozen=True, slots=True)
class Header:
    """Whose telegram it is. `maker` are the three letters that are packed into two bytes."""

    number: str
    maker: str
    medium: int
    status: int
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Record:
    """A current value: what it measures, of which tariff, whether of the other direction. None: not to be had."""

    measure: Measure
    tariff: int
    backward: bool
    value: Decimal | None


class StructureError(ValueError):
    """Data that breaks off, or is built as no meter's is."""


def header(data: bytes) -> Header:
    """Raises StructureError where it breaks off."""
    if len(data) < HEADER_BYTES:
        raise StructureError
    packed = int.from_bytes(data[4:6], "little")
    maker = "".join(chr(64 + (packed >> shift & 0x1F)) for shift in (10, 5, 0))
    return Header(data[3::-1].hex(), maker, data[7], data[9], data[11] & 0x1F in _ENCRYPTIONS)


def records(data: bytes) -> tuple[list[Record], bool]:
    """The current values among the records behind the header, and whether another telegram follows this one.

    Raises StructureError.
    """
    reading = _Reading(data)
    found: list[Record] = []
    while reading.left:
        dif = reading.byte()
        if dif in (_MAKERS, _MORE):
            return found, dif == _MORE
        if dif != _FILLER:
            found += reading.record(dif)
    return found, False


class _Reading:
    """Data being taken apart from its beginning on."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def byte(self) -> int:
        return self.bytes(1)[0]

    def bytes(self, count: int) -> bytes:
        if count > self.left:
            raise StructureError
        self._at += count
        return self._data[self._at - count : self._at]

    def record(self, dif: int) -> Iterator[Record]:
        """The record that begins with `dif`, if it is a current value of something that is kept here."""
        if dif & 0x0F == _SPECIAL:
            raise StructureError
        storage, tariff, part = self._place(dif)
        vif = self.byte()
        if vif & 0x7F == 0x7C:  # what it measures stands in a text
            self.bytes(self.byte())
        extensions = self._chain(vif)
        value = self._value(dif & 0x0F)
        is_current = dif & 0x30 == 0 and storage == 0 and part == 0
        if is_current and (meant := _meant(vif, extensions)):
            measure, backward = meant
            yield Record(measure, tariff, backward, None if value is None else _scaled(value, measure))

    def _chain(self, last: int) -> list[int]:
        """The bytes that follow `last` for as long as each has its highest bit set."""
        found: list[int] = []
        while last & 0x80:
            last = self.byte()
            found.append(last)
            if len(found) > _CHAIN:
                raise StructureError
        return found

    def _place(self, dif: int) -> tuple[int, int, int]:
        """Storage number, tariff and part of the meter."""
        storage, tariff, part = dif >> 6 & 1, 0, 0
        for step, dife in enumerate(self._chain(dif)):
            storage |= (dife & 0x0F) << (1 + 4 * step)
            tariff |= (dife >> 4 & 3) << (2 * step)
            part |= (dife >> 6 & 1) << step
        return storage, tariff, part

    def _value(self, code: int) -> Decimal | None:
        if code == _VARIABLE:
            self.bytes(_variable_bytes(self.byte()))
            return None
        data = self.bytes(_LENGTHS[code])
        if code in _INTEGERS:
            return _integer(data)
        if code in _BCDS:
            return _bcd(data)
        return _real(data) if code == _REAL else None


def _variable_bytes(length: int) -> int:
    """How many bytes follow the first one of a value of variable length (its LVAR)."""
    if length < 0xC0:
        return length
    if length < 0xF0:
        return length & 0x0F
    if length <= 0xF4:
        return 4 * (length - 0xEC)
    if length <= 0xF6:
        return 48 if length == 0xF5 else 64
    raise StructureError


def _integer(data: bytes) -> Decimal | None:
    """Type B; the lowest number of all says that there is none."""
    number = int.from_bytes(data, "little", signed=True)
    return None if number == -(1 << (8 * len(data) - 1)) else Decimal(number)


def _bcd(data: bytes) -> Decimal | None:
    """Type A: decimal digits, F in the highest place is a minus; other letters are what a display shows of an error."""
    digits = data[::-1].hex()
    negative = digits.startswith("f")
    digits = digits[1:] if negative else digits
    if not digits.isdecimal():
        return None
    return Decimal(-int(digits) if negative else int(digits))


def _real(data: bytes) -> Decimal | None:
    number = shortest(data[::-1])
    return None if number is None or number.adjusted() > 15 else round(number, _REAL_DECIMALS) + 0


def _meant(vif: int, extensions: list[int]) -> tuple[Measure, bool] | None:
    """What is measured, and whether in the other direction; None for what is not kept here.

    An extension that is not known may turn the meaning round, a maker's own above all: such a record is none of ours.
    """
    table = _EXTENDED.get(vif)
    measure = table.get(extensions.pop(0) & 0x7F) if table else _PRIMARY.get(vif & 0x7F)
    backward = False
    for code in (each & 0x7F for each in extensions):
        if measure is None:
            return None
        if code in _POWERS_OF_TEN:
            measure = Measure(measure.kind, measure.unit, measure.exponent + code - 0x76, measure.factor)
        elif code == _THOUSANDFOLD:
            measure = Measure(measure.kind, measure.unit, measure.exponent + 3, measure.factor)
        elif code in (_FORWARD, _BACKWARD):
            backward = code == _BACKWARD
        else:
            return None
    return None if measure is None else (measure, backward)


def _scaled(value: Decimal, measure: Measure) -> Decimal:
    return (value * measure.factor).scaleb(measure.exponent)
