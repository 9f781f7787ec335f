"""The data block of IEC 62056-21: data sets, what they measure, and whose they are (section 6.6).

C.1.0(13647123)                (1) the meter's own number
1.8.1(042951.721*kWh)          (2) id, value, unit; the id in full is `1-0:1.8.1*255`
1.8.1*01(041000.000*kWh)       (3) of an earlier period: no reading
6.8(0074900*kWh)6.26(04142.48*m3)     (4) a line may hold several
F.F(00)                        (5) errors
"""

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from appliance.meters._registers import Stated, readings
from appliance.obis import HEAT, REGISTERS, SIGNED
from appliance.records import Frame

_SET = re.compile(r"([0-9A-Za-z.:,*&-]{0,24}) ?((?:!?\([ -'*-~]*\))+)")
_SETS = re.compile(f"(?:{_SET.pattern})+")
_ID = re.compile(r"(?:([0-9]+)-[0-9]+:)?([0-9]+)\.([0-9]+)(?:\.([0-9]+))?(?:[*&]([0-9]+))?")
_VALUE = re.compile(r"\((-?)([0-9]{1,12}(?:\.[0-9]{1,8})?)\*([A-Za-z0-9]{1,5})\)")
_QUANTITIES = REGISTERS | HEAT
_POWERS = ("W", "kW", "var", "kvar", "V", "A", "Hz")

_DEVICE_IDS = ("C.1.0", "96.1.255", "96.1.0", "0.0.0", "C.1", "9.21", "0.0")
"""Where meters state their own number, the surest first."""


@dataclass(frozen=True, slots=True)
class Block:
    """The data sets of a block: (id, values with their brackets), and whether all of it was such."""

    sets: tuple[tuple[str, str], ...]
    sound: bool

    @property
    def each_once(self) -> bool:
        ids = [name for name, _ in self.sets]
        return len(ids) == len(set(ids))

    @property
    def shape(self) -> tuple[tuple[str, str], ...]:
        """Ids, and how many digits their registers have: what stays from one telegram of a meter to the next."""
        return tuple((name, _digits(values)) for name, values in self.sets)

    def frame(self, header: str, now_ms: int) -> tuple[Frame | None, bool]:
        """The frame, if it has any reading; and whether a value was refused. `header`: a meter's without a number."""
        stated, odd = [], 0
        codes = Counter(_code(name) for name, _ in self.sets)
        for name, values in self.sets:
            if (code := _code(name)) and codes[code] > 1:  # nobody knows which of them is meant
                odd += 1
            elif code:
                match = _VALUE.fullmatch(values)
                odd += match is None and values.strip("( )") != ""
                stated += [Stated(code, Decimal(match[1] + match[2]), match[3], now_ms)] if match else []
        found, refused = readings(stated, _QUANTITIES)
        return Frame(self._device() or header, tuple(found)) if found else None, bool(odd or refused)

    def _device(self) -> str:
        numbers = {name.rpartition(":")[2].removesuffix("*255"): values for name, values in self.sets}
        stated = (numbers.get(name, "").partition(")")[0].strip("( ") for name in _DEVICE_IDS)
        return next(filter(None, stated), "")


def block(lines: list[str]) -> Block:
    """The data sets of these lines, of which some may be empty."""
    said = [line.strip() for line in lines if line.strip()]
    good = [line for line in said if _SETS.fullmatch(line)]
    return Block(tuple((each[1], each[2]) for line in good for each in _SET.finditer(line)), len(good) == len(said))


def _code(name: str) -> str:
    """The reduced id `1-0:C.D.E` of a current value that may be a reading; "" of any other.

    Without a medium it is electricity's, or heat's where an id has two parts. EasyMeter writes 1.7.255 for 1.7.0.
    """
    match = _ID.fullmatch(name)
    if match is None or match[5] not in (None, "255") or match[1] not in (None, "1"):
        return ""
    short = f"{match[2]}.{match[3]}"
    if match[1] is None and match[4] is None and short in HEAT:
        return short
    code = f"1-0:{short}.{0 if match[4] in (None, '255') else int(match[4])}"
    return code if code in REGISTERS or code in SIGNED else ""


def _digits(values: str) -> str:
    """A register's digits as zeros; of what is no register, nothing."""
    match = _VALUE.fullmatch(values)
    return re.sub("[0-9]", "0", match[2]) if match and match[3] not in _POWERS else ""
