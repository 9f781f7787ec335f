"""OBIS codes (IEC 62056-6-1) and M-Bus device types (EN 13757-3) -> role and unit; DSMR, SML and D0 share them.

A reduced id is written `A-B:C.D.E`: medium, channel, quantity, kind of value, tariff. What is not in the tables here is
no reading of ours: sags, swells, texts, switch states, thresholds of a limiter.
"""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a code measures: the role of its series, and the unit in which the series is kept."""

    role: str
    unit: str


TARIFFS = tuple(f".t{tariff}" for tariff in range(1, 10))
"""What a role's name ends in where its register counts one tariff alone: meters in Europe use four, and the streams of
Australian ones are numbered to nine.
"""


def _tariffs(code: str, role: str, unit: str = "kWh") -> dict[str, Quantity]:
    """A register over all tariffs, and one for each of the four that IEC 62056-61 meters in Europe use."""
    parts = {f"1-0:{code}.8.{tariff}": Quantity(f"{role}.t{tariff}", unit) for tariff in range(1, 5)}
    return {f"1-0:{code}.8.0": Quantity(role, unit)} | parts


def _quadrants() -> dict[str, Quantity]:
    """Reactive energy and power in each of the four quadrants (codes 5 to 8)."""
    energy = {f"1-0:{4 + each}.8.0": Quantity(f"electricity.reactive.q{each}", "kvarh") for each in range(1, 5)}
    power = {f"1-0:{4 + each}.7.0": Quantity(f"electricity.reactive.power.q{each}", "kvar") for each in range(1, 5)}
    return energy | power


def _phases(first: int, role: str, unit: str) -> dict[str, Quantity]:
    """The momentary value of each phase: the same quantity stands 20 further on for the next phase."""
    return {f"1-0:{first + 20 * phase}.7.0": Quantity(f"{role}.l{phase + 1}", unit) for phase in range(3)}


REGISTERS: dict[str, Quantity] = {
    **_tariffs("1", "electricity.import"),
    **_tariffs("2", "electricity.export"),
    "1-0:1.7.0": Quantity("electricity.power", "kW"),
    "1-0:2.7.0": Quantity("electricity.power.export", "kW"),
    **_phases(21, "electricity.power", "kW"),
    **_phases(22, "electricity.power.export", "kW"),
    **_phases(31, "electricity.current", "A"),
    **_phases(32, "electricity.voltage", "V"),
    "1-0:15.8.0": Quantity("electricity.absolute", "kWh"),  # in and out added up
    **_tariffs("3", "electricity.reactive.import", "kvarh"),
    **_tariffs("4", "electricity.reactive.export", "kvarh"),
    "1-0:3.7.0": Quantity("electricity.reactive.power", "kvar"),
    "1-0:4.7.0": Quantity("electricity.reactive.power.export", "kvar"),
    **_phases(23, "electricity.reactive.power", "kvar"),
    **_phases(24, "electricity.reactive.power.export", "kvar"),
    **_quadrants(),
    "1-0:13.7.0": Quantity("electricity.power_factor", ""),
    **_phases(33, "electricity.power_factor", ""),
    "1-0:14.7.0": Quantity("electricity.frequency", "Hz"),
    "1-0:1.4.0": Quantity("electricity.demand", "kW"),  # the average of the running quarter of an hour so far
    "1-0:2.4.0": Quantity("electricity.demand.export", "kW"),
}
"""Reduced id -> quantity, for what an electricity meter measures itself. A power factor has no unit."""

PEAKS: dict[str, Quantity] = {
    "1-0:1.6.0": Quantity("electricity.demand.month_peak", "kW"),
    "1-0:2.6.0": Quantity("electricity.demand.export.month_peak", "kW"),
}
"""Reduced id -> quantity, for the highest average of a quarter of an hour, with the time at which it was reached."""


def _both_ways(phase: str = "") -> tuple[Quantity, Quantity]:
    return Quantity(f"electricity.power{phase}", "kW"), Quantity(f"electricity.power.export{phase}", "kW")


SIGNED: dict[str, tuple[Quantity, Quantity]] = {
    "1-0:16.7.0": _both_ways(),
    **{f"1-0:{16 + 20 * phase}.7.0": _both_ways(f".l{phase}") for phase in (1, 2, 3)},
}
"""Reduced id -> what a positive value is and what a negative one is: one of both is always 0 (SML and D0)."""

OPPOSITES: dict[str, str] = {f"1-0:{1 + 20 * step}.7.0": f"1-0:{2 + 20 * step}.7.0" for step in range(4)}
"""Power in -> power out, in all and of each phase. A meter that has no id for power out may give negative power in."""

ABSOLUTE_POWER = "1-0:15.7.0"
"""Power without its direction, which stands elsewhere (SML of EDL meters)."""

HEAT = {"6.8": Quantity("heat", "GJ")}
"""Of heat meters, which give their ids by position alone (D0)."""

MBUS_DEVICES: dict[int, Quantity] = {
    2: Quantity("electricity.slave", "kWh"),  # a second electricity meter, of solar panels for example
    3: Quantity("gas", "m3"),
    4: Quantity("heat", "GJ"),  # measured in the outlet
    6: Quantity("water.hot", "m3"),
    7: Quantity("water", "m3"),
    10: Quantity("cooling", "GJ"),  # measured in the outlet
    11: Quantity("cooling", "GJ"),  # measured in the inlet
    12: Quantity("heat", "GJ"),  # measured in the inlet
    13: Quantity("heat", "GJ"),  # a combined meter of heat and cold
    21: Quantity("water.hot", "m3"),  # of 90 degrees and more
    22: Quantity("water", "m3"),  # stated to be cold
}
"""M-Bus device type (`0-n:24.1.0`) -> quantity, for the meters that an electricity meter reads for others."""

_FACTORS: dict[tuple[str, str], Decimal] = {
    ("Wh", "kWh"): Decimal("0.001"),
    ("MWh", "kWh"): Decimal(1000),
    ("W", "kW"): Decimal("0.001"),
    ("var", "kvar"): Decimal("0.001"),
    ("varh", "kvarh"): Decimal("0.001"),
    ("kVAr", "kvar"): Decimal(1),
    ("kVArh", "kvarh"): Decimal(1),
    ("MJ", "GJ"): Decimal("0.001"),
    ("kWh", "GJ"): Decimal("0.0036"),
    ("MWh", "GJ"): Decimal("3.6"),
    ("dm3", "m3"): Decimal("0.001"),
    ("l", "m3"): Decimal("0.001"),
}

_MOST: dict[str, Decimal] = {
    "kWh": Decimal(10**8),
    "kW": Decimal(1000),
    "V": Decimal(1000),
    "A": Decimal(2000),
    "m3": Decimal(10**8),
    "GJ": Decimal(10**7),
    "L": Decimal(10**11),
    "m3/h": Decimal(1000),
    "Hz": Decimal(1000),
    "°C": Decimal(1000),
    "K": Decimal(1000),
    "kvarh": Decimal(10**8),
    "kvar": Decimal(1000),
    "": Decimal(1),  # a power factor
    "%": Decimal(100),  # of humidity
    "hPa": Decimal(1100),
}
"""The most that a household's meter can show: a value beyond is a fault of the meter or of the line."""

