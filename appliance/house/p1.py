"""The telegram of a simulated house's meter (DSMR 5, P1 Companion Standard 5.0.2, sections 6.2 and 6.12)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from appliance.crc import crc16_arc
from appliance.house.model import House
from appliance.house.registers import Registers, advance

GAS_STAMP_MS = 300_000
"""A DSMR 5 meter reads its gas meter every five minutes."""


def telegram(house: House, registers: Registers, at_ms: int) -> bytes:
    """What a DSMR 5 meter of the house would say at `at_ms`, when it shows `registers` (P1 5.0.2, section 6.12)."""
    gas_at_ms = at_ms - at_ms % GAS_STAMP_MS
    # The gas of that moment, so that all telegrams with one stamp agree.
    gas_since = advance(house, Registers(), gas_at_ms, at_ms).gas_mm3
    gas = replace(registers, gas_mm3=max(0, registers.gas_mm3 - gas_since))
    lines = [
        "/SIM5\\INGLENOOK",
        "",
        "1-3:0.2.8(50)",
        f"0-0:1.0.0({_stamp(at_ms, house.zone)})",
        f"0-0:96.1.1({house.serial.encode().hex().upper()})",
        f"1-0:1.8.1({_thousandths(registers.import_t1_wh, 10)}*kWh)",
        f"1-0:1.8.2({_thousandths(registers.import_t2_wh, 10)}*kWh)",
        f"1-0:2.8.1({_thousandths(registers.export_t1_wh, 10)}*kWh)",
        f"1-0:2.8.2({_thousandths(registers.export_t2_wh, 10)}*kWh)",
        f"0-0:96.14.0({'0001' if house.minute(at_ms)[2] else '0002'})",
        *_momentary(house.phases_w(at_ms), house.volts(at_ms)),
        "0-1:24.1.0(003)",
        f"0-1:96.1.0({('GAS' + house.serial).encode().hex().upper()})",
        f"0-1:24.2.1({_stamp(gas_at_ms, house.zone)})({_thousandths(gas.gas_litres, 9)}*m3)",
        "!",
    ]
    text = "\r\n".join(lines).encode()
    return text + f"{crc16_arc(text):04X}\r\n".encode()


def _momentary(phases_w: tuple[int, int, int], volts: tuple[float, float, float]) -> Iterator[str]:
    """The lines of power, voltage and current."""
    net_w = sum(phases_w)
    yield f"1-0:1.7.0({_thousandths(max(net_w, 0), 6)}*kW)"
    yield f"1-0:2.7.0({_thousandths(max(-net_w, 0), 6)}*kW)"
    yield from (f"1-0:{32 + 20 * phase}.7.0({volts[phase]:05.1f}*V)" for phase in range(3))
    yield from (f"1-0:{31 + 20 * phase}.7.0({round(abs(phases_w[phase]) / volts[phase]):03d}*A)" for phase in range(3))
    yield from (f"1-0:{21 + 20 * phase}.7.0({_thousandths(max(phases_w[phase], 0), 6)}*kW)" for phase in range(3))
    yield from (f"1-0:{22 + 20 * phase}.7.0({_thousandths(max(-phases_w[phase], 0), 6)}*kW)" for phase in range(3))


def _thousandths(thousandths: int, width: int) -> str:
    """The number with three decimals, filled with zeros to `width` characters."""
    return f"{thousandths // 1000}.{thousandths % 1000:03d}".zfill(width)


def _stamp(at_ms: int, zone: ZoneInfo) -> str:
    """Local `YYMMDDhhmmss`, and S while the zone's clocks are ahead of its winter time, else W."""
    local = datetime.fromtimestamp(at_ms // 1000, zone)
    winter = min(local.replace(month=month, day=1, hour=12, fold=0).utcoffset() or timedelta(0) for month in (1, 7))
    return f"{local:%y%m%d%H%M%S}{'S' if (local.utcoffset() or timedelta(0)) > winter else 'W'}"
