"""What a store seals besides its database: passwords, which no server of databases and no export may see.

sealed = nonce (12 bytes) | AES-256-GCM(JSON), under the key of one purpose, bound to a name
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.store.store_key import StoreKey


def seal(key: StoreKey, purpose: str, name: str, content: Mapping[str, Any]) -> bytes:
    """The content, sealed."""
    nonce = secrets.token_bytes(12)
    return nonce + _cipher(key, purpose).encrypt(nonce, json.dumps(content).encode(), name.encode())


def opened(key: StoreKey, purpose: str, name: str, blob: bytes) -> dict[str, Any]:
    """What was sealed; InvalidTag where it was for another key, purpose or name."""
    found: dict[str, Any] = json.loads(_cipher(key, purpose).decrypt(blob[:12], blob[12:], name.encode()))
    return found


def resealed(before: StoreKey, after: StoreKey, purpose: str, name: str, blob: bytes) -> bytes:
    """The same under another key; as it is where that was done already."""
    try:
        opened(after, purpose, name, blob)
    except InvalidTag:
        return seal(after, purpose, name, opened(before, purpose, name, blob))
    return blob


def _cipher(key: StoreKey, purpose: str) -> AESGCM:
    return AESGCM(key.derived(purpose))
