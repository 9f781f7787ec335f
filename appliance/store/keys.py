"""Keys: the box's key, each store's key, what wraps it, and the recovery kit.

    DIR/keys/box.key                32 random bytes in hex, mode 0600: opens every store unattended
    DIR/stores/NAME/keys.json       the store's key, wrapped by the box's key and by its recovery kit

A store's key is 32 random bytes, never written in clear. What it protects is sealed with keys derived from it
(HKDF-SHA256, RFC 5869), one a purpose. A wrap is AES-256-GCM (NIST SP 800-38D) bound to the store and the wrap's name.
"""

import base64
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.config import store_names
from appliance.errors import UserError

KEY_BYTES = 32


@dataclass(frozen=True, slots=True, repr=False)
class StoreKey:
    """A store's key, opened. `derived` gives the key of one purpose."""

    secret: bytes

    def derived(self, purpose: str) -> bytes:
        return derive(self.secret, purpose)

    @property
    def private(self) -> X25519PrivateKey:
        """What opens what was sealed to the store's public key: the collector's spool."""
        return X25519PrivateKey.from_private_bytes(self.derived("sealed to the store"))


def derive(secret: bytes, purpose: str, salt: bytes | None = None) -> bytes:
    """32 bytes for one purpose, by HKDF-SHA256."""
    return HKDF(hashes.SHA256(), KEY_BYTES, salt, f"inglenook {purpose}".encode()).derive(secret)


class KeyRing:
    """The keys of one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.box_file = data / "keys" / "box.key"

    def store_file(self, store: str) -> Path:
        return self.data / "stores" / store / "keys.json"

    def store_names(self) -> list[str]:
        """Every store of the folder, one that has lost its keys or its database included."""
        return store_names(self.data)

    def box_key(self) -> bytes:
        """The box's key, made where the folder has no store yet; UserError where it is missing beside stores."""
        stores = self.store_names()  # before looking for the key: whoever makes a store has made the key before
        with suppress(FileNotFoundError):
            return self._read_box_key()
        if stores:
            raise UserError(self._missing())
        self._make_box_key()
        return self._read_box_key()

    def _make_box_key(self) -> None:
        """Where another process makes it at the same moment, or has made it, that one stays."""
        with suppress(FileExistsError):
            write_durably(self.box_file, secrets.token_hex(KEY_BYTES).encode() + b"\n", exclusive=True)

    def _read_box_key(self) -> bytes:
        text = self.box_file.read_bytes().strip()
        try:
            key = bytes.fromhex(text.decode("ascii"))
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise UserError(
                f"{self.box_file}: this is not a box's key (64 hexadecimal digits); put back the right file"
            )
        return key

    def _missing(self) -> str:
        return (
            f"{self.box_file}: the box's key is missing, and stores lie beside it that only it opens; put the file "
            "back, or take the recovery kit and run: inglenook --store NAME kit use"
        )

    def make(self, store: str) -> StoreKey:
        """A new store's key, wrapped by the box's key before its first use. FileExistsError where it has one."""
        key = StoreKey(secrets.token_bytes(KEY_BYTES))
        store_id = secrets.token_hex(16)
        document = {
            "version": 1,
            "id": store_id,
            "public": key.private.public_key().public_bytes_raw().hex(),
            "wraps": {"box": _wrap(key, self.box_key(), store_id, "box")},
        }
        write_durably(self.store_file(store), json.dumps(document, indent=1).encode(), exclusive=True)
        return key

    def open(self, store: str) -> StoreKey:
        """The store's key by the box's; UserError where the box's key does not open it."""
        document = self._read(store)
        key = _unwrap(document, "box", self.box_key())
        if key is None:
            raise UserError(
                f"{self.box_file} does not open the store {store!r}: it is another box's key. Put the right file back, "
                f"or take the recovery kit and run: inglenook --store {store} kit use"
            )
        return key

    def public(self, store: str) -> bytes:
        """The store's public key, 32 bytes, which seals but does not open."""
        return bytes.fromhex(self._read(store)["public"])

    def has_kit(self, store: str) -> bool:
        return "kit" in self._read(store)["wraps"]

    def make_kit(self, store: str) -> list[str]:
        """A new recovery kit of 24 words, which replaces the one before. It is kept nowhere: show it once."""
        key, document, secret = self.open(store), self._read(store), secrets.token_bytes(KEY_BYTES)
        document["wraps"]["kit"] = _wrap(key, derive(secret, "recovery kit"), document["id"], "kit")
        self._write(store, document)
        return str(_words().to_mnemonic(secret)).split()

    def prove_kit(self, store: str, words: list[str]) -> StoreKey:
        """The store's key by its recovery kit; UserError that says which word is wrong, or that it is another kit's."""
        document = self._read(store)
        if "kit" not in document["wraps"]:
            raise UserError(f"the store {store!r} has no recovery kit yet: inglenook --store {store} kit make")
        key = _unwrap(document, "kit", derive(_kit_secret(words), "recovery kit"))
        if key is None:
            raise UserError(f"these words are a recovery kit, but not the newest one of the store {store!r}")
        return key

    def use_kit(self, store: str, words: list[str]) -> None:
        """Opens a store by its recovery kit and wraps it by this box's key, which is made where it is missing."""
        key, document = self.prove_kit(store, words), self._read(store)
        self._make_box_key()
        document["wraps"]["box"] = _wrap(key, self._read_box_key(), document["id"], "box")
        self._write(store, document)

    def _read(self, store: str) -> dict[str, Any]:
        path = self.store_file(store)
        try:
            document: dict[str, Any] = json.loads(path.read_bytes())
            document["public"], document["id"], document["wraps"]
        except FileNotFoundError:
            raise UserError(
                f"{path}: the keys of the store {store!r} are missing; put the file back from a backup"
            ) from None
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{path}: this is not a store's file of keys; put it back from a backup") from None
        return document

    def _write(self, store: str, document: dict[str, Any]) -> None:
        write_durably(self.store_file(store), json.dumps(document, indent=1).encode())


