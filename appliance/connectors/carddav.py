"""Address books of a CardDAV server: Nextcloud, iCloud, Fastmail, Radicale and others.

See `_collections` for how they are found, and what changed in them. Source: RFC 6352 (CardDAV).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.connectors import Fetched, Kept, _collections
from appliance.connectors._collections import CollectionOptions, Service
from appliance.web import Web

TITLE = "Contacts (CardDAV)"
HELP = (
    "The server's address, a user name and a password: an app password, where the server has such. iCloud is at "
    "https://contacts.icloud.com, Nextcloud at https://your.cloud/remote.php/dav."
)
RHYTHM_S = 21_600
_SERVICE = Service(
    words="address book",
    well_known="/.well-known/carddav",
    home="A:addressbook-home-set",
    type="addressbook",
    data="A:address-data",
    multiget="A:addressbook-multiget",
    item="BEGIN:VCARD",
    suffix=".vcf",
)


@dataclass(frozen=True)
class Options(CollectionOptions):
    """A server and a user, and which address books."""


def fetch(options: Options, kept: Kept, web: Web) -> Iterator[Fetched]:
    """The contacts that are new or have changed."""
    yield from _collections.fetch(_SERVICE, options, kept, web)
