"""Calendars: what was, and is, to happen when."""

from appliance.kinds import Column, Field, FieldType, Kind

KINDS = (
    Kind(
        name="calendar.event",
        title="Calendar event",
        dpv="pd:Behavioural",
        schema_org="Event",
        columns={
            "title": Column("What", "name"),
            "at": Column("Begins", "startDate"),
            "party": Column("Organiser", "organizer"),
            "memo": Column("Notes", "description"),
        },
        needs=("title", "at"),
        fields={
            "until": Field("Ends", FieldType.WHEN, schema_org="endDate"),
            "place": Field("Where", schema_org="location", dpv="pd:Location"),
            "attendees": Field("Who comes", FieldType.LINES, schema_org="attendee", help="One a line."),
            "status": Field(
                "Status",
                FieldType.CHOICE,
                choices=("confirmed", "tentative", "cancelled"),
                schema_org="eventStatus",
            ),
            "repeats": Field("Repeats", schema_org="eventSchedule"),
            "calendar": Field("Calendar"),
            "web": Field("Web page", FieldType.WEB, schema_org="url"),
        },
    ),
)
