"""What thousands of hits are counted by, in half as many pages: two bytes a fact where they suffice, and not four."""

from array import array

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_EACH_ROW = 960


def upgrade() -> None:
    codes = sa.table("search_codes", sa.column("number", sa.BigInteger()), sa.column("packed", sa.LargeBinary()))
    connection = op.get_bind()
    every = connection.execute(sa.select(codes).order_by(codes.c.number))
    rows = [{"number": number, "packed": _narrowed(packed)} for number, packed in every]
    connection.execute(codes.delete())  # where a row only shrinks, SQLite leaves it the page that it has
    if rows:
        connection.execute(codes.insert(), rows)


def _narrowed(packed: bytes) -> bytes:
    if len(packed) != 4 * _EACH_ROW:  # made by 0003 a moment ago
        return packed
    codes = array("I", packed)
    return array("H", codes).tobytes() if max(codes) < 1 << 16 else packed
