"""Documents: letters, contracts, certificates and other papers."""

from appliance.kinds import Column, Field, FieldType, Kind

KINDS = (
    Kind(
        name="document",
        title="Document",
        dpv="pd:PersonalDocuments",
        schema_org="DigitalDocument",
        columns={
            "title": Column("Title", "name"),
            "at": Column("Dated", "dateCreated"),
            "party": Column("From", "author"),
            "memo": Column("Notes", "description"),
        },
        needs=("title",),
        fields={
            "type": Field("Type", schema_org="genre", help="Such as contract, certificate or guarantee."),
            "number": Field("Number", schema_org="identifier", dpv="pd:Identifier"),
            "until": Field("Valid until", FieldType.DAY, schema_org="expires"),
            "language": Field("Language", schema_org="inLanguage"),
            "pages": Field("Pages", FieldType.WHOLE),
            "file": Field("The paper itself", FieldType.FILE, schema_org="encoding", help="A photo, a scan or a PDF."),
            "kept": Field("Where it is kept", help="The folder, the drawer."),
            "web": Field("Web page", FieldType.WEB, schema_org="url"),
        },
    ),
)
