"""Energy and water: supplies, agreements, tariffs and bills, what happened at a meter, and what a person read on one.

What a box reads of a meter is a series of readings, no record.
"""

from dataclasses import replace

from appliance.kinds import AmountIs, Column, Field, FieldType, Kind

_SUPPLY = Field("Supply", FieldType.CHOICE, choices=("electricity", "gas", "heat", "water", "oil", "other"))

BILL = Kind(
    name="energy.bill",
    title="Energy bill",
    dpv="pd:Transactional",
    schema_org="Invoice",
    amount_is=AmountIs.ASKED,
    columns={
        "at": Column("Date of the bill"),
        "party": Column("Supplier", "provider"),
        "account": Column("Customer number", "accountId"),
        "amount": Column("To pay", "totalPaymentDue"),
        "unit": Column("Currency"),
        "memo": Column("Notes", "description"),
    },
    needs=("at", "party", "amount"),
    fields={
        "supply": _SUPPLY,
        "number": Field("Bill number", schema_org="identifier"),
        "from": Field("First day", FieldType.DAY, schema_org="billingPeriod"),
        "until": Field("Last day", FieldType.DAY, schema_org="billingPeriod"),
        "used": Field("Used", FieldType.DECIMAL, unit="kWh", dpv="pd:ServiceConsumptionBehaviour"),
        "volume": Field("Volume used", FieldType.DECIMAL, unit="m3", dpv="pd:ServiceConsumptionBehaviour"),
        "estimated": Field("Estimated", FieldType.YES_NO),
        "tariff": Field("Tariff"),
        "unit_price": Field("Price of a unit", FieldType.DECIMAL, help="Of a kWh, or a m³ of water, before tax."),
        "units_charge": Field("For what was used", FieldType.DECIMAL, help="Units times their price."),
        "standing_charge": Field("Standing charges", FieldType.DECIMAL),
        "levies": Field("Levies", FieldType.DECIMAL),
        "tax": Field("Tax in it", FieldType.DECIMAL),
        "adjustments": Field(
            "Not for these days",
            FieldType.DECIMAL,
            help="In what is to pay: a debt of before; with a minus a credit, or instalments that were paid.",
        ),
        "due": Field("To be paid by", FieldType.DAY, schema_org="paymentDueDate"),
        "meter_point": Field("Meter point", dpv="pd:Identifier", help="Such as MPAN, MPRN, EAN or Zählpunkt."),
        "meter": Field("Meter’s number", dpv="pd:Identifier"),
        "register_before": Field("Register before", FieldType.DECIMAL, help="In the meter’s own unit."),
        "register_after": Field("Register after", FieldType.DECIMAL, help="In the meter’s own unit."),
        "lifted_by": Field("Read from the paper by", asked=False),
    },
)

_DIRECTION = Field(
    "Direction", FieldType.CHOICE, choices=("import", "export"), help="Import is what is taken, export what is fed in."
)

_POINT = Field(
    "Meter point’s number",
    FieldType.METER_POINT,
    dpv="pd:Identifier",
    help="On the bill: MPAN, MPRN, EAN or NMI. Its check digit is checked.",
)

SUPPLY = Kind(
    name="energy.supply",
    title="Supply",
    plural="Supplies",
    dpv="pd:ServiceConsumptionBehaviour",
    columns={
        "title": Column("Name", help="Such as Electricity, or Gas at the cabin."),
        "at": Column("From"),
        "memo": Column("Notes"),
    },
    needs=("title",),
    fields={
        "supply": replace(_SUPPLY, required=True),
        "direction": _DIRECTION,
        "source": Field("Meter", help="Its name here, such as house; nothing for the only one that counts it."),
        "role": Field("Series", help="Such as electricity.import or gas; nothing for what the supply counts."),
        "point": _POINT,
        "until": Field("Until", FieldType.WHEN),
    },
)

AGREEMENT = Kind(
    name="energy.agreement",
    title="Energy agreement",
    dpv="pd:ServiceConsumptionBehaviour",
    columns={
        "at": Column("Begins"),
        "party": Column("Supplier"),
        "account": Column("Customer number"),
        "amount": Column("Exit fee", help="What leaving before its end costs; nothing where it is free."),
        "unit": Column("Currency"),
        "memo": Column("Notes"),
    },
    needs=("at", "party"),
    fields={
        "supply": _SUPPLY,
        "direction": _DIRECTION,
        "product": Field("Product", help="As the supplier sells it, such as Flexible Octopus."),
        "tariff": Field("Tariff", required=True, help="Its name or code, as in the list of tariffs."),
        "until": Field("Ends", FieldType.WHEN),
        "fixed_until": Field("Prices are fixed until", FieldType.DAY),
        "notice_days": Field("Notice", FieldType.WHOLE, unit="days"),
        "point": _POINT,
        "meters": Field("Meters’ numbers", dpv="pd:Identifier"),
        "address": Field("Where", dpv="pd:PhysicalAddress"),
    },
)

TARIFF = Kind(
    name="energy.tariff",
    title="Energy tariff",
    dpv="pd:ServiceConsumptionBehaviour",
    columns={
        "title": Column("Name"),
        "at": Column("From"),
        "party": Column("Supplier"),
        "account": Column("Code", help="As the agreement names it."),
        "memo": Column("Notes"),
    },
    needs=("title",),
    fields={
        "supply": _SUPPLY,
        "direction": _DIRECTION,
        "until": Field("Until", FieldType.WHEN),
        "definition": Field(
            "Definition", FieldType.LINES, required=True, help="Its prices, as JSON in the form that is published."
        ),
        "revised": Field("Learnt", FieldType.TIME, asked=False),
    },
)

