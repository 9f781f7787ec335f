"""Checksums of the wires that meters speak on, in the standard library alone so that the collector stays small."""


def _table(polynomial: int) -> tuple[int, ...]:
    """The 256 remainders of a reflected polynomial of 8 or 16 bits."""
    remainders = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ polynomial if crc & 1 else crc >> 1
        remainders.append(crc)
    return tuple(remainders)


_ARC = _table(0xA001)
_MAXIM = _table(0x8C)


def crc16_arc(data: bytes) -> int:
    """CRC-16/ARC: x16 + x15 + x2 + 1, reflected in and out, initial value 0, no final XOR (DSMR 5.0.2 P1, 6.2)."""
    crc = 0
    table = _ARC
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return crc


def crc8_maxim(data: bytes) -> int:
    """CRC-8 of 1-wire: x8 + x5 + x4 + 1, reflected, initial value 0 (Maxim application note 27).

    Over data and its CRC together it is 0.
    """
    crc = 0
    for byte in data:
        crc = _MAXIM[crc ^ byte]
    return crc


def crc16_modbus(data: bytes) -> int:
    """CRC-16/MODBUS: the same polynomial, initial value 0xFFFF (Modbus over serial line 1.02, section 2.5.1.2)."""
    crc = 0xFFFF
    table = _ARC
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return crc


_CCITT = _table(0x8408)


def _crc16_ccitt(data: bytes, crc: int) -> int:
    """x16 + x12 + x5 + 1, reflected in and out, begun with `crc`."""
    table = _CCITT
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return crc


def crc16_x25(data: bytes) -> int:
    """CRC-16/X-25, the frame check sequence of HDLC (RFC 1662, C.2): initial value and final XOR 0xFFFF."""
    return _crc16_ccitt(data, 0xFFFF) ^ 0xFFFF


def crc16_kermit(data: bytes) -> int:
    """CRC-16/KERMIT: the same polynomial, with neither initial value nor final XOR."""
    return _crc16_ccitt(data, 0)
