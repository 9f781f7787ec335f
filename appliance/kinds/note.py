"""Notes: what someone wrote down."""

from appliance.kinds import Field, FieldType, Kind

KINDS = (
    Kind(
        name="note",
        title="Note",
        dpv="pd:Thought",
        schema_org="NoteDigitalDocument",
        mine=True,
        columns={"title": "Title", "at": "When", "memo": "Note"},
        needs=("memo",),
        fields={
            "about": Field("About", schema_org="about"),
            "web": Field("Web page", FieldType.WEB, schema_org="url"),
        },
    ),
)
