"""A row of a file that says several facts (a bill and its paper, the things of one purchase) is met again as all."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    with op.batch_alter_table("sightings") as batch_op:
        batch_op.drop_constraint(op.f("pk_sightings"), type_="primary")
        batch_op.create_primary_key(op.f("pk_sightings"), ["import_id", "first", "fact"])
