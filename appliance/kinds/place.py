"""Places: where someone was, or wants to find again; and journeys from one to another."""

from appliance.kinds import Column, Field, FieldType, Kind

_POSITION = "Degrees north and east, such as 51.5007,-0.1246."
_RISEN = "What it went up, point by point, without the noise of a receiver."

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
                help=_POSITION,
            ),
            "elevation": Field("Height above the sea", FieldType.DECIMAL, unit="m"),
            "address": Field("Address", FieldType.LINES, schema_org="address", dpv="pd:PhysicalAddress"),
            "category": Field("Category", schema_org="keywords"),
            "phone": Field("Phone", FieldType.PHONE, schema_org="telephone"),
            "web": Field("Web page", FieldType.WEB, schema_org="url"),
        },
    ),
    Kind(
        name="place.journey",
        title="Journey",
        dpv="pd:TravelHistory",
        schema_org="TravelAction",
        columns={
            "title": Column("What", "name"),
            "at": Column("Set out", "startTime"),
            "memo": Column("Notes", "description"),
        },
        needs=("title",),
        fields={
            "until": Field("Arrived", FieldType.WHEN, schema_org="endTime"),
            "start": Field(
                "Where it began", FieldType.PLACE, schema_org="fromLocation", dpv="pd:GPSCoordinate", help=_POSITION
            ),
            "end": Field(
                "Where it ended", FieldType.PLACE, schema_org="toLocation", dpv="pd:GPSCoordinate", help=_POSITION
            ),
            "distance": Field("How far", FieldType.DECIMAL, unit="m", schema_org="distance"),
            "how": Field("How", schema_org="instrument", help="Such as walking, cycling or by train."),
            "ascent": Field("Up", FieldType.DECIMAL, unit="m", help=_RISEN, asked=False),
            "descent": Field("Down", FieldType.DECIMAL, unit="m", asked=False),
            "points": Field("Points in the file", FieldType.WHOLE, asked=False),
            "planned": Field("Planned, and not gone yet", FieldType.YES_NO),
            "web": Field("Web page", FieldType.WEB, schema_org="url"),
        },
    ),
)
