"""Search: the words of every fact that stands, and how many facts there are of what.

What the store holds already is indexed here, by the code of today: a later migration that changes what that code needs
empties the index first, and calls `search.rebuild` itself.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from appliance.store import search

revision = "0003"
down_revision = "0002"

_ID = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "search_groups",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_id", _ID, nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_search_groups_source_id_sources")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_groups")),
    )
    unique = ["kind", "source_id", "account"]
    op.create_index(op.f("ix_search_groups_kind_source_id_account"), "search_groups", unique, unique=True)
    for name in ("search_codes", "search_amounts"):
        op.create_table(
            name,
            sa.Column("number", _ID, autoincrement=False, nullable=False),
            sa.Column("packed", sa.LargeBinary(), nullable=False),
            sa.PrimaryKeyConstraint("number", name=op.f(f"pk_{name}")),
        )
    op.create_table(
        "search_tallies",
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("band", sa.Integer(), nullable=False),
        sa.Column("facts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "year", "band", name=op.f("pk_search_tallies")),
    )
    op.create_table(
        "search_terms",
        sa.Column("term", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("term", name=op.f("pk_search_terms")),
        sqlite_with_rowid=False,
    )
    _make_words()
    search.rebuild(op.get_bind())


def _make_words() -> None:
    if op.get_bind().dialect.name == "sqlite":
        # Words are folded before they come here, and no letter beyond ASCII parts two of them: so `ascii`.
        op.execute(
            "CREATE VIRTUAL TABLE search_words USING "
            "fts5(title, rest, content='', contentless_delete=1, tokenize='ascii')"
        )
        # A page of its fits into one of SQLCipher's, of which 80 bytes prove and encrypt the rest; and it merges in
        # larger steps than usual, which takes a third off what bulk imports cost.
        op.execute("INSERT INTO search_words (search_words, rank) VALUES ('pgsz', 3900), ('automerge', 8)")
        return
    op.create_table(
        "search_words",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("words", TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_search_words")),
    )
    op.create_index(op.f("ix_search_words_words"), "search_words", ["words"], postgresql_using="gin")
