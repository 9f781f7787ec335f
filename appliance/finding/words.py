"""What was heard, in plain words: of which device, and what it says now."""

from collections.abc import Iterable
from decimal import Decimal

from appliance import meters
from appliance.records import MeterReading

_NOW = (
    ("electricity.power", "it draws {} now"),
    ("electricity.power.export", "it feeds {} into the grid now"),
    ("solar.power", "it makes {} now"),
    ("plug.power", "it draws {} now"),
    ("electricity.import", "it has counted {}"),
    ("electricity.import.t1", "it has counted {} at tariff 1"),
    ("electricity.export", "it has counted {} given"),
    ("solar.energy", "it has counted {}"),
    ("plug.energy", "it has counted {}"),
    ("heat", "it has counted {} of heat"),
    ("gas", "it has counted {} of gas"),
    ("water", "it has counted {} of water"),
    ("temperature", "it says {} now"),
)
"""Role -> how its value is said; the first that is there says what a person can compare with the meter's display."""

SHOWN_LETTERS = 64
_FINEST = {"kW": Decimal("0.01"), "kWh": Decimal("0.1"), "m3": Decimal("0.001"), "V": Decimal(1), "A": Decimal("0.1")}
_UNITS = {"m3": "m³", "degC": "°C"}
_NO_POWER = {
    "sml": (
        "It does not say how much is used at the moment: many meters do so only once their PIN was entered, "
        "which the grid operator gives on request."
    )
}
_ENCRYPTED = {"dsmr": "P1 meter"}
_MODEL = {"modbus": "It does not say its model: compare what it counts here with its display before you rely on it."}


def title(meter: str, where: str, device: str, readings: Iterable[MeterReading]) -> str:
    """As in: A smart meter (DSMR P1) on the USB cable FTDI FT232R: number E0043, it draws 0.45 kW now."""
    known = {each.role: each for each in readings}
    said = [f"number {plain(device)}"] if plain(device) else []
    said += [_say(words, _named(known, role)) for role, words in _NOW if _named(known, role)][:1]
    called = meters.called(meter)
    return f"{called[:1].upper()}{called[1:]} {where}" + (f": {', '.join(said)}" if said else "")


NO_KEY = "Type the key that your grid operator sent you."
WRONG_KEY = "This key does not open what the meter says: compare it with the operator’s letter, and type it again."


def encrypted(meter: str, where: str) -> str:
    """As in: An encrypted P1 meter on the USB cable FTDI FT232R."""
    return f"An encrypted {_ENCRYPTED.get(meter, 'meter')} {where}"


def plain(text: str) -> str:
    """What a device says of itself, as it can be shown anywhere: printable, and not too long."""
    return "".join(each for each in text if each.isprintable())[:SHOWN_LETTERS].strip()


def hint(meter: str, readings: Iterable[MeterReading]) -> str:
    """What a person should know of a meter that says only this; "" where there is nothing."""
    if meter in _NO_POWER and not any(".power" in each.role for each in readings):
        return _NO_POWER[meter]
    return _MODEL.get(meter, "")


def _named(known: dict[str, MeterReading], role: str) -> MeterReading | None:
    """The reading of a role, or of one that has the device's name within: plug.lamp.power is a plug.power."""
    first, _, rest = role.partition(".")
    same = (each for name, each in known.items() if name.startswith(f"{first}.") and name.endswith(f".{rest}"))
    found = known.get(role) or (next(same, None) if first in ("plug", "solar") and rest else None)
    return found if found and (found.value or "power" not in role) else None


def _say(words: str, reading: MeterReading | None) -> str:
    if reading is None:
        return ""
    return words.format(value(reading))


def value(reading: MeterReading) -> str:
    """As in 0.45 kW or 12345.6 kWh: as fine as a meter's display."""
    finest = _FINEST.get(reading.unit)
    number = reading.value.quantize(finest) if finest else reading.value
    return f"{number:f} {_UNITS.get(reading.unit, reading.unit)}".rstrip()
