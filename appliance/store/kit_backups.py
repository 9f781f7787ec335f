"""What opens backups: derived from a store's recovery kit, and kept wrapped by the store's key for the box's own use.

    the kit's 32 bytes --HKDF--> restic's password

So the box backs up at night with nobody there, and on a new box the words alone open what it wrote.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from appliance.store import kits
from appliance.store.store_key import StoreKey, derive, opened, wrap

if TYPE_CHECKING:
    from appliance.store.keys import KeyRing

PURPOSE = "backup"


def password(words: list[str]) -> str:
    """By the words of a kit; UserError where they are none."""
    return derive(kits.secret_of(words), PURPOSE).hex()


def wrapped(document: Mapping[str, Any], key: StoreKey, kit: bytes) -> str:
    """What a store's file of keys keeps of it."""
    return wrap(derive(kit, PURPOSE), key.secret, document["id"], PURPOSE)


def kept_password(ring: "KeyRing", store: str, key: StoreKey) -> str | None:
    """The same by the store's key; None where there is no kit, or one from before there were backups."""
    document = ring.document(store)
    sealed = document.get("kit", {}).get(PURPOSE)
    return opened(sealed, key.secret, document["id"], PURPOSE).hex() if sealed else None
