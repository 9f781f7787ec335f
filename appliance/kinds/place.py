"""Places: where someone was, or wants to find again."""

from appliance.kinds import Column, Field, FieldType, Kind

KINDS = (
    Kind(
        name="place",
        title="Place",
        dpv="pd:Location",
        schema_org="Place",
        columns={"at": Column("There from"), "memo": Column("Notes", "description")},
        fields={
            "name": Field("Name", required=True, schema_org="name"),
            "until": Field("There until", FieldType.WHEN),
            "position": Field(
                "Position",
                FieldType.PLACE,
                schema_org="geo",
                dpv="pd:GPSCoordinate",
                help="Degrees north and east, such as 51.5007,-0.1246.",
            ),
            "address": Field("Address", FieldType.LINES, schema_org="address", dpv="pd:PhysicalAddress"),
            "category": Field("Category", schema_org="keywords"),
            "phone": Field("Phone", FieldType.PHONE, schema_org="telephone"),
            "web": Field("Web page", FieldType.WEB, schema_org="url"),
        },
    ),
)
