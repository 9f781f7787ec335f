"""Single-precision floats (IEEE 754 binary32) as the decimals that a device meant by them.

A float32 stands for the shortest decimal that makes the same float32: 1234.56, and not 1234.56005859375, which is what
it is in full. From 131,072 on its steps are wider than a hundredth, whoever reads it.
"""

import struct
from decimal import Decimal

_DIGITS = 9  # that tell every float32 from every other


def shortest(data: bytes) -> Decimal | None:
    """The shortest decimal that is this big-endian float32 and no other; None for infinity and what is no number."""
    number: float = struct.unpack(">f", data)[0]
    if data[0] & 0x7F == 0x7F and data[1] & 0x80:  # the exponent of infinities and of NaN
        return None
    texts = (f"{number:.{digits}g}" for digits in range(1, _DIGITS))
    found = next((text for text in texts if _same(text, number)), f"{number:.{_DIGITS}g}")
    return Decimal(found)


def _same(text: str, number: float) -> bool:
    try:
        return bool(struct.unpack(">f", struct.pack(">f", float(text)))[0] == number)
    except OverflowError:  # rounded up beyond the largest float32
        return False
