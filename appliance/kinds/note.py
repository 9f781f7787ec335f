"""Notes: what someone wrote down."""

from appliance.kinds import Column, Field, FieldType, Kind

KINDS = (
    Kind(
        name="note",
        title="Note",
        dpv="pd:Thought",
        schema_org="NoteDigitalDocument",
        mine=True,
        columns={"title": Column("Title", "name"), "at": Column("When", "dateCreated"), "memo": Column("Note", "text")},
        needs=("memo",),
        fields={
            "about": Field("About", schema_org="about"),
            "web": Field("Web page", FieldType.WEB, schema_org="url"),
        },
    ),
)
