"""What an OFX statement says before its rows: the bank, the account, the currency, and as of when."""

from dataclasses import dataclass, field

from appliance.records import Source


@dataclass(frozen=True, slots=True)
class Account:
    """What every record of a statement says alike."""

    source: Source
    number: str
    key: str
    currency: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Statement:
    """What stands before a statement's rows. `named` holds its account's elements, in lower case."""

    bank: str = ""
    currency: str = ""
    card: bool = False
    as_of: str = ""  # of an investment statement
    covered: tuple[str, ...] = ()  # the first and the last day that its rows are of
    named: dict[str, str] = field(default_factory=dict)

    def account(self) -> Account:
        fields = dict(self.named)
        number, code = fields.pop("acctid", ""), fields.get("bankid") or fields.get("brokerid", "")
        issuer, sort = self.bank or code, fields.get("accttype", "card" if self.card else "account").lower()
        return Account(
            source=Source(_joined(" ", issuer or "ofx", number), _joined(" ", issuer, sort, number)),
            number=number,
            key=number if self.card else _joined("/", code, number),
            currency=self.currency,
            fields=fields,
        )


def _joined(mark: str, *words: str) -> str:
    return mark.join(filter(None, words))
