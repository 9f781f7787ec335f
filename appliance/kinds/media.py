"""Media: what was listened to, watched, read or played."""

from appliance.kinds import Column, Field, FieldType, Kind

KINDS = (
    Kind(
        name="media.play",
        title="Media play",
        dpv="pd:ServiceConsumptionBehaviour",
        schema_org="ConsumeAction",
        columns={
            "title": Column("What", "object"),
            "at": Column("When", "startTime"),
            "party": Column("Service", "provider"),
            "memo": Column("Notes", "description"),
        },
        needs=("title",),
        fields={
            "medium": Field(
                "Medium",
                FieldType.CHOICE,
                choices=("music", "podcast", "radio", "film", "television", "video", "book", "game", "other"),
            ),
            "by": Field("By", help="Who made it: the artist, the author, the channel."),
            "part_of": Field("Part of", help="The album, the series, the show."),
            "seconds": Field("How long", FieldType.WHOLE, unit="s"),
            "device": Field("Played on", schema_org="instrument", dpv="pd:DeviceBased"),
            "web": Field("Web page", FieldType.WEB, schema_org="url"),
        },
    ),
)