MOST_AN_HOUR: dict[str, Decimal] = {
    "kWh": Decimal(100),  # three phases of 80 A have 55 kW
    "kvarh": Decimal(100),
    "m3": Decimal(40),  # a G25 gas meter
    "GJ": Decimal(1),
    "MJ": Decimal(1000),
    "therm": Decimal(15),
    "L": Decimal(20_000),
}
"""The most that a household uses in an hour."""

_LEAST: dict[str, Decimal] = {"°C": Decimal(-100), "K": Decimal(-1000), "hPa": Decimal(300)}
"""The least, where it is not 0."""


def in_unit(value: Decimal, stated: str, unit: str) -> Decimal | None:
    """`value`, stated in the unit `stated`, in `unit` and exact; None where the two measure different things."""
    if stated == unit:
        return value
    factor = _FACTORS.get((stated, unit))
    return None if factor is None else value * factor


def most(unit: str) -> Decimal:
    """The most that a household's meter can show; as many digits for a unit that is not known here."""
    return _MOST.get(unit, Decimal(10**8))


def plausible(value: Decimal, unit: str) -> bool:
    """Whether a household's meter can show `value`: finite, not absurdly large, negative only as a temperature."""
    return value.is_finite() and _LEAST.get(unit, Decimal(0)) <= value <= _MOST[unit]
