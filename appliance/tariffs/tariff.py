"""A tariff: the dated prices of one supply. Its fields are those of its file, `tariff.schema.json`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from appliance.errors import UserError
from appliance.tariffs import rules
from appliance.tariffs.charges import KINDS, Charge, Dated
from appliance.tariffs.fields import Choice, Instant, ListOf, Number, OneOf, Text, Whole, by_name, stated

MOST_CHARGES = 5_000
_USUAL = {"water": "m3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff(Dated):
    """The dated prices of one supply, as a household has them or could have them."""

    supplier: str = field(metadata=stated(Text(120), "Who supplies it."))
    name: str = field(metadata=stated(Text(120), "What the supplier calls it."))
    code: str = field(default="", metadata=stated(Text(120), "The supplier's own code of it."))
    supply: str = field(metadata=stated(Choice("electricity", "gas", "heat", "water"), "What is supplied."))
    direction: str = field(
        default="import",
        metadata=stated(
            Choice("import", "export"),
            "Whether it is for what comes in or what goes out; of the latter prices are credits.",
        ),
    )
    zone: str = field(
        metadata=stated(Text(64), "The time zone of its days and times, such as Europe/Brussels, or UTC.")
    )
    clock: str = field(
        default="local",
        metadata=stated(
            Choice("local", "UTC"),
            "By which clock its times of day are (its days are the zone's): UTC for a meter that keeps to it.",
        ),
    )
    currency: str = field(metadata=stated(Text(3, "[A-Z]{3}", "EUR"), "The currency, by its ISO 4217 code."))
    per: str | None = field(
        default=None,
        metadata=stated(
            Choice("kWh", "m3"),
            "The unit of its prices: of gas either; of others the usual one, a kWh, and of water a m3.",
        ),
    )
    exit_fee: Decimal = field(
        default=Decimal(0), metadata=stated(Number(9, 10), "What leaving before the end costs, in the currency.")
    )
    notice_days: int = field(
        default=0, metadata=stated(Whole(0, 3660), "How many days before leaving the supplier must be told.")
    )
    learnt: datetime | None = field(default=None, metadata=stated(Instant(), "When we learnt these prices, in UTC."))
    charges: tuple[Charge, ...] = field(metadata=stated(ListOf(OneOf(KINDS), 1, MOST_CHARGES), "What is charged."))

    def __post_init__(self) -> None:
        """`UserError`, with every problem and its place, where the tariff makes no sense."""
        found: list[str] = []
        for name, each in by_name(Tariff).items():
            held, kind = getattr(self, each.name), each.metadata["kind"]
            if held is not None:
                kind.read(kind.write(held), name, found)
        if found := found or [*self._units(), *rules.problems(self.charges, self.zone, self.supply, self)]:
            raise UserError(found)

    @property
    def unit(self) -> str:
        """The unit of what is used."""
        return self.per or _USUAL.get(self.supply, "kWh")

    def _units(self) -> Iterator[str]:
        if self.per and self.supply != "gas" and self.per != _USUAL.get(self.supply, "kWh"):
            yield f"per: {self.supply} is not priced a {self.per}; remove it"
