"""Calendars and task lists of a CalDAV server: Nextcloud, iCloud, Fastmail, Radicale and others.

See `_collections` for how they are found, and what changed in them. Source: RFC 4791 (CalDAV).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.connectors import Fetched, Kept, _collections
from appliance.connectors._collections import CollectionOptions, Service
from appliance.web import Web

TITLE = "Calendars (CalDAV)"
HELP = (
    "The server's address, a user name and a password: an app password, where the server has such. iCloud is at "
    "https://caldav.icloud.com, Nextcloud at https://your.cloud/remote.php/dav."
)
RHYTHM_S = 3_600
_SERVICE = Service(
    words="calendar",
    well_known="/.well-known/caldav",
    home="C:calendar-home-set",
    type="calendar",
    data="C:calendar-data",
    multiget="C:calendar-multiget",
    item="BEGIN:VCALENDAR",
    suffix=".ics",
    named="X-WR-CALNAME:{}",
)


@dataclass(frozen=True)
class Options(CollectionOptions):
    """A server and a user, and which calendars."""


def fetch(options: Options, kept: Kept, web: Web) -> Iterator[Fetched]:
    """The events, to-dos and journal entries that are new or have changed."""
    yield from _collections.fetch(_SERVICE, options, kept, web)
