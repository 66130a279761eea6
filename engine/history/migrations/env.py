"""Alembic's environment: runs the migrations on the connection that `migrate` passes."""

from alembic import context

from engine.history.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
