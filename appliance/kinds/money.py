"""Money: accounts at banks and card companies, what moved on them, and what stood on them on a day."""

from appliance.kinds import AmountIs, Column, Field, FieldType, Kind

ACCOUNT = Kind(
    name="money.account",
    title="Account",
    dpv="pd:BankAccount",
    schema_org="BankAccount",
    columns={
        "title": Column("What I call it", "name"),
        "at": Column("Opened on"),
        "party": Column("Bank", "provider"),
        "account": Column("Account number", "identifier"),
        "unit": Column("Currency"),
        "memo": Column("Notes", "description"),
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
        "title": Column("What", "name"),
        "at": Column("Date", "startTime"),
        "party": Column("Paid to or by", "participant"),
        "account": Column("Account", "fromLocation"),
        "amount": Column("Amount (− if paid out)", "amount"),
        "unit": Column("Currency"),
        "memo": Column("Reference and notes", "description"),
    },
    needs=("at", "amount"),
    fields={  # first what only SEPA's statements say; then by their names in OFX, lower-case; as the bank wrote them
        "eref": Field("Reference of who paid", asked=False),
        "mref": Field("Mandate", asked=False),
        "creditor_id": Field("Their identifier", dpv="pd:Identifier", asked=False),
        "ultimate": Field("In the name of", asked=False),
        "purpose": Field("Purpose code", asked=False),
        "parts": Field("Payments in it", FieldType.LINES, asked=False),
        "payments": Field("How many payments", asked=False),
        "charges": Field("Charges in it", asked=False),
        "interest": Field("Interest in it", asked=False),
        "reversal": Field("Taken back", FieldType.YES_NO, asked=False),
        "return_reason": Field("Why it was returned", asked=False),
        "origcurrency.amount": Field("Originally", asked=False),
        "accttype": Field("Account type", asked=False),
        "bankacctto.acctid": Field("To account", dpv="pd:AccountIdentifier", schema_org="toLocation", asked=False),
        "bankacctto.accttype": Field("To account type", asked=False),
        "bankacctto.bankid": Field("To bank", schema_org="beneficiaryBank", asked=False),
        "bankid": Field("Bank", asked=False),
        "brokerid": Field("Broker", asked=False),
        "category": Field("Category, as the bank has it", asked=False),
        "checknum": Field("Cheque number"),
        "currency.currate": Field("Exchange rate", asked=False),
        "currency.cursym": Field("Stated in", asked=False),
        "dtavail": Field("Available on", asked=False),
        "dtuser": Field("Made on", asked=False),
        "origcurrency.currate": Field("Exchange rate", asked=False),
        "origcurrency.cursym": Field("Originally in", asked=False),
        "mcc": Field("Merchant category code", asked=False, help="Of the shop’s trade, by ISO 18245."),
        "payee.addr1": Field("Payee’s address", asked=False),
        "payee.city": Field("Payee’s town", asked=False),
        "payee.name": Field("Payee", asked=False),
        "refnum": Field("Reference", schema_org="identifier", asked=False),
        "sic": Field("Industry code", asked=False),
        "status": Field("Status", asked=False),
        "trntype": Field("Type", asked=False),
    },
)

BALANCE = Kind(
    name="money.balance",
    title="Balance",
    dpv="pd:FinancialAccount",
    schema_org="MonetaryAmount",
    counted=False,
    columns={
        "at": Column("As of", "validFrom"),
        "party": Column("Bank"),
        "account": Column("Account"),
        "amount": Column("Balance", "value"),
        "unit": Column("Currency", "currency"),
    },
    needs=("at", "account", "amount"),
    fields={
        "type": Field(
            "Type",
            FieldType.CHOICE,
            choices=("ledger", "available", "opening", "closing", "interim", "forward"),
            help="Ledger is what is booked; available is what can be spent.",
        ),
        "code": Field("Code of the bank", asked=False),
    },
)

HOLDING = Kind(
    name="money.holding",
    title="Holding",
    dpv="pd:Ownership",
    schema_org="OwnershipInfo",
    columns={
        "at": Column("As of"),
        "party": Column("Held at"),
        "account": Column("Account"),
        "amount": Column("Value"),
        "unit": Column("Currency"),
        "memo": Column("Notes", "description"),
    },
    needs=("at",),
    fields={
        "security": Field("Share, fund or bond", required=True, schema_org="typeOfGood"),
        "isin": Field("ISIN", help="The security’s own code, of 12 characters."),
        "symbol": Field("Symbol", help="By which it is traded, such as VWRL."),
        "units": Field("How many", FieldType.DECIMAL),
        "price": Field("Price of one", FieldType.DECIMAL),
        "cost": Field("Paid for it", FieldType.DECIMAL),
    },
)

KINDS = (ACCOUNT, TRANSACTION, BALANCE, HOLDING)
