"""Executions are found by the id of their HTTP request."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the index."""
    op.create_index(
        "ix_executions_account_id_http_request_id",
        "executions",
        ["account_id", "http_request_id"],
    )
