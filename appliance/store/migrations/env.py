"""What Alembic runs: the migrations, on the connection that `upgrade` (or `make migration`) hands over."""

from alembic import context

from appliance.store.models import Table
from appliance.store.models.searching import is_compared

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=Table.metadata, render_as_batch=True, include_object=is_compared
)
context.run_migrations()
