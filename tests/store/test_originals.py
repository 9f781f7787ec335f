"""Originals: kept once, whole, in clear nowhere, and read a piece at a time."""

import hashlib
import random

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select, update

from appliance.store import originals
from appliance.store.database import Store
from appliance.store.models import OriginalPart
from appliance.store.originals import PART_BYTES

DATA = random.Random(1).randbytes(2 * PART_BYTES + 1000)


@pytest.fixture
def kept(store: Store) -> str:
    """The SHA-256 of an original of three parts."""
    with store.write() as connection:
        return originals.keep(connection, store.key, DATA)


@pytest.mark.parametrize("data", [b"", b"x", DATA[:PART_BYTES], DATA[: PART_BYTES + 1]])
def test_a_file_comes_back_whole(store: Store, data: bytes) -> None:
    with store.write() as connection:
        sha256 = originals.keep(connection, store.key, data)
    with store.read() as connection:
        assert originals.read(connection, store.key, sha256) == data
        assert originals.all_of(connection) == [(hashlib.sha256(data).hexdigest(), len(data))]


def test_the_same_file_is_kept_once(store: Store, kept: str) -> None:
    with store.write() as connection:
        assert originals.keep(connection, store.key, DATA) == kept
        assert connection.execute(select(func.count()).select_from(OriginalPart)).scalar_one() == 3


@pytest.mark.parametrize(
    ("first", "length"),
    [
        (0, 10),
        (PART_BYTES - 5, 10),
        (PART_BYTES, 1),
        (PART_BYTES - 1, 1),
        (0, PART_BYTES),
        (PART_BYTES - 1, PART_BYTES + 2),
        (len(DATA) - 3, 100),
        (len(DATA), 5),
        (10 * PART_BYTES, 5),
        (5, 0),
        (5, -1),
        (-5, 10),
    ],
)
def test_an_excerpt_is_the_file_s_bytes(store: Store, kept: str, first: int, length: int) -> None:
    with store.read() as connection:
        found = originals.excerpt(connection, store.key, kept, first, length)
    assert found == (DATA[first : first + length] if first >= 0 and length > 0 else b"")


def test_an_excerpt_of_a_file_that_is_not_there_is_empty(store: Store) -> None:
    with store.read() as connection:
        assert originals.excerpt(connection, store.key, "00" * 32, 0, 10) == b""


@pytest.mark.parametrize("place", [0, 11, 12, 500, -1])
def test_a_changed_byte_is_noticed(store: Store, kept: str, place: int) -> None:
    part = (OriginalPart.sha256 == kept) & (OriginalPart.number == 1)
    with store.write() as connection:
        sealed = bytearray(connection.execute(select(OriginalPart.sealed).where(part)).scalar_one())
        sealed[place] ^= 1
        connection.execute(update(OriginalPart).where(part).values(sealed=bytes(sealed)))
    with store.read() as connection, pytest.raises(InvalidTag):
        originals.read(connection, store.key, kept)


def test_parts_cannot_change_places(store: Store, kept: str) -> None:
    with store.write() as connection:
        first = connection.execute(select(OriginalPart.sealed).where(OriginalPart.number == 0)).scalar_one()
        connection.execute(update(OriginalPart).where(OriginalPart.number == 1).values(sealed=first))
    with store.read() as connection, pytest.raises(InvalidTag):
        originals.read(connection, store.key, kept)


def test_no_part_holds_the_file_in_clear(store: Store) -> None:
    with store.write() as connection:
        originals.keep(connection, store.key, b"Quince and Medlar Ltd " * 100)
        assert b"Quince" not in connection.execute(select(OriginalPart.sealed)).scalar_one()
