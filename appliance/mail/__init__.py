"""Messages: what an email says, and what is attached to it. A file of one message, a mailbox and IMAP all end here.

`message` takes a message apart, `attachments` gives the files in it, `record` what it says as a fact. Python's email
package reads the parameters of a header and the times; it does not take messages apart, since nested parts cost it the
square of their depth, and deep ones its stack.
"""

from appliance.mail.files import Attachment, attachments
from appliance.mail.message import Message, Part, message
from appliance.mail.record import record

__all__ = ["Attachment", "Message", "Part", "attachments", "message", "record"]
