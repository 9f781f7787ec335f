"""A store's key once it is open, and how one secret wraps another."""

import base64
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class StoreKey:
    """A store's key, opened. `derived` gives the key of one purpose."""

    secret: bytes
    earlier: tuple[bytes, ...] = ()  # the secrets before, newest first: for what was sealed before they were changed

    def derived(self, purpose: str) -> bytes:
        return derive(self.secret, purpose)

    def every_derived(self, purpose: str) -> list[bytes]:
        """The key of one purpose and those that it had before, newest first."""
        return [derive(secret, purpose) for secret in (self.secret, *self.earlier)]

    @property
    def private(self) -> X25519PrivateKey:
        """What opens what was sealed to the store's public key: the collector's spool, files that came meanwhile."""
        return self.privates[0]

    @property
    def privates(self) -> list[X25519PrivateKey]:
        """The same, and those before, newest first: the collector seals to the one that it started with."""
        return [X25519PrivateKey.from_private_bytes(each) for each in self.every_derived("sealed to the store")]

    @property
    def public(self) -> str:
        """The public key, in hex."""
        return self.private.public_key().public_bytes_raw().hex()


def derive(secret: bytes, purpose: str, salt: bytes | None = None) -> bytes:
    """32 bytes for one purpose, by HKDF-SHA256."""
    return HKDF(hashes.SHA256(), KEY_BYTES, salt, f"inglenook {purpose}".encode()).derive(secret)


def wrap(secret: bytes, wrapping: bytes, store_id: str, name: str) -> str:
    """A secret under a wrapping key, bound to its store and to its name there."""
    nonce = secrets.token_bytes(12)
    return base64.b64encode(nonce + AESGCM(wrapping).encrypt(nonce, secret, f"{store_id} {name}".encode())).decode()


def opened(wrapped: str, wrapping: bytes, store_id: str, name: str) -> bytes:
    """What a wrap holds. InvalidTag where the wrapping key is another's, ValueError where it is no wrap."""
    sealed = base64.b64decode(wrapped)
    return AESGCM(wrapping).decrypt(sealed[:12], sealed[12:], f"{store_id} {name}".encode())
