"""Phones: calls, messages and data, as a phone or its network lists them."""

from appliance.kinds import AmountIs, Column, Field, FieldType, Kind

_NUMBER = Field("Their number", FieldType.PHONE, dpv="pd:TelephoneNumber")
_ROAMING = Field("Abroad", FieldType.YES_NO)
_COUNTRY = Field("Country", dpv="pd:Country")

CALL = Kind(
    name="phone.call",
    title="Call",
    dpv="pd:CallLog",
    schema_org="CommunicateAction",
    amount_is=AmountIs.ASKED,
    columns={
        "at": Column("Began at", "startTime"),
        "party": Column("With", "participant"),
        "account": Column("My number"),
        "amount": Column("Cost"),
        "unit": Column("Currency"),
        "memo": Column("Notes", "description"),
    },
    needs=("at",),
    fields={
        "direction": Field("Direction", FieldType.CHOICE, choices=("outgoing", "incoming", "missed")),
        "number": _NUMBER,
        "seconds": Field("Length", FieldType.WHOLE, unit="s"),
        "roaming": _ROAMING,
        "country": _COUNTRY,
    },
)

MESSAGE = Kind(
    name="phone.message",
    title="Text message",
    dpv="pd:CommunicationsMetadata",
    schema_org="Message",
    amount_is=AmountIs.ASKED,
    columns={
        "at": Column("Sent at", "dateSent"),
        "party": Column("With"),
        "account": Column("My number"),
        "amount": Column("Cost"),
        "unit": Column("Currency"),
    },
    needs=("at",),
    fields={
        "direction": Field("Direction", FieldType.CHOICE, choices=("outgoing", "incoming")),
        "number": _NUMBER,
        "type": Field("Type", FieldType.CHOICE, choices=("SMS", "MMS", "RCS")),
        "roaming": _ROAMING,
        "country": _COUNTRY,
    },
)

DATA_USE = Kind(
    name="phone.data_use",
    title="Mobile data",
    plural="Mobile data",
    dpv="pd:ServiceConsumptionBehaviour",
    schema_org="UseAction",
    amount_is=AmountIs.ASKED,
    columns={
        "at": Column("From", "startTime"),
        "party": Column("Network", "provider"),
        "account": Column("My number"),
        "amount": Column("Cost"),
        "unit": Column("Currency"),
    },
    needs=("at",),
    fields={
        "until": Field("Until", FieldType.WHEN, schema_org="endTime"),
        "volume": Field("Volume", FieldType.DECIMAL, unit="MB", required=True),
        "roaming": _ROAMING,
        "country": _COUNTRY,
    },
)

KINDS = (CALL, MESSAGE, DATA_USE)
