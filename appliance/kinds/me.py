"""Me: what a person says of themself, and may later choose to tell a supplier."""

from appliance.kinds import Column, Field, FieldType, Kind

ABOUT = Kind(
    name="me.about",
    title="Who I am",
    plural="Who I am",
    dpv="pd:IndividualProfile",
    schema_org="Person",
    mine=True,
    columns={"memo": Column("Notes", "description")},
    fields={
        "name": Field("Full name", required=True, schema_org="name", dpv="pd:Name"),
        "called": Field("What people call me", schema_org="alternateName", dpv="pd:Name"),
        "born": Field("Born on", FieldType.DAY, schema_org="birthDate", dpv="pd:BirthDate"),
        "pronouns": Field("Pronouns", schema_org="pronouns", dpv="pd:Gender"),
        "language": Field("Language", schema_org="knowsLanguage", dpv="pd:Language"),
        "nationality": Field("Nationality", schema_org="nationality", dpv="pd:Nationality"),
        "job": Field("Job", schema_org="jobTitle", dpv="pd:Job"),
        "email": Field("Email", FieldType.EMAIL, schema_org="email", dpv="pd:EmailAddressPersonal"),
        "phone": Field("Phone", FieldType.PHONE, schema_org="telephone", dpv="pd:TelephoneNumber"),
    },
)

ADDRESS = Kind(
    name="me.address",
    title="My address",
    plural="My addresses",
    dpv="pd:PhysicalAddress",
    schema_org="PostalAddress",
    mine=True,
    columns={"at": Column("From"), "memo": Column("Notes", "description")},
    fields={
        "street": Field("House and street", required=True, schema_org="streetAddress", dpv="pd:Street"),
        "extra": Field("Flat or building", schema_org="extendedAddress", dpv="pd:RoomNumber"),
        "town": Field("Town", required=True, schema_org="addressLocality", dpv="pd:City"),
        "region": Field("County or region", schema_org="addressRegion", dpv="pd:Region"),
        "postcode": Field("Postcode", schema_org="postalCode", dpv="pd:PostalCode"),
        "country": Field("Country", schema_org="addressCountry", dpv="pd:Country"),
        "use": Field(
            "What for", FieldType.CHOICE, choices=("home", "post", "work", "holiday", "other"), schema_org="contactType"
        ),
        "until": Field("Until", FieldType.DAY),
    },
)

PREFERENCE = Kind(
    name="me.preference",
    title="Preference",
    dpv="pd:Preference",
    mine=True,
    columns={
        "title": Column("What I prefer"),
        "at": Column("Since"),
        "party": Column("Of whom"),
        "memo": Column("Notes"),
    },
    needs=("title",),
    fields={
        "about": Field("About", help="Such as food, travel, privacy or how to reach me."),
        "strength": Field(
            "How strongly", FieldType.CHOICE, choices=("must", "would like", "would rather not", "never")
        ),
        "until": Field("Until", FieldType.DAY),
    },
)

PLAN = Kind(
    name="me.plan",
    title="Plan",
    dpv="pd:Intention",
    schema_org="PlanAction",
    mine=True,
    columns={
        "title": Column("What I plan", "name"),
        "at": Column("When", "scheduledTime"),
        "party": Column("With whom", "participant"),
        "amount": Column("Budget"),
        "unit": Column("Currency"),
        "memo": Column("Notes", "description"),
    },
    needs=("title",),
    fields={
        "until": Field("Until", FieldType.WHEN, schema_org="endTime"),
        "roughly": Field("Roughly when", help="Where no day is fixed, such as: in May."),
        "place": Field("Where", schema_org="location", dpv="pd:Location"),
        "certainty": Field("How certain", FieldType.CHOICE, choices=("certain", "likely", "perhaps")),
    },
)

POSSESSION = Kind(
    name="me.possession",
    title="Possession",
    dpv="pd:PersonalPossession",
    schema_org="IndividualProduct",
    mine=True,
    columns={
        "title": Column("What I own", "name"),
        "at": Column("Mine since", "purchaseDate"),
        "party": Column("Where it came from"),
        "amount": Column("Worth"),
        "unit": Column("Currency"),
        "memo": Column("Notes", "description"),
    },
    needs=("title",),
    fields={
        "category": Field("Category", schema_org="category"),
        "make": Field("Make", schema_org="brand"),
        "model": Field("Model", schema_org="model"),
        "serial": Field("Serial number", schema_org="serialNumber", dpv="pd:Identifier"),
        "quantity": Field("How many", FieldType.WHOLE),
        "kept": Field("Where it is"),
        "guaranteed": Field("Guaranteed until", FieldType.DAY),
        "until": Field("Mine until", FieldType.DAY),
    },
)

NEED = Kind(
    name="me.need",
    title="Need",
    dpv="pd:Intention",
    schema_org="Demand",
    mine=True,
    columns={
        "title": Column("What I need", "name"),
        "at": Column("Since", "validFrom"),
        "amount": Column("At most"),
        "unit": Column("Currency"),
        "memo": Column("Notes", "description"),
    },
    needs=("title",),
    fields={
        "by": Field("Needed by", FieldType.DAY, schema_org="validThrough"),
        "quantity": Field("How many", FieldType.DECIMAL),
        "category": Field("Category"),
        "condition": Field(
            "Condition", FieldType.CHOICE, choices=("new", "used", "either"), schema_org="itemCondition"
        ),
        "urgency": Field("How urgent", FieldType.CHOICE, choices=("now", "soon", "one day")),
    },
)

KINDS = (ABOUT, ADDRESS, PREFERENCE, PLAN, POSSESSION, NEED)
