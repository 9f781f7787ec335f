"""Keys: the box's key, each store's key, what wraps it, and the recovery kit.

    DIR/keys/box.key                32 random bytes in hex, mode 0600: opens every unattended store
    DIR/stores/NAME/keys.json       the store's key, wrapped, and what seals to the store:
        {"version": 2, "id": 16 bytes in hex, "public": X25519 key in hex,
         "wraps": {"box" or "passphrase": W, "kit": W},
         "passphrase": {"salt", "passes", "memory_kib", "lanes"},    what turns the passphrase into its wrapping key
         "kit": {"made": time, "proved": time or null, "backup": what opens backups, wrapped by this key},
         "earlier": [W...],                                          keys before this one, wrapped by this one
         "next": {"public", "wraps", "by_key": W}}                   only while the key is being changed

A store's key is 32 random bytes, never written in clear. What it protects is sealed with keys derived from it
(HKDF-SHA256, RFC 5869), one a purpose. A wrap W is AES-256-GCM (NIST SP 800-38D), bound to the store and to its name.

A store's key has one of two modes. In both, a recovery kit is another way in.

- unattended: wrapped by the box's key. Meters, imports and the night's work need nobody. It protects a copy of stores/
  that comes without keys/ (a backup, a synchronised folder), and nothing where somebody takes the box or its card.
- locked: wrapped by a passphrase that is kept nowhere. Whoever takes the box has to guess it (Argon2id makes each guess
  cost 64 MB and a good part of a second); files that arrive meanwhile are sealed to the store's public key and taken in
  at the next unlock. It does not protect against somebody who controls the running box while the store is unlocked, nor
  against a passphrase that can be guessed; and who loses the passphrase and the kit loses the store.

The home store is always unattended: everybody signs in there, and the meters' readings are sealed into it all day.
"""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag

from appliance.config import store_names
from appliance.errors import UserError
from appliance.shared import file_mode
from appliance.store import kit_backups, kits, passphrases, tries
from appliance.store.destroying import need_not_begun
from appliance.store.destroying import sync_folder as sync_folder
from appliance.store.locked import AnotherBoxError
from appliance.store.locked import LockedError as LockedError
from appliance.store.store_key import KEY_BYTES, opened, wrap
from appliance.store.store_key import StoreKey as StoreKey
from appliance.store.store_key import derive as derive

HOME = "home"
VERSION = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """What may be known of a store's key without it. Times are ISO 8601 in UTC, "" where it never was or is unknown."""

    is_locked: bool
    has_kit: bool
    kit_made: str
    kit_proved: str


