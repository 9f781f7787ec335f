"""Contacts: people and organisations in an address book."""

from appliance.kinds import Column, Field, FieldType, Kind

KINDS = (
    Kind(
        name="contact",
        title="Contact",
        dpv="pd:Contact",
        schema_org="Person",
        columns={"memo": Column("Notes", "description")},
        fields={
            "name": Field("Name", required=True, schema_org="name", dpv="pd:Name"),
            "nickname": Field("Nickname", schema_org="alternateName", dpv="pd:Name"),
            "organisation": Field("Organisation", schema_org="worksFor"),
            "job": Field("Job", schema_org="jobTitle", dpv="pd:Job"),
            "relation": Field("Who they are to me", schema_org="relatedTo", dpv="pd:Relationship"),
            "phone": Field("Phone", FieldType.PHONE, schema_org="telephone", dpv="pd:TelephoneNumber"),
            "mobile": Field("Mobile", FieldType.PHONE, schema_org="telephone", dpv="pd:TelephoneNumber"),
            "work_phone": Field("Phone at work", FieldType.PHONE, schema_org="telephone", dpv="pd:TelephoneNumber"),
            "email": Field("Email", FieldType.EMAIL, schema_org="email", dpv="pd:EmailAddress"),
            "work_email": Field("Email at work", FieldType.EMAIL, schema_org="email", dpv="pd:EmailAddressWork"),
            "address": Field("Address", FieldType.LINES, schema_org="address", dpv="pd:PhysicalAddress"),
            "born": Field("Born on", FieldType.DAY, schema_org="birthDate", dpv="pd:BirthDate"),
            "web": Field("Web page", FieldType.WEB, schema_org="url"),
        },
    ),
)
