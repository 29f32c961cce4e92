"""Runs the steps on the connection that ``service.migrating`` hands over."""

from __future__ import annotations

from alembic import context

from service.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes columns by copying the table.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
