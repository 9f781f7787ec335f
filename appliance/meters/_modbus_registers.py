"""Modbus registers: the map of a device, the questions that read it, and exact values out of what it answers.

A map is a file in `_modbus_maps/`, whose name is the device's in the configuration:

    title = "Eastron SDM630"
    origin = "..."            # the document it was read from
    function = 4              # 3: holding registers, 4: input registers
    most_registers = 60       # that one question may ask for
    gap = 16                  # registers of no interest that may be read along, to ask less often
    low_word_first = false    # of values over several registers
    number = {function = 3, address = 0xFC00, type = "uint32"}      # where the device's own number is, if anywhere

    [[registers]]
    address = 0x0034          # as on the wire, from 0 on
    type = "float32"          # or int16, uint16, int32, uint32, int64, uint64
    role = "electricity.power"
    unit = "kW"
    scale = "0.001"           # from what the device states to the unit
    decimals = 4              # of the value in the unit; left out: as many as an integer has by its scale
    reverse = "electricity.power.export"    # what a negative value is, and else 0
    unsigned = true           # or: the sign says the direction, which `reverse` of another register tells already

A float32 is read as the decimal that the device meant (`_float32`). A series keeps one number of decimals, so a value
is rounded to `decimals`, beyond which the device measures nothing.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from appliance.errors import UserError
from appliance.meters._float32 import shortest

MAPS = Path(__file__).with_name("_modbus_maps")

_INTEGERS = {"int16": 1, "uint16": 1, "int32": 2, "uint32": 2, "int64": 4, "uint64": 4}
_WORDS = {"float32": 2, **_INTEGERS}
_LARGEST = 15  # power of ten: larger than any counter, and small enough for Decimal to round


@dataclass(frozen=True, slots=True)
class Register:
    """One value of a device; see the module's docstring."""

    address: int
    type: str
    role: str
    unit: str
    scale: Decimal = Decimal(1)
    decimals: int | None = None
    reverse: str = ""
    unsigned: bool = False

    @property
    def words(self) -> int:
        return _WORDS[self.type]

    def value(self, data: bytes) -> Decimal | None:
        """What the register's bytes, high word first, say in its unit; None for what no device means."""
        if self.type == "float32":
            stated = shortest(data)
        else:
            stated = Decimal(int.from_bytes(data, "big", signed=self.type.startswith("int")))
        if stated is None or stated.adjusted() > _LARGEST:
            return None
        value = abs(stated * self.scale) if self.unsigned else stated * self.scale
        rounded = value if self.decimals is None else round(value, self.decimals)
        return rounded + 0  # no -0.00

    def readings(self, value: Decimal) -> Iterator[tuple[str, Decimal]]:
        """The roles of a value, none of them negative where `reverse` names what a negative one is."""
        if not self.reverse:
            yield self.role, value
            return
        nothing = value - value  # with the same decimals
        yield self.role, max(value, nothing)
        yield self.reverse, max(-value, nothing)


@dataclass(frozen=True, slots=True)
class Block:
    """Registers that one question reads."""

    function: int
    address: int
    count: int
    registers: tuple[Register, ...]
    low_word_first: bool = False

    def bytes_of(self, register: Register, data: bytes) -> bytes:
        """A register's bytes in those of the block, high word first."""
        at = 2 * (register.address - self.address)
        words = [data[at + 2 * word : at + 2 * word + 2] for word in range(register.words)]
        return b"".join(reversed(words) if self.low_word_first else words)


@dataclass(frozen=True, slots=True)
class Device:
    """A device's map, as blocks to be asked for in turn. `number` is the block of one register, its own number."""

    title: str
    blocks: tuple[Block, ...]
    number: Block | None


def devices() -> list[str]:
    """The devices that have a map, sorted."""
    return sorted(path.stem for path in MAPS.glob("*.toml"))


def device(name: str) -> Device:
    """The map of that device; UserError, naming those that exist, where there is none."""
    if name not in devices():
        raise UserError(f"device: no map is called {name!r}; there are {', '.join(devices())}")
    stated = tomllib.loads((MAPS / f"{name}.toml").read_text(encoding="utf-8"))
    registers = [_register(each) for each in stated["registers"]]
    groups = _groups(sorted(registers, key=lambda each: each.address), stated["gap"], stated["most_registers"])
    low_word_first = stated.get("low_word_first", False)
    blocks = tuple(_block(stated["function"], group, low_word_first) for group in groups)
    return Device(stated["title"], blocks, _number(stated.get("number"), low_word_first))


def _register(stated: dict[str, object]) -> Register:
    return Register(**stated | {"scale": Decimal(str(stated.get("scale", 1)))})  # type: ignore[arg-type]


def _number(stated: dict[str, Any] | None, low_word_first: bool) -> Block | None:
    if stated is None:
        return None
    return _block(stated["function"], [Register(stated["address"], stated["type"], "", "")], low_word_first)


def _groups(registers: list[Register], gap: int, most: int) -> list[list[Register]]:
    """Registers in their order, together where one question may read them."""
    groups: list[list[Register]] = []
    for register in registers:
        last = groups[-1] if groups else []
        fits = last and register.address + register.words - last[0].address <= most
        if fits and register.address - (last[-1].address + last[-1].words) <= gap:
            last.append(register)
        else:
            groups.append([register])
    return groups


def _block(function: int, group: list[Register], low_word_first: bool) -> Block:
    first, end = group[0].address, max(each.address + each.words for each in group)
    return Block(function, first, end - first, tuple(group), low_word_first)
