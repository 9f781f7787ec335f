"""Which meter the readings are of, found without reading them: a chunk's lineage stands behind its packed values."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    columns = ["series_id", "first_ms", "last_ms", "device", "link", "meter", "quality", "import_id"]
    op.create_index(op.f("ix_chunks_lineage"), "chunks", columns, unique=False)
