"""Contacts: people and organisations in an address book."""

from appliance.kinds import Column, Field, FieldType, Kind

_ASKED = {
    "name": Field("Name", required=True, schema_org="name", dpv="pd:Name"),
    "nickname": Field("Nickname", schema_org="alternateName", dpv="pd:Name"),
    "organisation": Field("Organisation", schema_org="worksFor"),
    "job": Field("Job", schema_org="jobTitle", dpv="pd:Job"),
    "relation": Field("Who they are to me", schema_org="relatedTo", dpv="pd:Relationship"),
    "phone": Field("Phone", FieldType.PHONE, schema_org="telephone", dpv="pd:TelephoneNumber"),
    "mobile": Field("Mobile", FieldType.PHONE, schema_org="telephone", dpv="pd:TelephoneNumber"),
    "work_phone": Field("Phone at work", FieldType.PHONE, schema_org="telephone", dpv="pd:TelephoneNumber"),
    "other_phones": Field("Other numbers", FieldType.LINES, dpv="pd:TelephoneNumber", help="One a line."),
    "email": Field("Email", FieldType.EMAIL, schema_org="email", dpv="pd:EmailAddress"),
    "work_email": Field("Email at work", FieldType.EMAIL, schema_org="email", dpv="pd:EmailAddressWork"),
    "other_emails": Field("Other email addresses", FieldType.LINES, dpv="pd:EmailAddress", help="One a line."),
    "messengers": Field("In other services", FieldType.LINES, dpv="pd:SocialMedia", help="One a line."),
    "address": Field("Address", FieldType.LINES, schema_org="address", dpv="pd:PhysicalAddress"),
    "work_address": Field("Address at work", FieldType.LINES, schema_org="address", dpv="pd:PhysicalAddress"),
    "other_addresses": Field("Other addresses", FieldType.LINES, dpv="pd:PhysicalAddress", help="One a line."),
    "born": Field("Born on", FieldType.DAY, schema_org="birthDate", dpv="pd:BirthDate"),
    "birthday": Field("Birthday", dpv="pd:BirthDate", help="Where the year is not known, such as 3 February."),
    "anniversary": Field("Anniversary", dpv="pd:Marriage"),
    "web": Field("Web page", FieldType.WEB, schema_org="url"),
    "categories": Field("Groups"),
}
_FROM_FILES = {  # as the card says it
    "given_name": Field("First name", schema_org="givenName", dpv="pd:Name", asked=False),
    "family_name": Field("Family name", schema_org="familyName", dpv="pd:Name", asked=False),
    "more_names": Field("Middle names", schema_org="additionalName", dpv="pd:Name", asked=False),
    "prefix": Field("Before the name", schema_org="honorificPrefix", dpv="pd:Name", asked=False),
    "suffix": Field("Behind the name", schema_org="honorificSuffix", dpv="pd:Name", asked=False),
    "spoken_as": Field("Spoken as", dpv="pd:Name", asked=False),
    "department": Field("Department", asked=False),
    "role": Field("Role", schema_org="hasOccupation", dpv="pd:Job", asked=False),
    "type": Field("What it is", asked=False),
    "members": Field("Members", FieldType.LINES, dpv="pd:GroupMembership", asked=False),
    "related": Field("Related", FieldType.LINES, schema_org="relatedTo", dpv="pd:Relationship", asked=False),
    "gender": Field("Gender", schema_org="gender", dpv="pd:Gender", asked=False),
    "pronouns": Field("Pronouns", schema_org="pronouns", dpv="pd:Gender", asked=False),
    "language": Field("Language", schema_org="knowsLanguage", dpv="pd:Language", asked=False),
    "born_in": Field("Born in", schema_org="birthPlace", dpv="pd:BirthPlace", asked=False),
    "died": Field("Died on", schema_org="deathDate", asked=False),
    "dates": Field("Other days", FieldType.LINES, asked=False),
    "other_web": Field("Other web pages", FieldType.LINES, asked=False),
    "position": Field("Position", FieldType.PLACE, dpv="pd:Location", asked=False),
    "zone": Field("Time zone", asked=False),
    "photo": Field("Photo", dpv="pd:Picture", asked=False),
    "files": Field("Logo, sound or key", FieldType.LINES, asked=False),
    "revised": Field("Saved last", FieldType.WHEN, asked=False),
    "more": Field("Also in the card", FieldType.LINES, asked=False),
}

KINDS = (
    Kind(
        name="contact",
        title="Contact",
        dpv="pd:Contact",
        schema_org="Person",
        columns={"memo": Column("Notes", "description")},
        fields={**_ASKED, **_FROM_FILES},
    ),
)
