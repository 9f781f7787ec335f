"""What a person typed into a tariff's form: numbers with their coins, days and words, each problem at its field."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from appliance.kinds import FieldsError

SMALL_COINS = {"EUR": "ct", "GBP": "p", "USD": "ct", "CHF": "Rp", "AUD": "c", "CAD": "c", "NZD": "c"}
LIKELY_UNIT_PRICE, LIKELY_A_DAY = Decimal(3), Decimal(10)
"""In a currency of SMALL_COINS, what is beyond was most likely meant in those."""

LIKELY_OF_GAS = Decimal("0.4")
CUBIC_METRE = "m³"
OF_A_CUBIC_METRE = "is more than a kWh of gas costs; where it is the price of a cubic metre, say so above"
MARKED = "Something is missing or not right: see the fields that are marked."
_NUMBER = re.compile(r"(-?)(\d{1,9}(?:[.,]\d{1,10})?)(?: ?(p|ct|c|cents?|rp))?", re.ASCII | re.IGNORECASE)
_NEEDED = "is needed"
_NO_NUMBER = "is no number; write it in figures, such as 0.2734"


@dataclass
class Reading:
    """What was typed, and what is wrong of it by the name of its field."""

    said: Mapping[str, str]
    currency: str
    supply: str = ""
    wrong: dict[str, str] = field(default_factory=dict)

    @property
    def per(self) -> str:
        """The unit of the prices of gas."""
        return "m3" if self.said.get("per") == CUBIC_METRE else "kWh"

    def text(self, name: str) -> str:
        found = " ".join(self.said.get(name, "").split())
        if not found:
            self.wrong[name] = _NEEDED
        return found

    def number(self, name: str, *, needed: bool = False, most: Decimal | None = None) -> str:
        """A number in whole units of the currency, "" where none is stated; 24.1p, or 24.1 ct, is 0.241."""
        text = self.said.get(name, "").strip()
        if not text:
            if needed:
                self.wrong[name] = _NEEDED
            return ""
        found = _NUMBER.fullmatch(text.strip("€£$ "))
        if not found:
            self.wrong[name] = _NO_NUMBER
            return ""
        sign, digits, coin = found.groups()
        value = Decimal(sign + digits.replace(",", ".")).scaleb(-2 if coin else 0)
        if most is not None and abs(value) > most and self.currency in SMALL_COINS:
            self.wrong[name] = (
                f"{text} {self.currency} is more than anybody pays; where it is a hundredth of that, write "
                f"{digits}{SMALL_COINS[self.currency]}"
            )
        return format(value, "f")

    def unit_price(self, name: str, *, needed: bool = False) -> str:
        """The price of a kWh, or of a cubic metre of water. That of a cubic metre of gas is told from a kWh's."""
        found = self.number(name, needed=needed, most=LIKELY_UNIT_PRICE)
        is_of_gas = self.supply == "gas" and self.per == "kWh"
        if is_of_gas and found and abs(Decimal(found)) > LIKELY_OF_GAS and name not in self.wrong:
            self.wrong[name] = OF_A_CUBIC_METRE
        return found

    def day(self, name: str, *, needed: bool = False) -> str:
        text = self.said.get(name, "").strip()
        if not text and not needed:
            return ""
        try:
            found = date.fromisoformat(text)
        except ValueError:
            self.wrong[name] = "is no day; write one such as 2025-03-31" if text else _NEEDED
            return ""
        if not 1900 <= found.year <= 2199:
            self.wrong[name] = "lies between 1900 and 2199"
        return found.isoformat()

    def refuse(self) -> None:
        """FieldsError where anything is wrong."""
        if self.wrong:
            raise FieldsError(self.wrong, [MARKED])
