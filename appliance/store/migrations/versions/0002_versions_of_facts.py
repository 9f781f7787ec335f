"""Versions of facts, undo, links between facts of one event, and what keeping a store for years needs.

Records and sightings are made anew on SQLite, which cannot drop what a column demands; PostgreSQL alters them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_ID = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    _make_tables()
    _give_records_versions()
    _let_sightings_name_facts()
    with op.batch_alter_table("imports") as batch_op:
        batch_op.add_column(sa.Column("undone_us", sa.BigInteger(), nullable=True))
    _index_few("imports", "undone_us", "undone_us IS NOT NULL")
    with op.batch_alter_table("originals") as batch_op:
        batch_op.add_column(sa.Column("blanked", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("blanked_sha256", sa.Text(), nullable=True))
    with op.batch_alter_table("series") as batch_op:
        batch_op.drop_constraint(op.f("uq_series_source_id_role"), type_="unique")
        batch_op.create_index(op.f("ix_series_source_id_role"), ["source_id", "role"], unique=False)


def _give_records_versions() -> None:
    for name in ("fact", "about", "since_us", "until_us"):
        op.add_column("records", sa.Column(name, sa.BigInteger(), nullable=True))
    op.execute("UPDATE records SET fact = id, since_us = (SELECT at_us FROM imports WHERE imports.id = import_id)")
    with op.batch_alter_table("records") as batch_op:
        batch_op.add_column(sa.Column("begun_by", _ID, nullable=True))
        batch_op.add_column(sa.Column("ended_by", _ID, nullable=True))
        for name in ("fact", "since_us"):
            batch_op.alter_column(name, existing_type=sa.BigInteger(), nullable=False)
        batch_op.alter_column("import_id", existing_type=_ID, nullable=True)
        for name in ("first", "length"):
            batch_op.alter_column(name, existing_type=sa.BigInteger(), nullable=True)
        batch_op.create_foreign_key(op.f("fk_records_ended_by_changes"), "changes", ["ended_by"], ["id"])
        batch_op.create_foreign_key(op.f("fk_records_begun_by_changes"), "changes", ["begun_by"], ["id"])
    for name, where in (("fact", "fact <> id"), ("about", "about IS NOT NULL"), ("ended_by", "ended_by IS NOT NULL")):
        _index_few("records", name, where)


def _index_few(table: str, column: str, where: str) -> None:
    few = sa.text(where)
    op.create_index(f"ix_{table}_{column}", table, [column], sqlite_where=few, postgresql_where=few)


def _let_sightings_name_facts() -> None:
    op.drop_index(op.f("ix_sightings_record_id"), "sightings")
    with op.batch_alter_table("sightings") as batch_op:
        batch_op.drop_constraint(op.f("fk_sightings_record_id_records"), type_="foreignkey")
        batch_op.alter_column("record_id", new_column_name="fact", existing_type=_ID, type_=sa.BigInteger())
    op.create_index(op.f("ix_sightings_fact"), "sightings", ["fact"], unique=False)


def _make_tables() -> None:
    op.create_table(
        "archives",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("attached_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archives")),
    )
    op.create_table(
        "attributes",
        sa.Column("fact", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("fact", "name", name=op.f("pk_attributes")),
    )
    with op.batch_alter_table("attributes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attributes_rule"), ["rule"], unique=False)

    op.create_table(
        "changes",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
    )
    op.create_table(
        "declared_kinds",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("declaration", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_declared_kinds")),
    )
    op.create_table(
        "deletions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("highest_record", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deletions")),
    )
    op.create_table(
        "event_facts",
        sa.Column("fact", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("fact", name=op.f("pk_event_facts")),
    )
    with op.batch_alter_table("event_facts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_facts_event"), ["event"], unique=False)

    op.create_table(
        "forgotten",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("facts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_forgotten")),
    )
    op.create_table(
        "invitations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code_sha256", sa.Text(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
    )
    op.create_table(
        "links",
        sa.Column("one", sa.BigInteger(), nullable=False),
        sa.Column("other", sa.BigInteger(), nullable=False),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one", "other", name=op.f("pk_links")),
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_links_other"), ["other"], unique=False)

    op.create_table(
        "marts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("selection", sa.JSON(), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("refreshed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marts")),
    )
    op.create_table(
        "policies",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_policies")),
    )
    op.create_table(
        "rules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rules")),
    )
    op.create_table(
        "verifications",
        sa.Column("id", _ID, nullable=False),
        sa.Column("fact", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("claim", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verifications")),
    )
    with op.batch_alter_table("verifications", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verifications_fact"), ["fact"], unique=False)

    op.create_table(
        "archived_facts",
        sa.Column("fact", sa.BigInteger(), nullable=False),
        sa.Column("archive_id", _ID, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["archive_id"], ["archives.id"], name=op.f("fk_archived_facts_archive_id_archives")),
        sa.PrimaryKeyConstraint("fact", name=op.f("pk_archived_facts")),
    )
    with op.batch_alter_table("archived_facts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_archived_facts_archive_id"), ["archive_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_archived_facts_fingerprint"), ["fingerprint"], unique=False)

    op.create_table(
        "reference_sets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("declaration", sa.JSON(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["originals.sha256"], name=op.f("fk_reference_sets_sha256_originals")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_reference_sets")),
    )
    op.create_table(
        "summaries",
        sa.Column("archive_id", _ID, nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("facts", sa.BigInteger(), nullable=False),
        sa.Column("amount_e6", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["archive_id"], ["archives.id"], name=op.f("fk_summaries_archive_id_archives")),
        sa.PrimaryKeyConstraint("archive_id", "month", "account", "unit", name=op.f("pk_summaries")),
    )
    op.create_table(
        "reference_rows",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("from_day", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["name"], ["reference_sets.name"], name=op.f("fk_reference_rows_name_reference_sets")),
        sa.PrimaryKeyConstraint("name", "key", "from_day", name=op.f("pk_reference_rows")),
    )