GAS_QUALITY = Kind(
    name="energy.gas_quality",
    title="Energy of gas",
    plural="Energies of gas",
    dpv="pd:ServiceConsumptionBehaviour",
    columns={"at": Column("From"), "party": Column("Network or supplier"), "memo": Column("Notes")},
    needs=("at",),
    fields={
        "calorific_value": Field(
            "Calorific value", FieldType.DECIMAL, required=True, help="On the bill, about 39 MJ/m³ or 11 kWh/m³."
        ),
        "calorific_unit": Field(
            "It is in", FieldType.CHOICE, choices=("MJ/m3", "kWh/m3"), help="MJ/m³ where nothing is said."
        ),
        "correction": Field(
            "Volume correction",
            FieldType.DECIMAL,
            help="For temperature and pressure, as on the bill. Nothing: 1.02264 with MJ/m³, 1 with kWh/m³.",
        ),
        "point": _POINT,
    },
)

RATE = Kind(
    name="energy.rate",
    title="Energy rate",
    dpv="pd:ServiceConsumptionBehaviour",
    columns={
        "at": Column("From"),
        "party": Column("Supplier"),
        "account": Column("Tariff"),
        "amount": Column("Price with tax"),
        "unit": Column("For", help="Such as p/kWh or p/day."),
        "memo": Column("Notes"),
    },
    needs=("at", "account", "amount", "unit"),
    fields={
        "supply": _SUPPLY,
        "direction": _DIRECTION,
        "charge": Field(
            "What it is for",
            FieldType.CHOICE,
            required=True,
            choices=("unit rate", "day rate", "night rate", "standing charge", "other"),
        ),
        "until": Field("Until", FieldType.WHEN),
        "without_tax": Field("Price without tax", FieldType.DECIMAL),
        "payment_method": Field("Paid by"),
    },
)

METER_EVENT = Kind(
    name="energy.meter_event",
    title="Meter event",
    dpv="pd:ServiceConsumptionBehaviour",
    schema_org="Event",
    columns={
        "at": Column("When", "startDate"),
        "party": Column("Network or supplier"),
        "memo": Column("Notes", "description"),
    },
    needs=("at",),
    fields={
        "event": Field(
            "What happened",
            FieldType.CHOICE,
            required=True,
            choices=(
                "swap",
                "reset",
                "rollover",
                "move",
                "multiplier",
                "nothing",
                "power failed",
                "tariff changed",
                "other",
            ),
            help="swap: another meter. reset: it began at zero again. rollover: it passed its last digit. "
            "move: another home. multiplier: it counted too much or too little. nothing: what looks odd was used.",
        ),
        "supply": _SUPPLY,
        "source": Field("Meter", help="Its name here, such as house; nothing for every meter of the supply."),
        "role": Field("Series", help="Such as electricity.import.t1; nothing for all of the meter’s registers."),
        "meter": Field("Meter’s number", dpv="pd:Identifier"),
        "seconds": Field("How long", FieldType.WHOLE, unit="s", schema_org="duration"),
        "old_register": Field("Register before", FieldType.DECIMAL, help="In the meter’s own unit."),
        "new_register": Field("Register after", FieldType.DECIMAL, help="In the meter’s own unit."),
        "factor": Field(
            "Multiply by", FieldType.DECIMAL, help="Of a multiplier: 0.1 where it counted ten times too much."
        ),
        "until": Field("Last day", FieldType.DAY, help="Of a multiplier: when it was put right."),
    },
)

METER_READING = Kind(
    name="energy.meter_reading",
    title="Meter reading",
    dpv="pd:ServiceConsumptionBehaviour",
    schema_org="Observation",
    columns={
        "at": Column("When", "observationDate"),
        "unit": Column("Unit", "unitText", "As on the meter, such as kWh or m³; nothing for the usual one."),
        "memo": Column("Notes", "description"),
    },
    needs=("at",),
    fields={
        "register": Field(
            "It shows", FieldType.DECIMAL, required=True, help="All its digits, those behind the point too."
        ),
        "supply": _SUPPLY,
        "source": Field("Meter", help="Its name here, such as house; nothing for the only one of the supply."),
        "role": Field("Series", help="Such as electricity.import; nothing for what the supply counts."),
        "meter": Field("Meter’s number", dpv="pd:Identifier"),
        "photo": Field(
            "Photo", FieldType.PHOTO, schema_org="image", help="Of what it shows. It stays here, with the reading."
        ),
    },
)

BUDGET = Kind(
    name="energy.budget",
    title="Energy budget",
    dpv="pd:ServiceConsumptionBehaviour",
    columns={
        "at": Column("From"),
        "amount": Column("A month at most"),
        "unit": Column("Currency or unit", help="A currency, such as EUR; of one supply also kWh, of water m3."),
        "memo": Column("Notes"),
    },
    needs=("at", "amount", "unit"),
    fields={"supply": replace(_SUPPLY, help="Nothing for all of them together.")},
)

AWAY = Kind(
    name="energy.away",
    title="Away from home",
    plural="Away from home",
    dpv="pd:ServiceConsumptionBehaviour",
    columns={"at": Column("Left", help="Nobody is at home from then on."), "memo": Column("Notes")},
    needs=("at",),
    fields={"until": Field("Back", FieldType.WHEN, help="Nothing while you do not know yet.")},
)

KINDS = (BILL, SUPPLY, AGREEMENT, TARIFF, RATE, GAS_QUALITY, METER_EVENT, METER_READING, BUDGET, AWAY)
