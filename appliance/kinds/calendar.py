"""Calendars: what was, and is, to happen when."""

from appliance.kinds import Column, Field, FieldType, Kind

_REPEATS = {  # how iCalendar says it (RFC 5545), kept so that each occurrence can be worked out
    "rrule": Field("Rule", FieldType.LINES, asked=False),
    "rdate": Field("Also on", FieldType.LINES, asked=False),
    "exdate": Field("Not on", FieldType.LINES, asked=False),
    "replaced": Field("Changed ones, which have records of their own", FieldType.LINES, asked=False),
    "instead_of": Field("Instead of the one on", FieldType.WHEN, asked=False),
    "zone": Field("Time zone", asked=False),
    "zone_rules": Field("Time zone’s changes of clocks", FieldType.LINES, asked=False),
    "floating": Field("The same time in every zone", FieldType.YES_NO, asked=False),
}
_SAID = {
    "categories": Field("Categories", asked=False),
    "priority": Field("Priority", FieldType.WHOLE, asked=False, help="1 is the highest, 9 the lowest."),
    "privacy": Field("Privacy", asked=False),
    "position": Field("Position", FieldType.PLACE, dpv="pd:Location", asked=False),
    "reminders": Field("Reminders", FieldType.LINES, asked=False),
    "files": Field("Attached", FieldType.LINES, asked=False),
    "related": Field("Related to", FieldType.LINES, asked=False),
    "created": Field("Written", FieldType.WHEN, asked=False),
    "revised": Field("Changed", FieldType.WHEN, asked=False),
    "revision": Field("Revision", FieldType.WHOLE, asked=False),
    "more": Field("Also in the file", FieldType.LINES, asked=False),
}

EVENT = Kind(
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
        "organiser": Field("Organiser’s address", FieldType.EMAIL, dpv="pd:EmailAddress", asked=False),
        "shown_as": Field("Shown as", asked=False),
        "conference": Field("Joined at", FieldType.LINES, asked=False),
        **_REPEATS,
        **_SAID,
    },
)

TASK = Kind(
    name="calendar.task",
    title="To-do",
    dpv="pd:Intention",
    schema_org="PlanAction",
    columns={
        "title": Column("What", "name"),
        "at": Column("Due", "scheduledTime"),
        "party": Column("Given by"),
        "memo": Column("Notes", "description"),
    },
    needs=("title",),
    fields={
        "begins": Field("Begins", FieldType.WHEN, schema_org="startTime"),
        "status": Field(
            "Status",
            FieldType.CHOICE,
            choices=("to do", "begun", "done", "cancelled"),
            schema_org="actionStatus",
        ),
        "completed": Field("Done on", FieldType.WHEN, schema_org="endTime"),
        "percent": Field("Done", FieldType.WHOLE, unit="%"),
        "place": Field("Where", schema_org="location", dpv="pd:Location"),
        "repeats": Field("Repeats"),
        "calendar": Field("List"),
        "web": Field("Web page", FieldType.WEB, schema_org="url"),
        "attendees": Field("Who takes part", FieldType.LINES, schema_org="participant", asked=False),
        "organiser": Field("Giver’s address", FieldType.EMAIL, dpv="pd:EmailAddress", asked=False),
        **_REPEATS,
        **_SAID,
    },
)

KINDS = (EVENT, TASK)
