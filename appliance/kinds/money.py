"""Money: what accounts at banks and card companies state."""

from appliance.kinds import Kind

KINDS = (
    Kind(
        name="money.transaction",
        title="Transaction",
        dpv="pd:Transactional",
        schema_org="MoneyTransfer",
        fields={  # by their names in OFX, lower-case
            "accttype": "Account type",
            "bankacctto.acctid": "To account",
            "bankacctto.accttype": "To account type",
            "bankacctto.bankid": "To bank",
            "bankid": "Bank",
            "brokerid": "Broker",
            "checknum": "Cheque number",
            "currency.currate": "Exchange rate",
            "currency.cursym": "Stated in",
            "dtavail": "Available on",
            "dtuser": "Made on",
            "origcurrency.currate": "Exchange rate",
            "origcurrency.cursym": "Originally in",
            "payee.addr1": "Payee’s address",
            "payee.city": "Payee’s town",
            "payee.name": "Payee",
            "refnum": "Reference",
            "sic": "Industry code",
            "trntype": "Type",
        },
    ),
)
