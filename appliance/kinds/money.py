"""Money: what accounts at banks and card companies state."""

from appliance.kinds import Kind

KINDS = (
    Kind(
        name="money.transaction",
        title="Payment",
        dpv="pd:Transactional",
        schema_org="MoneyTransfer",
        fields={
            "trntype": "Type",
            "checknum": "Cheque number",
            "refnum": "Reference",
            "bankid": "Bank",
            "accttype": "Account type",
            "dtuser": "Made on",
            "dtavail": "Available on",
            "sic": "Industry code",
        },
    ),
)
