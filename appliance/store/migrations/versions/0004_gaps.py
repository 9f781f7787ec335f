"""The ledger of what is missing of each source, which series are thinned, and at which quarters a rollup guesses.

Rollups are made anew from the readings: what happened at a register, and what a gap held, is counted otherwise now.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "gaps",
        sa.Column("id", _ID, nullable=False),
        sa.Column("source_id", _ID, nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_gaps_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gaps")),
    )
    op.create_index(op.f("ix_gaps_source_id_last_ms"), "gaps", ["source_id", "last_ms"], unique=False)
    op.create_table(
        "register_steps",
        sa.Column("series_id", _ID, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_register_steps_series_id_series")),
        sa.PrimaryKeyConstraint("series_id", "at_ms", name=op.f("pk_register_steps")),
    )
    op.create_table(
        "thinnings",
        sa.Column("series_id", _ID, nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("done_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_thinnings_series_id_series")),
        sa.PrimaryKeyConstraint("series_id", name=op.f("pk_thinnings")),
    )
    op.add_column("rollups", sa.Column("cuts", sa.LargeBinary(), nullable=True))
    _have_registers_counted_anew()


def _have_registers_counted_anew() -> None:
    """Marks each register's whole span as newer than its rollups."""
    op.execute("DELETE FROM stale WHERE series_id IN (SELECT id FROM series WHERE kind = 'register')")
    op.execute(
        "INSERT INTO stale (series_id, first_ms, last_ms) SELECT series_id, min(first_ms), max(last_ms) FROM chunks "
        "WHERE series_id IN (SELECT id FROM series WHERE kind = 'register') GROUP BY series_id"
    )
