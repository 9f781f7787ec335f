"""What the meter of a simulated house has counted, in exact integers: energy in mJ (W x ms), gas in mm3."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from appliance.house.model import MINUTE_MS, House

MJ_PER_WH = 3_600_000
MM3_PER_LITRE = 1_000_000


@dataclass(frozen=True, slots=True)
class Registers:
    """What the meter has counted since it was put in: energy by tariff in mJ (1 Wh = 3,600,000 mJ), gas in mm3."""

    import_t1_mj: int = 0
    import_t2_mj: int = 0
    export_t1_mj: int = 0
    export_t2_mj: int = 0
    gas_mm3: int = 0

    @classmethod
    def of(
        cls,
        import_t1_kwh: Decimal = Decimal(0),
        import_t2_kwh: Decimal = Decimal(0),
        export_t1_kwh: Decimal = Decimal(0),
        export_t2_kwh: Decimal = Decimal(0),
        gas_m3: Decimal = Decimal(0),
    ) -> "Registers":
        """Registers that show these numbers."""
        import_t1, import_t2, export_t1, export_t2 = (
            int(kwh * 1000 * MJ_PER_WH) for kwh in (import_t1_kwh, import_t2_kwh, export_t1_kwh, export_t2_kwh)
        )
        return cls(import_t1, import_t2, export_t1, export_t2, int(gas_m3 * 1000 * MM3_PER_LITRE))

    @property
    def import_t1_wh(self) -> int:
        return self.import_t1_mj // MJ_PER_WH

    @property
    def import_t2_wh(self) -> int:
        return self.import_t2_mj // MJ_PER_WH

    @property
    def export_t1_wh(self) -> int:
        return self.export_t1_mj // MJ_PER_WH

    @property
    def export_t2_wh(self) -> int:
        return self.export_t2_mj // MJ_PER_WH

    @property
    def gas_litres(self) -> int:
        return self.gas_mm3 // MM3_PER_LITRE


def advance(house: House, registers: Registers, from_ms: int, to_ms: int) -> Registers:
    """The registers at `to_ms` of a meter that showed `registers` at `from_ms`; never lower, whatever the times.

    Cut anywhere, the parts add up to the whole exactly.
    """
    taken, given, gas_mm3 = [0, 0], [0, 0], registers.gas_mm3
    at_ms = from_ms
    while at_ms < to_ms:
        until_ms = min(at_ms - at_ms % MINUTE_MS + MINUTE_MS, to_ms)
        net_w, gas_mm3_ms, low = house.minute(at_ms)
        (taken if net_w > 0 else given)[0 if low else 1] += abs(net_w) * (until_ms - at_ms)
        gas_mm3 += gas_mm3_ms * (until_ms - at_ms)
        at_ms = until_ms
    return Registers(
        registers.import_t1_mj + taken[0],
        registers.import_t2_mj + taken[1],
        registers.export_t1_mj + given[0],
        registers.export_t2_mj + given[1],
        gas_mm3,
    )


def history(
    house: House, registers: Registers, from_ms: int, to_ms: int, step_s: int = 60
) -> Iterator[tuple[int, Registers, int, int]]:
    """`(at_ms, registers then, import_w, export_w)` every `step_s` from `from_ms`, where `registers` held, to `to_ms`
    exclusive."""
    for at_ms in range(from_ms, to_ms, step_s * 1000):
        if at_ms > from_ms:
            registers = advance(house, registers, at_ms - step_s * 1000, at_ms)
        yield at_ms, registers, *house.power_w(at_ms)