class KeyRing:
    """The keys of one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.box_file = data / "keys" / "box.key"

    def folder(self, store: str) -> Path:
        return self.data / "stores" / store

    def store_file(self, store: str) -> Path:
        return self.folder(store) / "keys.json"

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
        wraps = {"box": wrap(key.secret, self.box_key(), store_id, "box")}
        document = {"version": VERSION, "id": store_id, "public": key.public, "wraps": wraps}
        write_durably(self.store_file(store), _as_text(document), exclusive=True)
        return key

    def open(self, store: str, passphrase: str | None = None) -> StoreKey:
        """The store's key, by the box's or by its passphrase; UserError where that does not open it.

        LockedError where a passphrase is needed, or another box's key. Wrong ones are slowed down, see `tries`.
        """
        document = self.document(store)
        name, wrapping = self._wrapping(store, document, passphrase)
        return _unwrapped(document, name, wrapping)

    def _wrapping(self, store: str, document: dict[str, Any], passphrase: str | None) -> tuple[str, bytes]:
        """The name of the wrap that opens the store, and the key that opens the wrap."""
        if not _is_locked(document):
            if _unwrap(document, "box", self.box_key()) is None:
                raise UserError(self._foreign(store)) if store == HOME else AnotherBoxError(store, self._foreign(store))
            return "box", self.box_key()
        if passphrase is None:
            raise LockedError(store)

        def attempt() -> bytes | None:
            wrapping = passphrases.stretched(passphrase, document["passphrase"])
            return wrapping if _unwrap(document, "passphrase", wrapping) else None

        wrapping = tries.guarded(self.folder(store) / "tries.json", attempt)
        if wrapping is None:
            raise tries.WrongPassphraseError(
                f"this is not the passphrase of the store {store!r}; try again. If it is lost, the recovery kit opens "
                f"the store: inglenook --store {store} kit use"
            )
        return "passphrase", wrapping

    def _foreign(self, store: str) -> str:
        return (
            f"{self.box_file} does not open the store {store!r}: it is another box's key. Put the right file back, "
            f"or take the recovery kit and run: inglenook --store {store} kit use"
        )

    def is_anothers(self, store: str) -> bool:
        """Whether the store opens with the key of another box, which is not here, or with its recovery kit."""
        document = self.document(store)
        return not _is_locked(document) and _unwrap(document, "box", self.box_key()) is None

    def public(self, store: str) -> bytes:
        """The store's public key, 32 bytes, which seals but does not open."""
        return bytes.fromhex(self.document(store)["public"])

    def facts(self, store: str) -> Facts:
        """What may be known of the store's key without it."""
        document = self.document(store)
        kit = document.get("kit", {})
        return Facts(
            is_locked=_is_locked(document),
            has_kit="kit" in document["wraps"],
            kit_made=kit.get("made") or "",
            kit_proved=kit.get("proved") or "",
        )

    # ---- the mode ----

    def need_lockable(self, store: str) -> None:
        """UserError where a passphrase must not become the only way into the store but its kit."""
        if store == HOME:
            raise UserError(
                "the household's store cannot be locked: everybody signs in there, and the meters' readings are sealed "
                "into it all day. Lock your own: inglenook --store NAME key mode locked"
            )
        if not self.facts(store).kit_proved:
            raise UserError(
                f"first prove a recovery kit of the store {store!r}, since nothing else opens it if the passphrase is "
                f"forgotten: inglenook --store {store} kit make, write it down, then kit prove"
            )

    def need_locked(self, store: str) -> None:
        """UserError where the store has no passphrase."""
        if not self.facts(store).is_locked:
            raise UserError(
                f"the store {store!r} has no passphrase: it opens with the box's key. To lock it: "
                f"inglenook --store {store} key mode locked"
            )

    def lock(self, store: str, key: StoreKey, passphrase: str) -> None:
        """From now on this passphrase alone opens the store, or its kit; another one does no more."""
        passphrases.need_good(passphrase)
        with self._changed(store, key) as document:
            if not _is_locked(document):
                self.need_lockable(store)
            parameters = passphrases.fresh()
            wrapping = passphrases.stretched(passphrase, parameters)
            document["passphrase"] = parameters
            document["wraps"]["passphrase"] = wrap(key.secret, wrapping, document["id"], "passphrase")
            document["wraps"].pop("box", None)
            for scratch in self.folder(store).glob(f"{self.store_file(store).name}.*.new"):
                scratch.unlink()  # of a write that was killed: it may still hold what the box's key opens

    def unlock(self, store: str, key: StoreKey) -> None:
        """From now on the box's key opens the store, and there is no passphrase any more."""
        with self._changed(store, key) as document:
            self._wrap_by_box(document, key.secret)

    def _wrap_by_box(self, document: dict[str, Any], secret: bytes) -> None:
        document["wraps"]["box"] = wrap(secret, self.box_key(), document["id"], "box")
        document["wraps"].pop("passphrase", None)
        document.pop("passphrase", None)

    # ---- the recovery kit ----

    def make_kit(self, store: str, key: StoreKey | None = None) -> list[str]:
        """A new recovery kit of 24 words, which replaces the one before. It is kept nowhere: show it once.

        `key` is the store's, where it is locked.
        """
        key, secret = key or self.open(store), secrets.token_bytes(KEY_BYTES)
        with self._changed(store, key) as document:
            document["wraps"]["kit"] = wrap(key.secret, derive(secret, "recovery kit"), document["id"], "kit")
            document["kit"] = {"made": _now(), "proved": None, "backup": kit_backups.wrapped(document, key, secret)}
        return kits.words_of(secret)

    def prove_kit(self, store: str, words: list[str]) -> StoreKey:
        """The store's key by its recovery kit; UserError that says which word is wrong, or that it is another kit's."""
        with self._changed(store) as document:
            key = self._by_kit(store, document, words)
            said = {"proved": _now(), "backup": kit_backups.wrapped(document, key, kits.secret_of(words))}
            document["kit"] = document.get("kit", {"made": None}) | said
        return key

    def use_kit(self, store: str, words: list[str]) -> None:
        """Opens a store by its recovery kit and wraps it by this box's key, which is made where it is missing.

        A locked store is unattended from then on: its passphrase, which was lost, opens it no more.
        """
        with self._changed(store) as document:
            key = self._by_kit(store, document, words)
            self._make_box_key()
            if "next" in document:
                secret = opened(document["next"]["by_key"], derive(key.secret, "next"), document["id"], "next")
                document["next"]["wraps"] = {"box": wrap(secret, self._read_box_key(), document["id"], "box")}
            self._wrap_by_box(document, key.secret)

    def _by_kit(self, store: str, document: dict[str, Any], words: list[str]) -> StoreKey:
        if "kit" not in document["wraps"]:
            raise UserError(f"the store {store!r} has no recovery kit yet: inglenook --store {store} kit make")
        wrapping = derive(kits.secret_of(words), "recovery kit")
        if _unwrap(document, "kit", wrapping) is None:
            raise UserError(f"these words are a recovery kit, but not the newest one of the store {store!r}")
        return _unwrapped(document, "kit", wrapping)

    # ---- another key, see `rotation` ----

    def is_changing(self, store: str) -> bool:
        """Whether a change of the store's key was begun and did not end."""
        return "next" in self.document(store)

    def begin_change(self, store: str, passphrase: str | None = None) -> None:
        """Writes the next key beside the present one. It is of use to nobody who lacks that."""
        document = self.document(store)
        name, wrapping = self._wrapping(store, document, passphrase)
        key, store_id = _unwrapped(document, name, wrapping), document["id"]
        following = StoreKey(secrets.token_bytes(KEY_BYTES))
        with self._changed(store, key) as document:
            document["next"] = {
                "public": following.public,
                "wraps": {name: wrap(following.secret, wrapping, store_id, name)},
                "by_key": wrap(following.secret, derive(key.secret, "next"), store_id, "next"),
            }

    def next_key(self, store: str, key: StoreKey) -> StoreKey:
        """The key that a change was begun to."""
        document = self.document(store)
        secret = opened(document["next"]["by_key"], derive(key.secret, "next"), document["id"], "next")
        return StoreKey(secret, (key.secret, *key.earlier))

    def end_change(self, store: str, key: StoreKey) -> None:
        """The next key is the store's from now on. The kit of the one before opens nothing any more."""
        following = self.next_key(store, key)
        with self._changed(store, key, ends=True) as document:
            document |= document.pop("next") | {"earlier": []}
            del document["by_key"]
            document.pop("kit", None)
            document["earlier"] = [
                wrap(secret, following.secret, document["id"], "earlier") for secret in following.earlier
            ]

    # ---- the file ----

    @contextmanager
    def _changed(self, store: str, key: StoreKey | None = None, *, ends: bool = False) -> Iterator[dict[str, Any]]:
        """The file of keys, to be changed by this process alone. UserError where it is, or becomes, another key's."""
        number = os.open(self.folder(store), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(number, fcntl.LOCK_EX)
            document = self.document(store)
            if key is not None and (key.public != document["public"] or ("next" in document and not ends)):
                raise UserError(f"the key of the store {store!r} is being changed, or was a moment ago; try again")
            yield document
            write_durably(self.store_file(store), _as_text(document | {"version": VERSION}))
        finally:
            os.close(number)

    def document(self, store: str) -> dict[str, Any]:
        """The store's file of keys, as it is. UserError where it is missing or damaged."""
        path = self.store_file(store)
        try:
            document: dict[str, Any] = json.loads(path.read_bytes())
            document["public"], document["id"], document["wraps"]
            _ = document["passphrase"]["salt"] if "passphrase" in document["wraps"] else None
            version = int(document.get("version", 1))
        except FileNotFoundError:
            need_not_begun(self.data, store)
            raise UserError(f"{path}: the keys of the store {store!r} are missing; put back its backup") from None
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{path}: this is not a store's file of keys; put it back from a backup") from None
        if version > VERSION:
            raise UserError(f"{path}: a newer Inglenook wrote this file; install that version again")
        return document


def _is_locked(document: dict[str, Any]) -> bool:
    return "passphrase" in document["wraps"] and "box" not in document["wraps"]


def _as_text(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1).encode()


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _unwrap(document: dict[str, Any], name: str, wrapping: bytes) -> bytes | None:
    try:
        return opened(document["wraps"][name], wrapping, document["id"], name)
    except (InvalidTag, KeyError, ValueError):
        return None


def _unwrapped(document: dict[str, Any], name: str, wrapping: bytes) -> StoreKey:
    """The store's key with those before it, by a wrapping key that is known to fit."""
    store_id = document["id"]
    secret = opened(document["wraps"][name], wrapping, store_id, name)
    return StoreKey(secret, tuple(opened(each, secret, store_id, "earlier") for each in document.get("earlier", [])))


def write_durably(path: Path, content: bytes, *, exclusive: bool = False, mode: int | None = None) -> None:
    """Writes a file so that a power cut leaves the old one or the new one. A secret one, of mode 0600, its folder 0700,
    unless another `mode` is named.

    In a folder that is shared with the collector, which needs the store's public key, the mode is 0640.

    `exclusive`: FileExistsError where the file is there, so that no key ever replaces another.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        rest = memoryview(content)
        while rest:  # a disk that is nearly full takes a part before it refuses
            rest = rest[os.write(descriptor, rest) :]
        os.fchmod(descriptor, file_mode(path.parent) if mode is None else mode)
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
