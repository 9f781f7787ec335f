"""Passphrases: what turns one into a key that wraps a store's (Argon2id, RFC 9106)."""

import secrets
import unicodedata
from typing import Any

from appliance.errors import UserError

LETTERS, LONGEST = 12, 1_000
# RFC 9106, section 4, the second choice: for a machine that has no 2 GB to spare.
COST = {"passes": 3, "memory_kib": 65_536, "lanes": 4}


def need_good(passphrase: str) -> None:
    """UserError where it is too short to stand against somebody who has the disk, or absurdly long."""
    if not LETTERS <= len(passphrase) <= LONGEST:
        raise UserError(
            f"a passphrase has at least {LETTERS} characters: whoever takes the disk can guess at it day and night, so "
            "choose five or more words that do not belong together"
        )


def fresh() -> dict[str, Any]:
    """A new salt, and the cost that it is used with."""
    return {"salt": secrets.token_hex(16), **COST}


def stretched(passphrase: str, parameters: dict[str, Any]) -> bytes:
    """The 32 bytes that a passphrase gives with these parameters, however a keyboard composes its letters."""
    from argon2.low_level import Type, hash_secret_raw  # only a locked store needs it

    return hash_secret_raw(
        secret=unicodedata.normalize("NFKC", passphrase).encode(),
        salt=bytes.fromhex(parameters["salt"]),
        time_cost=parameters["passes"],
        memory_cost=parameters["memory_kib"],
        parallelism=parameters["lanes"],
        hash_len=32,
        type=Type.ID,
    )
