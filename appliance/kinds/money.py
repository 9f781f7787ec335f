"""Money: accounts at banks and card companies, what moved on them, and what stood on them on a day."""

from appliance.kinds import AmountIs, Field, FieldType, Kind

ACCOUNT = Kind(
    name="money.account",
    title="Account",
    dpv="pd:BankAccount",
    schema_org="BankAccount",
    columns={
        "title": "What I call it",
        "at": "Opened on",
        "party": "Bank",
        "account": "Account number",
        "unit": "Currency",
        "memo": "Notes",
    },
    needs=("title",),
    fields={
        "type": Field(
            "Type",
            FieldType.CHOICE,
            choices=("current", "savings", "card", "loan", "mortgage", "investment", "pension", "cash", "other"),
            schema_org="bankAccountType",
        ),
        "bank_code": Field("Sort code or bank code", dpv="pd:AccountIdentifier"),
        "iban": Field("IBAN", dpv="pd:FinancialAccountNumber"),
        "bic": Field("BIC", help="The bank’s own code, of 8 or 11 characters."),
        "overdraft": Field("Agreed overdraft", FieldType.DECIMAL, schema_org="accountOverdraftLimit"),
        "interest": Field("Interest a year", FieldType.DECIMAL, unit="%", schema_org="interestRate"),
        "closed": Field("Closed on", FieldType.DAY),
    },
)

TRANSACTION = Kind(
    name="money.transaction",
    title="Transaction",
    dpv="pd:Transactional",
    schema_org="MoneyTransfer",
    amount_is=AmountIs.MOVED,
    columns={
        "title": "What",
        "at": "Date",
        "party": "Paid to or by",
        "account": "Account",
        "amount": "Amount (− if paid out)",
        "unit": "Currency",
        "memo": "Reference and notes",
    },
    needs=("at", "amount"),
    fields={  # by their names in OFX, lower-case, and kept as the bank wrote them
        "accttype": Field("Account type", asked=False),
        "bankacctto.acctid": Field("To account", dpv="pd:AccountIdentifier", schema_org="toLocation", asked=False),
        "bankacctto.accttype": Field("To account type", asked=False),
        "bankacctto.bankid": Field("To bank", schema_org="beneficiaryBank", asked=False),
        "bankid": Field("Bank", asked=False),
        "brokerid": Field("Broker", asked=False),
        "checknum": Field("Cheque number"),
        "currency.currate": Field("Exchange rate", asked=False),
        "currency.cursym": Field("Stated in", asked=False),
        "dtavail": Field("Available on", asked=False),
        "dtuser": Field("Made on", asked=False),
        "origcurrency.currate": Field("Exchange rate", asked=False),
        "origcurrency.cursym": Field("Originally in", asked=False),
        "payee.addr1": Field("Payee’s address", asked=False),
        "payee.city": Field("Payee’s town", asked=False),
        "payee.name": Field("Payee", asked=False),
        "refnum": Field("Reference", schema_org="identifier", asked=False),
        "sic": Field("Industry code", asked=False),
        "trntype": Field("Type", asked=False),
    },
)

BALANCE = Kind(
    name="money.balance",
    title="Balance",
    dpv="pd:FinancialAccount",
    schema_org="MonetaryAmount",
    counted=False,
    columns={"at": "As of", "party": "Bank", "account": "Account", "amount": "Balance", "unit": "Currency"},
    needs=("at", "account", "amount"),
    fields={
        "type": Field(
            "Type",
            FieldType.CHOICE,
            choices=("ledger", "available", "opening", "closing", "interim", "forward"),
            help="Ledger is what is booked; available is what can be spent.",
        ),
    },
)

HOLDING = Kind(
    name="money.holding",
    title="Holding",
    dpv="pd:Ownership",
    schema_org="OwnershipInfo",
    columns={
        "at": "As of",
        "party": "Held at",
        "account": "Account",
        "amount": "Value",
        "unit": "Currency",
        "memo": "Notes",
    },
    needs=("at",),
    fields={
        "security": Field("Share, fund or bond", required=True, schema_org="typeOfGood"),
        "isin": Field("ISIN", help="The security’s own code, of 12 characters."),
        "units": Field("How many", FieldType.DECIMAL),
        "price": Field("Price of one", FieldType.DECIMAL),
    },
)

KINDS = (ACCOUNT, TRANSACTION, BALANCE, HOLDING)
