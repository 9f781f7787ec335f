"""Messages: emails, chats and letters, with what they say."""

from appliance.kinds import Column, Field, FieldType, Kind

KINDS = (
    Kind(
        name="message",
        title="Message",
        dpv="pd:Communication",
        schema_org="Message",
        columns={
            "title": Column("Subject", "headline"),
            "at": Column("Sent", "dateSent"),
            "party": Column("With"),
            "account": Column("My address"),
            "memo": Column("Text", "text"),
        },
        needs=("at",),
        fields={
            "direction": Field("Direction", FieldType.CHOICE, choices=("received", "sent")),
            "service": Field("Sent by", help="Such as email, letter, or the name of an app."),
            "from": Field("From", schema_org="sender", dpv="pd:Contact"),
            "to": Field("To", FieldType.LINES, schema_org="toRecipient", dpv="pd:Contact", help="One a line."),
            "thread": Field("Conversation", schema_org="isPartOf"),
            "attachments": Field("Attachments", FieldType.LINES, schema_org="messageAttachment", help="One a line."),
        },
    ),
)
