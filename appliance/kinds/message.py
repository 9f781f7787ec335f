"""Messages: emails, chats and letters, with what they say."""

from appliance.kinds import Column, Field, FieldType, Kind

_FROM_FILES = {
    "cc": Field("Copied to", FieldType.LINES, schema_org="ccRecipient", dpv="pd:Contact", asked=False),
    "bcc": Field("Copied unseen to", FieldType.LINES, schema_org="bccRecipient", dpv="pd:Contact", asked=False),
    "reply_to": Field("To be answered to", FieldType.LINES, dpv="pd:Contact", asked=False),
    "list": Field("Mailing list", asked=False),
    "labels": Field("Labels", asked=False),
    "in_reply_to": Field("Answers", FieldType.LINES, asked=False),
    "references": Field("Follows", FieldType.LINES, asked=False),
    "dated": Field("What its time is", asked=False),
    "cut": Field("Only a part is here", asked=False),
}

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
            **_FROM_FILES,
        },
    ),
)