def _wrap(key: StoreKey, wrapping: bytes, store_id: str, name: str) -> str:
    nonce = secrets.token_bytes(12)
    sealed = AESGCM(wrapping).encrypt(nonce, key.secret, f"{store_id} {name}".encode())
    return base64.b64encode(nonce + sealed).decode()


def _unwrap(document: dict[str, Any], name: str, wrapping: bytes) -> StoreKey | None:
    try:
        sealed = base64.b64decode(document["wraps"][name])
        return StoreKey(AESGCM(wrapping).decrypt(sealed[:12], sealed[12:], f"{document['id']} {name}".encode()))
    except (InvalidTag, KeyError, ValueError):
        return None


def _words() -> Any:
    from mnemonic import Mnemonic  # only a kit needs the list of 2,048 words (BIP-39)

    return Mnemonic("english")


def _kit_secret(words: list[str]) -> bytes:
    listed = _words()
    said = [word.strip().lower() for word in words]
    if wrong := [f"word {number}, {word!r}" for number, word in enumerate(said, 1) if word not in listed.wordlist]:
        raise UserError(f"no word of a recovery kit: {', '.join(wrong)}; look at the printed page again")
    if len(said) != 24:
        raise UserError(f"a recovery kit has 24 words, and these are {len(said)}")
    if not listed.check(" ".join(said)):
        raise UserError("every word is in the list, but they do not fit together: one is another's, or two are swapped")
    return bytes(listed.to_entropy(said))


def write_durably(path: Path, content: bytes, *, exclusive: bool = False) -> None:
    """Writes a small secret file so that a power cut leaves the old one or the new one. Mode 0600, its folder 0700.

    `exclusive`: FileExistsError where the file is there, so that no key ever replaces another.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    except OSError:
        scratch.unlink()
        raise
    finally:
        os.close(descriptor)
    if exclusive:
        try:
            os.link(scratch, path)
        finally:
            scratch.unlink()
    else:
        scratch.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
