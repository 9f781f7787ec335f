"""An optical head: SML files of given registers, as bytes and on a pseudo-terminal."""

import os
from pathlib import Path

from appliance.crc import crc16_x25
from tests.contracts.links import TerminalRig

WH, W, V, A = 30, 27, 35, 33
OLD_SERVER = bytes.fromhex("0901494E470100002030")  # 1ING0100008240
OPTIONAL = b"\x01"


def octets(data: bytes) -> bytes:
    return _sized(0x00, data)


def integer(value: int, count: int = 8, *, signed: bool = True) -> bytes:
    """A number of `count` bytes."""
    return _sized(0x50 if signed else 0x60, value.to_bytes(count, "big", signed=signed))


def _sized(kind: int, data: bytes) -> bytes:
    length = len(data) + 1
    if length < 16:
        return bytes([kind | length]) + data
    return bytes([0x80 | kind | (length + 1) >> 4, (length + 1) & 0x0F]) + data


def several(*members: bytes) -> bytes:
    """A list."""
    count = len(members)
    head = [0x70 | count] if count < 16 else [0xF0 | count >> 4, count & 0x0F]
    return bytes(head) + b"".join(members)


def time(choice: int, seconds: int) -> bytes:
    return several(integer(choice, 1, signed=False), integer(seconds, 4, signed=False))


def entry(
    obis: str, value: bytes, unit: int | None = None, scaler: int = 0, status: bytes = OPTIONAL, at: bytes = OPTIONAL
) -> bytes:
    """One value of a list; `obis` as A.B.C.D.E.F."""
    name = octets(bytes(int(each) for each in obis.split(".")))
    if unit is None:
        return several(name, status, at, OPTIONAL, OPTIONAL, value, OPTIONAL)
    return several(name, status, at, integer(unit, 1, signed=False), integer(scaler, 1), value, OPTIONAL)


def message(kind: int, body: bytes, number: int = 1) -> bytes:
    said = several(
        integer(kind, 2, signed=False),
        body,
    )
    begun = b"\x76" + octets(number.to_bytes(4, "big")) + b"\x62\x00\x62\x00" + said
    return begun + b"\x63" + crc16_x25(begun).to_bytes(2, "little") + b"\x00"


def file(*messages: bytes) -> bytes:
    """A file of transport protocol version 1."""
    said = b"".join(messages).replace(b"\x1b" * 4, b"\x1b" * 8)
    fill = -len(said) % 4
    begun = b"\x1b" * 4 + b"\x01" * 4 + said + bytes(fill) + b"\x1b" * 4 + b"\x1a" + bytes([fill])
    return begun + crc16_x25(begun).to_bytes(2, "little")


def reading(*entries: bytes, server: bytes = OLD_SERVER, at: bytes = OPTIONAL, number: int = 1) -> bytes:
    """The file that a meter sends: open, list, close."""
    opened = several(OPTIONAL, OPTIONAL, octets(number.to_bytes(4, "big")), octets(server), OPTIONAL, OPTIONAL)
    said = several(OPTIONAL, octets(server), OPTIONAL, at, several(*entries), OPTIONAL, OPTIONAL)
    closed = several(OPTIONAL)
    return file(message(0x0101, opened, number), message(0x0701, said, number + 1), message(0x0201, closed, number + 2))


def house(import_wh10: int, power_w: int, number: int = 1) -> bytes:
    """A meter of both directions: the register in tenths of a watt-hour, and power, negative where it is fed in."""
    return reading(
        entry("1.0.0.0.9.255", octets(OLD_SERVER)),
        entry("1.0.1.8.0.255", integer(import_wh10), WH, -1, b"\x65\x00\x01\x01\x82"),
        entry("1.0.2.8.0.255", integer(5), WH, -1),
        entry("1.0.16.7.0.255", integer(power_w, 4), W),
        at=time(1, number),
        number=number,
    )


class Head:
    """The meter's end of a serial port, under a name in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.rig = TerminalRig(folder)
        self.said = 0

    def say(self, import_wh10: int, power_w: int) -> None:
        self.said += 1
        os.write(self.rig.meter_end, house(import_wh10, power_w, self.said * 3))

    def pull_out(self) -> None:
        self.rig.hang_up()
