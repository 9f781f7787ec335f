"""What a comparison says: every tariff with what the own year would cost on it, ranked, and on what that stands."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from appliance.supplies import Supply


@dataclass(frozen=True, slots=True)
class Line:
    """What one band of one charge comes to in the year; a credit is negative."""

    name: str
    band: str
    quantity: Decimal
    unit: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Offer:
    """A tariff, and what the year costs on it. `yearly` is as likely, [low, high] how far it may be off (all the same
    where the whole year was read). `saving` is that of the first year, against staying as it is now, None where it is
    not known what that costs; an offer that costs more has one below nought.
    """

    fact: int
    supplier: str
    name: str
    code: str
    is_current: bool
    yearly: Decimal
    low: Decimal
    high: Decimal
    exit_fee: Decimal  # once, for leaving what is agreed now
    saving: Decimal | None
    saving_low: Decimal | None
    saving_high: Decimal | None
    lines: tuple[Line, ...] = field(repr=False)
    remarks: tuple[str, ...] = ()

    @property
    def first_year(self) -> Decimal:
        """What the first year costs, with what leaving costs."""
        return self.yearly + self.exit_fee

    @property
    def saving_later(self) -> Decimal | None:
        """What each year after the first saves."""
        return None if self.saving is None else self.saving + self.exit_fee


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A tariff that cannot be compared, and why."""

    fact: int
    supplier: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A supply's last year under every tariff that is known for it, cheapest first year first.

    `on` is the day whose prices are taken. `staying` is what is agreed now, with nothing else changed; None where that
    is not known. `assumptions` are sentences for a person; `what_if` says what is supposed besides, "" where it is
    nothing. `is_rough`: too little was read to advise anybody.
    """

    supply: Supply
    on: date
    first_day: date
    last_day: date
    days: int
    days_read: int
    used: Decimal
    currency: str
    staying: Offer | None
    offers: tuple[Offer, ...]
    left_out: tuple[LeftOut, ...]
    assumptions: tuple[str, ...]
    is_rough: bool
    what_if: str = ""

    @property
    def best(self) -> Offer | None:
        """The cheapest tariff that is not the one agreed now."""
        return next((each for each in self.offers if not each.is_current), None)
